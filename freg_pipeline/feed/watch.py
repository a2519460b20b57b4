"""Wait for something to happen: one cheap call at a time."""

from __future__ import annotations

import asyncio
import logging

from freg_pipeline.client import Register
from freg_pipeline.errors import PassingError
from freg_pipeline.feed.pages import ask
from freg_pipeline.settings import Settings

logger = logging.getLogger(__name__)


async def wait_for_events(register: Register, settings: Settings, position: int) -> None:
    """Wait until the event list holds something after a position.

    Each question tells the register which page we have, so that one with nothing new in it isn't
    sent again (304). A register that can't be reached is asked again later.

    Args:
        register: whom to ask.
        settings: how often.
        position: of the release.

    Raises:
        TooOldError: the event list no longer reaches back to the position.
        RefusedError: the register said no.
    """
    etag: str | None = None
    while True:
        await asyncio.sleep(settings.follow_seconds)
        try:
            page = await ask(register, settings.answer_format, position, etag)
        except PassingError as error:
            logger.warning("%s", error)
            continue
        if page is not None:
            if page.entries:
                return
            etag = page.etag
