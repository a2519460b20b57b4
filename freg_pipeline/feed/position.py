"""The register's last number, and what is held against it: releases, and pages of events.

A copy of the register that lags behind may tell a number that is a little too low: one that doesn't
fit is asked for again before anything is refused.
"""

from __future__ import annotations

import asyncio

from freg_pipeline.client import Register
from freg_pipeline.errors import ConfigurationError, PassingError
from freg_pipeline.journal.manifest import Facts

TRIES = 3
FIRST_PAUSE = 1.0  # seconds; twice as long after each try


class BegunAnewError(ConfigurationError):
    """The register's event list ends before the release does: it isn't the list that made it."""


class BeyondTheEndError(PassingError):
    """A page holds an event that comes after the register's last one."""


async def last_number(register: Register, current: Facts) -> int:
    """The number of the register's last event, which a release doesn't exceed.

    Raises:
        BegunAnewError: it does. Read on from there, the events until then would be lost unseen.
        RefusedError, PassingError: as for every request.
    """
    last = await _at_least(register, current.sekvensnummer)
    if last < current.sekvensnummer:
        raise BegunAnewError(
            f"the register's last event is number {last:,}, and release {current.number} is at "
            f"{current.sekvensnummer:,}: the register was restored from a backup or reset, "
            f"or another one answers at {register.base_url}",
            "Check FREG_BASE_URL and FREG_ENVIRONMENT; if it is the right register, make "
            f"a new release: freg uttrekk {current.kind}",
        )
    return last


async def require_within(register: Register, number: int) -> int:
    """See that an event's number isn't beyond the register's last one, which is returned.

    Raises:
        BeyondTheEndError: it is. A release that took it for its position would be up to date for
            good.
        RefusedError, PassingError: as for every request.
    """
    last = await _at_least(register, number)
    if last < number:
        raise BeyondTheEndError(
            f"hendelser/feed told an event of number {number:,}, and the register's last one is "
            f"{last:,}; nothing of that page was kept",
            "Run the same command again later; if it persists, tell the register's staff",
        )
    return last


async def _at_least(register: Register, number: int) -> int:
    """The register's last number, asked for again while it is lower than it should be."""
    pause = FIRST_PAUSE
    for _ in range(TRIES - 1):
        last = await register.hendelser.siste_sekvensnummer()
        if last >= number:
            return last
        await asyncio.sleep(pause)
        pause *= 2
    return await register.hendelser.siste_sekvensnummer()
