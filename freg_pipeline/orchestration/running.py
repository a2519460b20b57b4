"""Which sensors and schedules run from the start; the others are turned on on Dagster's page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import dagster as dg

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import showable


@dataclass(frozen=True)
class Running:
    """What runs from the start.

    Attributes:
        names: of sensors and schedules, without a prefix.
    """

    names: Collection[str]

    @classmethod
    def of(cls, names: str | Collection[str]) -> Self:
        """These, or one.

        Raises:
            ConfigurationError: those are no names.
        """
        if isinstance(names, str):
            return cls((names,))
        listed = isinstance(names, list | tuple | set | frozenset)  # a mapping might say False
        if not listed or not all(isinstance(name, str) for name in names):
            raise ConfigurationError(
                "what runs from the start isn't a list of names",
                'Write the names of sensors and schedules: ["uttrekk_sensor", "purge_releases"]',
            )
        return cls(tuple(names))

    def require_known(self, known: Collection[str]) -> None:
        """See that each of them is known.

        Raises:
            ConfigurationError: one isn't.
        """
        unknown = sorted(set(self.names) - set(known))
        if unknown:
            raise ConfigurationError(
                f"there is no sensor or schedule {showable(unknown[0])}",
                f"There are {', '.join(sorted(known))}",
            )

    def sensor(self, name: str) -> dg.DefaultSensorStatus:
        """Whether that sensor does."""
        status = dg.DefaultSensorStatus
        return status.RUNNING if name in self.names else status.STOPPED

    def schedule(self, name: str) -> dg.DefaultScheduleStatus:
        """Whether that schedule does."""
        status = dg.DefaultScheduleStatus
        return status.RUNNING if name in self.names else status.STOPPED


# Each sync is a run that makes a release: unpurged, both would fill the disk. Between two full
# loads nothing else checks all rows. And what a lost run was at would wait for a day.
BY_DEFAULT = Running(
    ("purge_releases", "purge_old_runs", "nightly_table_checks", "lost_runs_sensor")
)
