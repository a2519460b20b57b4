"""Which earlier states there are, and which one a number or a date asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.lake.norwegian import ZONE
from freg_pipeline.store import Store

NORWAY = ZoneInfo(ZONE)
AsOf = int | datetime  # a position of the event list, or a moment with its zone


class Position(NamedTuple):
    """A position of the event list whose state is kept, and when the register had recorded it."""

    sekvensnummer: int
    recorded: datetime


def asked_for(text: str) -> AsOf:
    """What somebody asks for: a number, a date (until its end, in Norway), or a time.

    Raises:
        ValueError: it is none of these.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    if len(text) <= len("2026-01-31"):
        moment = datetime.combine(moment, time.max)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=NORWAY)).astimezone(NORWAY)
    except OverflowError:  # of the calendar's first or last day, as seen from another zone
        raise ValueError(text) from None


def earlier(store: Store) -> list[Manifest]:
    """The releases that show earlier states, the oldest first.

    Those of the current one's kind: a list's release is no earlier state of everyone's.

    Raises:
        ConfigurationError: there is no release yet.
    """
    kind = require_current(store).kind
    return [one for one in list_releases(store) if one.kind == kind]


def position_at(releases: Sequence[Manifest], asked: AsOf) -> Position:
    """The latest position up to what is asked for whose state is kept.

    Args:
        releases: as :func:`earlier` gives them.
        asked: up to which position; or when it must have been recorded.

    Raises:
        ConfigurationError: there is none; tells which ones there are.
    """
    known = sorted(
        {
            Position(*pair)
            for one in releases
            for pair in zip(one.positions(), one.recorded(), strict=True)
        }
    )
    if isinstance(asked, int):
        there = [one for one in known if one.sekvensnummer <= asked]
        words = [f"sequence number {asked}", *(str(one.sekvensnummer) for one in known)]
    else:
        there = [one for one in known if one.recorded <= asked]
        words = [local(asked), *(local(one.recorded) for one in known)]
    if not there:
        raise ConfigurationError(
            f"no state as of {words[0]} is kept; the states kept are from {words[1]} to "
            f"{words[-1]}",
            "See freg release list",
        )
    return there[-1]


def state_at(releases: Sequence[Manifest], shown: Position) -> Manifest:
    """The newest release that shows the state at a position, as it was then.

    Args:
        releases: as :func:`earlier` gives them.
        shown: as :func:`position_at` gives it.
    """
    there = (one for one in releases if shown.sekvensnummer in one.positions())
    return max(there, key=lambda one: one.number).at(shown.sekvensnummer)


def local(moment: datetime) -> str:
    """A moment as Norway's clocks had it."""
    return f"{moment.astimezone(NORWAY):%Y-%m-%d %H:%M}"


def told(asked: AsOf, shown: Position) -> str | None:
    """Which state is shown, in words, where it isn't exactly the one asked for."""
    if asked == shown.sekvensnummer:
        return None
    return (
        f"This is the state at sequence number {shown.sekvensnummer}, which the register had "
        f"recorded by {local(shown.recorded)}: the latest one kept up to "
        f"{asked if isinstance(asked, int) else local(asked)}"
    )
