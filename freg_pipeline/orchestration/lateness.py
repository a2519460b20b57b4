"""Freshness policies of the assets that readers see, by the settings.

Two things may be late, and an asset has one policy. ``hendelser`` tells whether the release is
kept current: it is materialised by each sync, and each half hour in which nothing is new
(docs/decisions/0020). The tables, the release and the catalogue change only when something has
happened to them, so that a quiet table isn't a late one: theirs tells that nothing has brought them
in for longer than a full load may be old.
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from freg_pipeline.orchestration.resources import Freg


class Policies:
    """The policies that the settings give. Wrong settings, told by whatever uses them, give none.

    Args:
        freg: whose settings.
    """

    def __init__(self, freg: Freg) -> None:
        self._settings = freg.settings_now()

    @property
    def of_syncs(self) -> dg.FreshnessPolicy | None:
        """How late a sync may be (FREG_LATE_SYNC_HOURS); warns at a third of it."""
        limit = timedelta(hours=self._settings.late_sync_hours if self._settings else 0)
        return _within(limit, limit / 3)

    @property
    def of_tables(self) -> dg.FreshnessPolicy | None:
        """How old what readers see may be (FREG_LATE_FULL_LOAD_DAYS); warns at nine tenths."""
        limit = timedelta(days=self._settings.late_full_load_days if self._settings else 0)
        return _within(limit, limit * 0.9)


_SHORTEST = timedelta(minutes=1)  # that Dagster takes


def _within(fail: timedelta, warn: timedelta) -> dg.FreshnessPolicy | None:
    if fail < _SHORTEST:
        return None
    return dg.FreshnessPolicy.time_window(
        fail_window=fail, warn_window=warn if warn >= _SHORTEST else None
    )
