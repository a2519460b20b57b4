"""Dagster's records don't grow for ever: old runs are removed each night, or by commands.

Which runs are old and ours is in :mod:`freg_pipeline.orchestration.old_runs`; which of them the
sensors still look at is told by the store, here.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster import DagsterInstance

from freg_pipeline.journal.releases import current_release
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.compaction import under_way
from freg_pipeline.orchestration.feed_sensor import FROM_TAG
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.old_runs import (
    OurRecords,
    Tidied,
    old_runs,
    remove_old_runs,
)
from freg_pipeline.orchestration.partitions import COMPACTION_PIECE, RELEASE_PIECE
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.workers import Workers
from freg_pipeline.store import Store

NIGHT_SECONDS = 900.0  # for a night's work; what is left is for the next one
COMMAND_SECONDS = 5.0  # for what a command does by the way
_DAY = 86_400.0

logger = logging.getLogger(__name__)


def purge_runs_job(
    names: Names, ours: Callable[[str | None], OurRecords], workers: Workers
) -> dg.JobDefinition:
    """What removes old runs.

    Args:
        names: of the store.
        ours: what is defined, given where Dagster has loaded it from.
        workers: where it runs.
    """

    @dg.op(
        name=names.of("purge_old_runs"),
        required_resource_keys={names.resource},
        description="Removes what Dagster has recorded of runs, by FREG_KEEP_RUNS_DAYS.",
    )
    @in_our_words
    def purge_old_runs(context: dg.OpExecutionContext) -> None:
        """Remove as the settings say. What is newest, and what a sensor looks at, is kept."""
        origin = context.run.remote_job_origin
        location = origin.repository_origin.get_label() if origin is not None else None
        freg = freg_of(context, names)
        done = tidy(context.instance, freg, names, ours(location), NIGHT_SECONDS)
        more = ", more of them the next time" if done.left else ""
        context.log.info("runs removed: %d%s", done.runs, more)

    @dg.job(
        name=names.of("purge_runs"),
        **workers.place("purge_runs"),
        description="Removes old runs of ours with their events and logs, nobody else's.",
    )
    def job() -> None:
        """One step."""
        purge_old_runs()

    return job


def tidy(
    instance: DagsterInstance, freg: Freg, names: Names, ours: OurRecords, seconds: float
) -> Tidied:
    """Remove old runs, and the partitions of pieces of releases and compactions that are over.

    Args:
        instance: whose records.
        freg: settings and store.
        names: of the store.
        ours: which of the records belong to it.
        seconds: after which no other run is begun with.
    """
    compactions = {*under_way(freg.store)}
    loads = {one.name for one in Uttrekk.list_open(freg.store)}
    for kind, there in ((COMPACTION_PIECE, compactions), (RELEASE_PIECE, loads)):
        for piece in instance.get_dynamic_partitions(names.of(kind)):
            if piece.partition("/")[0] not in there:
                instance.delete_dynamic_partition(names.of(kind), piece)
    return remove_old_runs(
        instance,
        ours,
        days=freg.settings.keep_runs_days,
        seconds=seconds,
        is_needed=_needed(freg.store, names, compactions),
    )


def count_old(instance: DagsterInstance, freg: Freg, names: Names, ours: OurRecords) -> int:
    """How many runs :func:`tidy` would remove; nothing is removed."""
    before = datetime.now(UTC) - timedelta(days=freg.settings.keep_runs_days)
    needed = _needed(freg.store, names, {*under_way(freg.store)})
    return sum(1 for _ in old_runs(instance, ours, before, needed))


def tidy_by_the_way(
    instance: DagsterInstance, freg: Freg, names: Names, ours: Callable[[], OurRecords], home: Path
) -> None:
    """Once a day, tidy the records that commands keep in the store: no schedule does it there.

    Trouble with it is told, and is no trouble of the command's.
    """
    done = home / "tidied"
    if not done.exists():
        done.touch(mode=0o600)  # they begin now
    if time.time() - done.stat().st_mtime < _DAY:
        return
    try:
        left = tidy(instance, freg, names, ours(), COMMAND_SECONDS).left
    except sa.exc.DBAPIError as error:
        logger.warning("old runs of Dagster's weren't removed: %s", type(error).__name__)
        return
    if not left:
        done.touch(mode=0o600)


def _needed(store: Store, names: Names, compactions: set[str]) -> Callable[[dg.DagsterRun], bool]:
    """Whether a sensor looks at a run, however old: of what is open, and from where syncs go on."""
    current = current_release(store)
    needed = {
        names.tag("uttrekk"): {one.name for one in Uttrekk.list_open(store)},
        names.tag("compaction"): compactions,
        FROM_TAG: {str(current.sekvensnummer)} if current is not None else set(),
    }
    return lambda run: any(run.tags.get(tag) in values for tag, values in needed.items())
