"""How old what a release holds is: the last full load, and the last change on top of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from freg_pipeline.journal.manifest import Manifest


@dataclass(frozen=True)
class Freshness:
    """When what a release holds was asked for.

    Attributes:
        full_load: when the uttrekk that all of it began with was ordered. What the register has
            changed since without an event isn't in it.
        uttrekk: that uttrekk's name.
        synced: when the release was published; with deltas, that of the last sync.
    """

    full_load: datetime
    uttrekk: str
    synced: datetime

    def days(self, now: datetime | None = None) -> float:
        """Days since the full load."""
        return ((now or datetime.now(UTC)) - self.full_load).total_seconds() / 86_400


def freshness(manifest: Manifest) -> Freshness:
    """How old what a release holds is."""
    return Freshness(manifest.base.ordered, manifest.base.uttrekk, manifest.created)


def freshness_line(manifest: Manifest) -> str:
    """The same in words."""
    told = freshness(manifest)
    return (
        f"Last full load {told.full_load:%Y-%m-%d %H:%M} UTC ({told.days():.0f} days ago, "
        f"{told.uttrekk}), last release {told.synced:%Y-%m-%d %H:%M} UTC"
    )
