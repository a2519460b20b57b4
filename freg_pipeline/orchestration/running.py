"""Which sensors and schedules run from the start; the others are turned on on Dagster's page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True)
class Running:
    """What runs from the start.

    Attributes:
        names: of sensors and schedules, without a prefix.
    """

    names: Collection[str]

    def sensor(self, name: str) -> dg.DefaultSensorStatus:
        """Whether that sensor does."""
        status = dg.DefaultSensorStatus
        return status.RUNNING if name in self.names else status.STOPPED

    def schedule(self, name: str) -> dg.DefaultScheduleStatus:
        """Whether that schedule does."""
        status = dg.DefaultScheduleStatus
        return status.RUNNING if name in self.names else status.STOPPED


# Each sync makes a release: unpurged they would fill the store.
BY_DEFAULT = Running(("purge_releases",))
