"""How long a tick of a sensor's takes, whatever the register's latency.

Dagster gives a tick 60 s, unless it is told otherwise, and a tick that takes longer counts for
nothing: a register that answers slowly, or not at all, would hold up everything for good.
"""

from __future__ import annotations

import time
from typing import TypeVar

from freg_pipeline.client.session import Question
from freg_pipeline.errors import AwayError, UnreachableError
from freg_pipeline.orchestration.resources import Freg

T = TypeVar("T")
REST_SECONDS = 5.0  # more for what asks nothing: it goes on without the register


class TickTime:
    """The time of one tick, from when this is made.

    Args:
        seconds: for what is asked of the register; some more are for the rest.
    """

    def __init__(self, seconds: float) -> None:
        began = time.monotonic()
        self._asking_until = began + seconds
        self._until = began + seconds + REST_SECONDS
        self._is_away = False

    @property
    def is_up(self) -> bool:
        """Whether nothing else should be begun with."""
        return time.monotonic() >= self._until

    @property
    def may_ask(self) -> bool:
        """Whether there is time for a question, and the register wasn't away in this tick."""
        return not self._is_away and time.monotonic() < self._asking_until

    def ask(self, freg: Freg, question: Question[T]) -> T:
        """Ask the register, for as long as there is time.

        Raises:
            SilentError: there was no answer in time.
            FregError: as the question raises it.
        """
        left = max(0.0, self._asking_until - time.monotonic())
        try:
            return freg.ask(question, waits=False, seconds=left)
        except (AwayError, UnreachableError):
            self._is_away = True
            raise
