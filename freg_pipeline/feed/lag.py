"""How far a release is behind the register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from freg_pipeline.client import Register
from freg_pipeline.errors import TooOldError
from freg_pipeline.feed.pages import Form, ask
from freg_pipeline.feed.tables import times_of


@dataclass(frozen=True)
class Lag:
    """How far a position is behind the register.

    Attributes:
        events: events that come after it, at the most: numbers have gaps.
        minutes: since the first of them was recorded; 0 where there is none, or nobody tells.
    """

    events: int
    minutes: float


async def measure_lag(register: Register, position: int, form: Form) -> Lag:
    """How far a position is behind the register now; one call where it isn't, else two.

    Raises:
        RefusedError, PassingError: as for every request.
    """
    try:
        page = await ask(register, form, position)
    except TooOldError:  # nobody tells any more when the first of them was
        return Lag(await register.hendelser.siste_sekvensnummer() - position, 0.0)
    if page is None or not page.entries:
        return Lag(0, 0.0)
    last = await register.hendelser.siste_sekvensnummer()
    recorded = times_of(page.entries[:1])[0].as_py()
    waiting = 0.0 if recorded is None else (datetime.now(UTC) - recorded).total_seconds() / 60
    return Lag(max(last - position, len(page.entries)), max(0.0, round(waiting, 1)))
