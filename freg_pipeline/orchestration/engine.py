"""Run jobs of the code location in this process.

Runs are recorded with the store's own Dagster instance, so that their history can be seen later.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import cache, partial
from pathlib import Path
from typing import Any, TextIO, cast

import dagster as dg
from dagster import DagsterInstance

from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.grouping import grouped
from freg_pipeline.orchestration.names import UNPREFIXED, Names
from freg_pipeline.orchestration.old_runs import OurRecords
from freg_pipeline.orchestration.origin import origin_of, placed
from freg_pipeline.orchestration.partitions import UTTREKK_BATCH, batches_partition
from freg_pipeline.orchestration.records import alone, begin_records, open_records
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.retention import NIGHT_SECONDS, count_old, tidy, tidy_by_the_way
from freg_pipeline.orchestration.telling import FregFailure

# Dagster's own log goes to its instance; a command prints its own lines.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Engine:
    """Runs jobs, one after the other.

    Args:
        freg: settings, store and register of the code location.
        instance: where runs are recorded.
        home: the instance's folder, where it has one.
        names: what its jobs, assets and runs are called there.
    """

    def __init__(
        self,
        freg: Freg,
        instance: DagsterInstance,
        home: Path | None = None,
        names: Names = UNPREFIXED,
    ) -> None:
        self._definitions = make_definitions(freg, names)
        self._freg = freg
        self.instance = instance
        self._home = home
        self.names = names
        self._origin = cache(partial(origin_of, instance, sensors=_sensors(self._definitions)))

    def add(self, kind: str, key: str) -> None:
        """Make a partition of one of the kinds known."""
        with alone(self._home):
            self.instance.add_dynamic_partitions(self.names.of(kind), [key])

    def land(self, name: str, batches: Sequence[int]) -> None:
        """Take batches of an uttrekk from identifiers to tables, in as few runs as may be.

        Args:
            name: the uttrekk's.
            batches: which, ascending.
        """
        for group in grouped(batches, max(1, len(batches))):
            key = batches_partition(name, group)
            self.add(UTTREKK_BATCH, key)
            self.run("land_batch", key)

    def run(
        self,
        job: str,
        partition: str | None = None,
        config: Mapping[str, Any] | None = None,
        uttrekk: str | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Run a job, for a partition where its assets have any.

        Args:
            job: its name, without a prefix.
            partition: which.
            config: of its assets, by their names, without a prefix.
            uttrekk: whose run it is; by default the partition's.

        Raises:
            FregError: as the asset raised it.
        """
        of = uttrekk or (partition or "").split("/")[0]
        named = self.names.of(job)
        with (
            redirect_stderr(cast(TextIO, _WithoutRecords(sys.stderr))),
            placed(self.instance, self._origin(named)),
        ):
            try:
                result = self._definitions.resolve_job_def(named).execute_in_process(
                    run_config={**_QUIET, **self.names.config(config or {})},
                    instance=self.instance,
                    partition_key=partition,
                    tags={self.names.tag("uttrekk"): of} if of else None,
                )
            except FregFailure as failed:
                raise failed.error from None
        if self._home is not None and not os.environ.get("DAGSTER_HOME"):
            tidy_by_the_way(self.instance, self._freg, self.names, self._ours, self._home)
        return result

    def tidy(self, *, dry_run: bool = False) -> int:
        """Remove Dagster's old runs with what is recorded of them; how many there are.

        Args:
            dry_run: only count them.
        """
        if dry_run:
            return count_old(self.instance, self._freg, self.names, self._ours())
        return tidy(self.instance, self._freg, self.names, self._ours(), NIGHT_SECONDS).runs

    def _ours(self) -> OurRecords:
        origin = self._origin(self.names.of("purge_runs"))
        return OurRecords.of(self._definitions, origin.repository_origin.get_label())


def _sensors(definitions: dg.Definitions) -> set[str]:
    return {one.name for one in definitions.sensors or ()}


class _WithoutRecords:
    """stderr without the records that Dagster prints when it can't keep them.

    Whoever ran the job gets the error itself, and tells it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, unless it is such a record."""
        if text.startswith("Exception while writing logger call to event log"):
            return len(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def open_engine(freg: Freg) -> Iterator[Engine]:
    """An engine with DAGSTER_HOME's instance; else the store's own; for S3 one without memory.

    Raises:
        ConfigurationError: DAGSTER_HOME, the folder's dagster.yaml or FREG_KEY_PREFIX is wrong.
        StoreError: its folder can't be written.
    """
    names = Names.of_prefix(freg.settings.key_prefix)
    with begin_records(freg) as (instance, home):
        yield Engine(freg, instance, home, names)


def tidy_records(freg: Freg, *, dry_run: bool) -> int:
    """As :meth:`Engine.tidy`, of whatever records there are here; 0: there are none."""
    with open_records(freg) as instance:
        if instance is None:
            return 0
        names = Names.of_prefix(freg.settings.key_prefix)
        return Engine(freg, instance, names=names).tidy(dry_run=dry_run)
