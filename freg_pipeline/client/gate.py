"""How many look-ups are under way at once: fewer when the register labours, then more again.

A 429, or an answer slower than the register promises, halves the number; each good answer adds a
share of one, so that a whole round of good answers adds one (as TCP does it).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from freg_pipeline.errors import PassingError, ThrottledError

logger = logging.getLogger(__name__)

SLOW_SECONDS = 10.0  # look-ups are expected under this


class Gate:
    """Lets so many through at once.

    Args:
        most: never more than this.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._width = float(most)
        self._inside = 0
        self._narrowed = 0.0
        self._changed = asyncio.Condition()

    @property
    def width(self) -> int:
        """How many may be inside now."""
        return int(self._width)

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """Be inside; waits for room."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._inside < self.width)
            self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            async with self._changed:
                self._changed.notify_all()

    def tell(self, began: float, error: PassingError | None) -> None:
        """Tell how a request ended that began at ``began`` (monotonic clock).

        What began before the last narrowing says nothing about the width since.
        """
        now = time.monotonic()
        throttled = isinstance(error, ThrottledError)
        if not throttled and now - began <= SLOW_SECONDS:
            if error is None and self._width < self._most:
                self._widen()
        elif began >= self._narrowed and self._width > 1:
            self._width = max(1.0, self._width / 2)
            self._narrowed = now
            logger.info(
                "the register %s: %d look-ups at once from now on",
                "asked us to slow down" if throttled else "answers slowly", self.width,
            )  # fmt: skip

    def _widen(self) -> None:
        self._width = min(self._most, self._width + 1 / self._width)
        if self._width == self._most:
            logger.info("the register keeps up: %d look-ups at once again", self.width)
