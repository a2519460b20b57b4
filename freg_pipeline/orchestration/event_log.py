"""Dagster's events in one SQLite file, where it would make a file of 115 kB for each run.

An instance's dagster.yaml names it (docs/decisions/0061-records-that-stay-small.md). Those who keep
Dagster's records on PostgreSQL have no use for it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any, Self

from dagster import DagsterInstance
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._serdes import ConfigurableClassData


class EventsInOneFile(ConsolidatedSqliteEventLogStorage):
    """Dagster's own storage of that kind, in its instance's folder, wherever that is.

    Dagster's has to be told a folder, and one that is found by DAGSTER_HOME isn't there for those
    who work without it (``dagster dev``, our command). Processes that begin at once make one file.

    Args:
        inst_data: what dagster.yaml says of it.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data  # the rest once there is an instance

    def register_instance(self, instance: DagsterInstance) -> None:
        """Open the file of an instance; it is made if there is none."""
        folder = Path(instance.root_directory) / "history"
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)  # let go when it is closed, or its process dies
            super().__init__(str(folder), self._inst_data)
        finally:
            os.close(opened)
        super().register_instance(instance)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing is configured."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: object
    ) -> Self:
        """As Dagster makes it."""
        del config_value
        return cls(inst_data)
