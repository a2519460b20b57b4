"""What requests take: how long each answer was waited for, its size, and what was sent again.

Whoever wants to know opens a meter round its questions. What is asked within it is counted by it,
in whichever task, and nothing else: a connection is shared by many who ask at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Meter:
    """What was counted.

    Attributes:
        seconds: of each answer, from sending the request to having all of it: without the wait for
            its turn, and without the tries before that were in vain.
        bytes: of the answers' bodies, decompressed.
        retries: requests that were sent again.
    """

    seconds: list[float] = field(default_factory=list)
    bytes: int = 0
    retries: int = 0


_OPEN: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what is asked within; of several, one in another, the innermost counts."""
    meter = Meter()
    before = _OPEN.set(meter)
    try:
        yield meter
    finally:
        _OPEN.reset(before)


def count_answer(seconds: float, size: int) -> None:
    """Count an answer that came."""
    meter = _OPEN.get()
    if meter is not None:
        meter.seconds.append(seconds)
        meter.bytes += size


def count_retry() -> None:
    """Count a request that is sent again."""
    meter = _OPEN.get()
    if meter is not None:
        meter.retries += 1
