"""What the store tells needs a person: an uttrekk that waits for one, a release that is late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from freg_pipeline.advance import Ask, Poll, next_steps, standing_of
from freg_pipeline.alerts.incidents import Sign
from freg_pipeline.errors import FregError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.freshness import freshness
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store

# An order is uncertain while its answer is awaited, too: only one that stays so needs anybody.
ORDER_PATIENCE = timedelta(minutes=15)


def waiting(store: Store, settings: Settings, now: datetime | None = None) -> list[Sign]:
    """The uttrekk that no program carries on: a person decides, or the register stays silent.

    Args:
        store: whose.
        settings: how long a batch may be waited for.
        now: when (UTC).
    """
    now = now or datetime.now(UTC)
    return [
        sign
        for uttrekk in Uttrekk.list_open(store)
        if (sign := _waits(uttrekk, settings, now)) is not None
    ]


def _waits(uttrekk: Uttrekk, settings: Settings, now: datetime) -> Sign | None:
    name, begun = uttrekk.name, uttrekk.request.created
    try:
        steps = next_steps(standing_of(uttrekk))
        for step in steps:
            if isinstance(step, Ask):
                raise step.error
    except FregError as error:  # of what is damaged, too
        what = f"the uttrekk {name} waits for a person: {error.what}"
        return Sign(f"waiting/{name}", what, error.remedy, now, patience=ORDER_PATIENCE)
    limit = timedelta(hours=settings.poll_timeout_hours)
    if Poll(0) in steps and now - begun > limit:
        what = (
            f"the uttrekk {name} has waited for its first batch for longer than "
            f"{_hours(limit)} (FREG_POLL_TIMEOUT_HOURS)"
        )
        remedy = f"Ask the register's staff, or give it up: freg uttrekk abandon {name}"
        return Sign(f"waiting/{name}", what, remedy, begun + limit)
    return None


def late(
    manifest: Manifest | None,
    settings: Settings,
    at_register: datetime | None = None,
    now: datetime | None = None,
) -> Iterator[Sign]:
    """What of the current release is late, by FREG_LATE_SYNC_HOURS and FREG_LATE_FULL_LOAD_DAYS.

    Args:
        manifest: the current release; None: there is none yet, and nothing is late.
        settings: the limits.
        at_register: when it was last at the register's last event; by default when it was
            published.
        now: when (UTC).
    """
    if manifest is None:
        return
    now = now or datetime.now(UTC)
    told = freshness(manifest)
    limit = timedelta(hours=settings.late_sync_hours)
    due = (at_register or told.synced) + limit
    if limit and due < now:
        what = (
            f"the release {manifest.number} has not been brought up to the register for longer "
            f"than {_hours(limit)} (FREG_LATE_SYNC_HOURS)"
        )
        remedy = "See that hendelser_sensor is on, or run freg hendelser sync"
        yield Sign("late/sync", what, remedy, due)
    limit = timedelta(days=settings.late_full_load_days)
    due = told.full_load + limit
    if limit and due < now:
        what = (
            f"the last full load, {told.uttrekk}, is older than {limit.days} days "
            "(FREG_LATE_FULL_LOAD_DAYS)"
        )
        remedy = "Agree a new one with the register's staff, or see by freg release spot-check"
        yield Sign("late/full_load", what, remedy, due)


def _hours(limit: timedelta) -> str:
    return f"{limit.total_seconds() / 3600:g} hours"
