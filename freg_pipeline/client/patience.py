"""What is tried again, when, and for how long.

* Passing faults (5xx, lost connections, answers cut short, answers that are no JSON) are tried
  again with exponential waits and jitter, a few times.
* A register that is away (nothing answers, 502, 503, 504) is waited for: as long as a passing
  fault, or for hours, where whoever asks does long work.
* 429 is no fault: the request waits as long as the register says, and longer the more often it is
  told to.
* Whatever is asked for, the usual wait is the least.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

from freg_pipeline.client.html import PageError
from freg_pipeline.errors import AwayError, PassingError, ThrottledError, UnreachableError

logger = logging.getLogger(__name__)

FAULTS = 8  # tries against passing faults: about half a minute of waiting in all
PAGE_TRIES = 3  # an HTML page may be the firewall's mood
FIRST_CONTACT_SECONDS = 4.0  # an address where nothing has ever answered is given up soon
TOLD_AFTER_SECONDS = 3.0  # an outage as long as this is worth a line
THROTTLED_SECONDS = 15 * 60.0  # how long one request may be held back by 429
DEADLINE_SECONDS = 30 * 60.0  # after so long no further try begins, outages apart
FIRST_WAIT, LONGEST_WAIT, JITTER = 0.2, 20.0, 0.5  # seconds


class Outage:
    """What all requests of a connection share about a register that is away: one line tells it.

    Args:
        hours: how long it is waited for.
    """

    def __init__(self, hours: float = 0.0) -> None:
        self.seconds = hours * 3600
        self._since: float | None = None

    def goes_on(self, error: AwayError, seconds: float) -> None:
        """Say that it is waited for, once, when it has lasted so many seconds."""
        if self._since is None and self.seconds and seconds >= TOLD_AFTER_SECONDS:
            self._since = time.monotonic() - seconds
            hours = self.seconds / 3600
            logger.warning(
                "%s; waiting for the register, up to %g hours (FREG_WAIT_HOURS)", error.what, hours
            )

    def ends(self) -> None:
        """Say that it is over, where it was told."""
        if self._since is not None:
            lasted, self._since = time.monotonic() - self._since, None
            logger.warning("the register answers again, after %.0f s", lasted)


class Patience:
    """What is tried again, and for how long.

    Args:
        faults: tries against passing faults.
        throttled_seconds: how long 429 may hold one request back.
        deadline_seconds: from the first try on, after which no other begins; outages apart.
        waits: whether a register that is away is waited for; else it is a fault like others.
    """

    def __init__(
        self,
        *,
        faults: int = FAULTS,
        throttled_seconds: float = THROTTLED_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
        waits: bool = True,
    ) -> None:
        self.faults = faults
        self.throttled_seconds = throttled_seconds
        self.deadline_seconds = deadline_seconds
        self.waits = waits

    def start(
        self, reached: Callable[[], bool], outage: Outage
    ) -> Callable[[Exception], bool | float]:
        """Return the decision for one request: no, or yes after so many seconds.

        Args:
            reached: whether anything ever answered at the address.
            outage: how long a register that is away is waited for.
        """
        return _Tries(self, reached, outage)


class _Tries:
    """One request's tries so far."""

    def __init__(self, patience: Patience, reached: Callable[[], bool], outage: Outage) -> None:
        self._patience = patience
        self._reached = reached
        self._outage = outage
        self._began = time.monotonic()  # the first try, or the last one of an outage
        self._away_since: float | None = None
        self._number = 0
        self._faults = 0
        self._pages = 0

    def __call__(self, error: Exception) -> bool | float:
        asked = (error.retry_after or 0.0) if isinstance(error, PassingError) else 0.0
        if not self._again(error, asked):
            return False
        # Up to half more at random, so that a crowd that was turned away doesn't come back as one.
        wait = max(asked * random.uniform(1, 1.5), self._usual_wait())  # noqa: S311
        logger.info("trying again in %.1f s: %s", wait, getattr(error, "what", error))
        return wait

    def _usual_wait(self) -> float:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._number, 16))
        self._number += 1
        return wait + random.uniform(0, JITTER)  # noqa: S311

    def _again(self, error: Exception, asked: float) -> bool:
        now = time.monotonic()
        if isinstance(error, AwayError) and self._patience.waits and self._outage.seconds:
            return self._wait_for_it(error, now, asked)
        until = now - self._began + asked
        if until >= self._patience.deadline_seconds:
            return False
        if isinstance(error, ThrottledError):
            return until < self._patience.throttled_seconds
        if isinstance(error, PassingError):
            if error.is_tried_out:
                return False
            self._faults += 1
            return self._faults < self._patience.faults
        if isinstance(error, PageError):
            self._pages += 1
            return self._pages < min(PAGE_TRIES, self._patience.faults)
        first = isinstance(error, UnreachableError) and not self._reached()
        return first and until < FIRST_CONTACT_SECONDS

    def _wait_for_it(self, error: AwayError, now: float, asked: float) -> bool:
        if self._away_since is None:
            self._away_since = now
        self._began = now  # what comes after the outage has its own time
        lasted = now - self._away_since
        self._outage.goes_on(error, lasted)
        return lasted + asked < self._outage.seconds
