"""What Dagster's runs tell: what is under way, what has failed, and when it may be tried again.

A run that failed is requested again after a pause that grows, and never given up
(:mod:`freg_pipeline.failure`). One whose process or machine was lost is requested again at once:
that isn't its fault, the first time. Three kinds wait for a person: one that the domain refused,
which would be refused again, one that somebody cancelled, and what has lost its worker three times
in a row, which takes more memory, say, than workers have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG

from freg_pipeline.failure import Trouble

REFUSED_TAG = "freg/refused"  # on a run that a second try would not help
PARTITION_TAG = "dagster/partition"
MOST_LOST = 3  # workers that one thing may take along before a person has to look
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_ENDED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]

What = tuple[str, str]  # a job, and a partition of it; "" where it has none


@dataclass(frozen=True)
class Runs:
    """The runs that share tags.

    Attributes:
        under_way: what has a run now.
        troubles: what has failed: how often, and when last.
        held: what waits for a person, since its last run was refused or cancelled, or its last
            runs were all lost.
    """

    under_way: frozenset[What]
    troubles: Mapping[What, Trouble]
    held: frozenset[What]

    def may_begin(self, job: str, partition: str = "") -> bool:
        """Whether another run may be requested now."""
        what = (job, partition)
        trouble = self.troubles.get(what)
        is_free = what not in self.under_way and what not in self.held
        return is_free and (trouble is None or trouble.is_over)


def runs_of(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> Runs:
    """The runs that carry these tags."""
    active = instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY, tags=tags))
    badly: dict[What, list[dg.RunRecord]] = defaultdict(list)
    for record in instance.get_run_records(dg.RunsFilter(statuses=_ENDED_BADLY, tags=tags)):
        badly[_what(record)].append(record)  # the newest first
    return Runs(
        frozenset(map(_what, active)),
        {what: trouble_of(records) for what, records in badly.items()},
        frozenset(what for what, records in badly.items() if _waits_for_a_person(records)),
    )


def trouble_of(records: Sequence[dg.RunRecord]) -> Trouble:
    """What the runs of one thing that ended badly, the newest first, say of how long to wait."""
    failures = len(records) - was_lost(records[0].dagster_run)
    return Trouble(failures, ended(records[0]))


def is_lost_again_and_again(records: Sequence[dg.RunRecord]) -> bool:
    """Whether one thing, whose runs these are, the newest first, loses its worker each time."""
    newest = [record.dagster_run for record in records[:MOST_LOST]]
    return len(newest) == MOST_LOST and all(map(was_lost, newest))


def was_lost(run: dg.DagsterRun) -> bool:
    """Whether a run ended without a word: its process was killed, or its machine was lost.

    A run that fails by itself records why, and so does one whose process is told to stop.
    """
    return run.status is dg.DagsterRunStatus.FAILURE and RUN_FAILURE_REASON_TAG not in run.tags


def ended(record: dg.RunRecord) -> datetime:
    """When a run ended; one whose process was lost tells only when it was last heard of."""
    told = record.end_time or record.update_timestamp.timestamp()
    return datetime.fromtimestamp(told, UTC)


def _waits_for_a_person(records: Sequence[dg.RunRecord]) -> bool:
    newest = records[0].dagster_run
    is_held = newest.status is dg.DagsterRunStatus.CANCELED or REFUSED_TAG in newest.tags
    return is_held or is_lost_again_and_again(records)


def _what(record: dg.RunRecord) -> What:
    run = record.dagster_run
    return run.job_name, run.tags.get(PARTITION_TAG, "")


def mark_refused(context: dg.AssetExecutionContext, rule: str) -> None:
    """Mark a run that the domain refused, so that no sensor requests it again.

    Args:
        context: of the run.
        rule: which one it broke.
    """
    context.instance.add_run_tags(context.run.run_id, {REFUSED_TAG: rule})


def carries_our_tag(run: dg.DagsterRun) -> bool:
    """Whether a run is one of ours, where its code location doesn't tell: another's job may have
    the same name."""
    return any(tag.startswith("freg/") for tag in run.tags)
