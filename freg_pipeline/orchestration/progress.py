"""How far long work is, logged: a line now and then, and none where it is soon done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

Told = Callable[[int], None]  # told how many more are done
Progress = Callable[[str, int], Told]  # begins something of so many steps

PAUSE_SECONDS = 15.0  # at the least until the first line, and between two of them
SHARE = 0.05  # of the work, at the least between two of them,
LONGEST_PAUSE = 600.0  # unless so long has passed


def no_progress(what: str, total: int) -> Told:
    """Tell nobody."""
    del what, total
    return lambda _: None


def logged(progress: Progress) -> Progress:
    """The same, and a line is logged now and then."""

    def begin(what: str, total: int) -> Told:
        told, steps = progress(what, total), _Steps(what, total)

        def more(count: int) -> None:
            told(count)
            steps.add(count)

        return more

    return begin


class _Steps:
    """How many of them are done, and when a line last said so."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = self._said = 0
        self._began = self._spoke = time.monotonic()

    def add(self, count: int) -> None:
        """So many more."""
        self._done += count
        now = time.monotonic()
        since, more = now - self._spoke, self._done - self._said
        is_worth_it = more >= self._total * SHARE or since >= LONGEST_PAUSE
        if since >= PAUSE_SECONDS and is_worth_it:
            self._spoke, self._said = now, self._done
            logger.info(
                "%s: %s of %s (%.0f %%), %s a second",
                self._what, f"{self._done:,}", f"{self._total:,}",
                100 * self._done / max(self._total, 1), f"{self._done / (now - self._began):,.0f}",
            )  # fmt: skip
