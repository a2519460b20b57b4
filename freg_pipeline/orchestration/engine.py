"""Run jobs of the code location in this process.

Runs are recorded with the store's own Dagster instance, so that their history can be seen later.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.partitions import UTTREKK_BATCH, batch_partition
from freg_pipeline.orchestration.resources import Freg

# Dagster's own log goes to its instance; a command prints its own lines.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Engine:
    """Runs jobs, one after the other.

    Args:
        freg: settings, store and register of the code location.
        instance: where runs are recorded.
    """

    def __init__(self, freg: Freg, instance: DagsterInstance) -> None:
        self._definitions = make_definitions(freg)
        self._instance = instance

    def add(self, partitions: dg.DynamicPartitionsDefinition, key: str) -> None:
        """Make a partition known."""
        self._instance.add_dynamic_partitions(partitions.name or "", [key])

    def land(self, name: str, batch: int) -> None:
        """Take one batch of an uttrekk from identifiers to tables."""
        key = batch_partition(name, batch)
        self.add(UTTREKK_BATCH, key)
        self.run("land_batch", key)

    def run(
        self, job: str, partition: str | None = None, config: Mapping[str, Any] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run a job, for a partition where its assets have any.

        Raises:
            FregError: as the asset raised it.
        """
        ops = {name: {"config": dict(given)} for name, given in (config or {}).items()}
        return self._definitions.resolve_job_def(job).execute_in_process(
            run_config={**_QUIET, "ops": ops},
            instance=self._instance,
            partition_key=partition,
            tags={"freg/uttrekk": partition.split("/")[0]} if partition else None,
        )


@contextmanager
def open_engine(freg: Freg) -> Iterator[Engine]:
    """An engine with DAGSTER_HOME's instance; else the store's own; for S3 one without memory."""
    with _instance(freg) as instance:
        yield Engine(freg, instance)


def _instance(freg: Freg) -> DagsterInstance:
    if os.environ.get("DAGSTER_HOME"):
        return DagsterInstance.get()
    if freg.settings.store.startswith("s3://"):
        return DagsterInstance.ephemeral()
    home = Path(freg.settings.store) / "dagster"
    freg.store.write("dagster/README.md", _NOTE.encode())  # also makes the folder, privately
    overrides = None if (home / "dagster.yaml").exists() else {"telemetry": {"enabled": False}}
    return DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides))


_NOTE = """Dagster's records of what ran. Set DAGSTER_HOME to this folder to see them on its page.
"""
