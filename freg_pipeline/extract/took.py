"""What questions to the register took, to be kept with their answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import TypeVar

from freg_pipeline.client.meter import metered
from freg_pipeline.journal.measures import Took, just_now

T = TypeVar("T")


async def measured(work: Awaitable[T]) -> tuple[T, Took]:
    """Await some work, and tell what it took: all that it asks the register for."""
    began = time.monotonic()
    with metered() as meter:
        done = await work
    return done, Took(
        spans=(just_now(time.monotonic() - began),),
        millis=tuple(round(seconds * 1_000) for seconds in meter.seconds),
        bytes=meter.bytes,
        retries=meter.retries,
    )
