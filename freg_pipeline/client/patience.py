"""What is tried again, when, and for how long.

Passing faults (5xx, lost connections, answers cut short, answers that are no JSON) are tried again
with exponential waits and jitter, within a bound. 429 is no fault: the request waits as long as the
register says, and longer for as long as it is told to. Nothing goes on beyond a deadline.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

from freg_pipeline.client.answers import FirewallError, ThrottledError
from freg_pipeline.errors import PassingError, UnreachableError

logger = logging.getLogger(__name__)

FAULTS = 8  # tries against passing faults: about a minute of waiting in all
FIREWALL_TRIES = 3
FIRST_CONTACT_SECONDS = 4.0  # an address where nothing has ever answered is given up soon
THROTTLED_SECONDS = 15 * 60.0  # how long one request may be held back by 429
DEADLINE_SECONDS = 30 * 60.0  # after so long no further try begins, whatever the reason


class Patience:
    """What is tried again, and for how long.

    Args:
        faults: tries against passing faults.
        throttled_seconds: how long 429 may hold one request back.
        deadline_seconds: from the first try on, after which no other begins.
    """

    def __init__(
        self,
        *,
        faults: int = FAULTS,
        throttled_seconds: float = THROTTLED_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._faults = faults
        self._throttled_seconds = throttled_seconds
        self._deadline_seconds = deadline_seconds

    def start(self, reached: Callable[[], bool]) -> Callable[[Exception], bool | float]:
        """Return the decision for one request: no, yes, or yes after so many seconds.

        Args:
            reached: whether anything ever answered at the address.
        """
        started = time.monotonic()
        tries = {PassingError: 0, FirewallError: 0}

        def again(error: Exception, until: float) -> bool:
            if isinstance(error, ThrottledError):
                return until < self._throttled_seconds
            if isinstance(error, PassingError):
                tries[PassingError] += 1
                return tries[PassingError] < self._faults
            if isinstance(error, FirewallError):
                tries[FirewallError] += 1
                return tries[FirewallError] < min(FIREWALL_TRIES, self._faults)
            first = isinstance(error, UnreachableError) and not reached()
            return first and until < FIRST_CONTACT_SECONDS

        def decide(error: Exception) -> bool | float:
            asked = error.retry_after if isinstance(error, PassingError) else None
            until = time.monotonic() - started + (asked or 0.0)
            if until >= self._deadline_seconds or not again(error, until):
                return False
            logger.info("trying again: %s", error)
            # Up to half more at random, so that a crowd that was turned away doesn't come back as
            # one; else the usual backoff.
            return True if asked is None else asked * random.uniform(1, 1.5)  # noqa: S311

        return decide
