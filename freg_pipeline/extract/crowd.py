"""The same work for many things, so many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def for_each(things: Iterable[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do ``work`` for each thing, ``at_once`` of them at a time.

    Raises:
        Exception: the first failure; what was under way beside it is cancelled.
    """
    waiting = iter(things)

    async def take() -> None:
        for thing in waiting:  # shared: each worker takes the next one
            await work(thing)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(at_once):
                workers.create_task(take())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None  # the others were cancelled, or failed of the same
