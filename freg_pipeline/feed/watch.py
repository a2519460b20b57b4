"""Whether something has happened, and waiting for it: one cheap call at a time."""

from __future__ import annotations

import asyncio
import logging
import time

from freg_pipeline.client import Register
from freg_pipeline.errors import PassingError, TooOldError
from freg_pipeline.feed.position import last_number
from freg_pipeline.journal.manifest import Facts
from freg_pipeline.settings import Settings

CHECKED_EVERY = 600.0  # seconds until the register's last number is looked at, too
logger = logging.getLogger(__name__)


async def has_news(register: Register, settings: Settings, current: Facts) -> bool:
    """Whether the event list holds something that a release doesn't contain.

    The register's last number alone doesn't tell: it may be that of an event that the package of
    rights doesn't see.

    Raises:
        BegunAnewError: the register is behind the release.
        RefusedError, PassingError: as for every request.
    """
    if await last_number(register, current) <= current.sekvensnummer:
        return False
    from freg_pipeline.feed.pages import ask  # with what keeps them; mostly nothing is new

    try:
        page = await ask(register, settings.answer_format, current.sekvensnummer)
    except TooOldError:  # there is so much that the list no longer reaches back
        return True
    return page is None or bool(page.entries)


async def wait_for_events(register: Register, settings: Settings, current: Facts) -> None:
    """Wait until the event list holds something that a release doesn't contain.

    Each question tells the register which page we have, so that one with nothing new in it isn't
    sent again (304). Its last number is asked for from time to time, since a list that was reset
    has nothing new for a long time. A register that can't be reached is asked again later.

    Args:
        register: whom to ask.
        settings: how often.
        current: the release.

    Raises:
        BegunAnewError: the register is behind the release.
        TooOldError: the event list no longer reaches back to the position.
        RefusedError: the register said no.
    """
    from freg_pipeline.feed.pages import ask

    etag: str | None = None
    check_at = time.monotonic() + CHECKED_EVERY
    while True:
        await asyncio.sleep(settings.follow_seconds)
        try:
            page = await ask(register, settings.answer_format, current.sekvensnummer, etag)
            if (page is not None and not page.entries) or time.monotonic() >= check_at:
                check_at = time.monotonic() + CHECKED_EVERY
                await last_number(register, current)
        except PassingError as error:
            logger.warning("%s", error)
            continue
        if page is not None:
            if page.entries:
                return
            etag = page.etag
