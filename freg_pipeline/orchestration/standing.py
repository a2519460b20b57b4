"""How everything stands, in one look: what is late, has failed or waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from freg_pipeline.alerts.attention import late
from freg_pipeline.alerts.incidents import Sign
from freg_pipeline.client import Register
from freg_pipeline.errors import FregError
from freg_pipeline.feed.lag import Lag, measure_lag
from freg_pipeline.feed.position import last_number
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import current_release
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.failing import Ours
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.records import open_records
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.trouble import ALL, at_register, look


@dataclass(frozen=True)
class Standing:
    """How everything stands.

    Attributes:
        release: the current one; None: there is none yet.
        lag: how far it is behind the register; None: that wasn't asked, or can't be.
        has_records: whether Dagster's records could be looked at: what failed is known by them.
        signs: what is wrong, the oldest first.
    """

    release: Manifest | None
    lag: Lag | None
    has_records: bool
    signs: list[Sign]


def how_it_stands(freg: Freg, *, ask: bool = True) -> Standing:
    """Look at the store, at Dagster's records, and at the register's last event.

    Args:
        freg: settings, store and register.
        ask: whether the register is asked how far the release is behind.

    Raises:
        FregError: the store or Dagster's records can't be opened.
    """
    now, current = datetime.now(UTC), current_release(freg.store)
    names = Names.of_prefix(freg.settings.key_prefix)
    ours = Ours.of(names, make_definitions(freg, names))
    signs: list[Sign] = []
    lag = None
    if current is None:
        what = "there is no release yet"
        signs.append(Sign("release", what, "Make a full load: freg uttrekk komplett", now))
    elif ask:
        try:
            lag = _lag(freg, current)
        except FregError as error:
            what = f"how far the release is behind can't be asked: {error.what}"
            signs.append(Sign("register", what, error.remedy, now))
    with open_records(freg) as instance:
        signs += look(instance, ours, freg, ALL - {"late"}).signs
        since = at_register(instance, ours, current) if current is not None else None
    if lag is not None and (lag.minutes or not lag.events):  # else nobody tells since when
        since = now - timedelta(minutes=lag.minutes)
    signs += late(current, freg.settings, since, now)
    return Standing(current, lag, instance is not None, sorted(signs, key=lambda one: one.at))


def _lag(freg: Freg, current: Manifest) -> Lag:
    """How far it is behind. Raises BegunAnewError: the register is, as after a reset."""
    form = freg.settings.answer_format

    async def measured(register: Register) -> Lag:
        lag = await measure_lag(register, current, form)
        if not lag.events:  # nothing new, or nothing up to there: the number tells which
            await last_number(register, current)
        return lag

    return freg.ask(measured, waits=False)
