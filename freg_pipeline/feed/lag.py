"""How far a release is behind the register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from freg_pipeline.client import Register
from freg_pipeline.errors import TooOldError
from freg_pipeline.feed.pages import Form, ask
from freg_pipeline.feed.position import last_number
from freg_pipeline.feed.tables import times_of
from freg_pipeline.journal.manifest import Manifest


@dataclass(frozen=True)
class Lag:
    """How far a position is behind the register.

    Attributes:
        events: events that come after it, at the most: numbers have gaps.
        minutes: since the first of them was recorded; 0 where there is none, or nobody tells.
    """

    events: int
    minutes: float


async def measure_lag(register: Register, current: Manifest, form: Form) -> Lag:
    """How far a release is behind the register now; one call where it isn't, else two.

    Raises:
        BegunAnewError: the register is behind the release.
        RefusedError, PassingError: as for every request.
    """
    position = current.sekvensnummer
    try:
        page = await ask(register, form, position)
    except TooOldError:  # nobody tells any more when the first of them was
        return Lag(await last_number(register, current) - position, 0.0)
    if page is None or not page.entries:
        return Lag(0, 0.0)
    last = await last_number(register, current)
    recorded = times_of(page.entries[:1])[0].as_py()
    waiting = 0.0 if recorded is None else (datetime.now(UTC) - recorded).total_seconds() / 60
    return Lag(max(last - position, len(page.entries)), max(0.0, round(waiting, 1)))
