"""Memory that work side by side shares: what doesn't fit waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from freg_pipeline.store import Store

AT_ONCE = 2  # tables that are merged side by side: Arrow works without Python's lock
MERGED_BYTES = 96 * 1024**2  # of their rows, all together; a table that has more is alone
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
R = TypeVar("R")


class Room:
    """Room for so many bytes.

    Args:
        size: how many. What needs more than that has all of it to itself.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Hold room for a while, once it is there."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._size)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


def side_by_side(
    store: Store,
    sizes: Mapping[K, int],
    make: Callable[[K], T | None],
    keep: Callable[[K, T], R],
) -> dict[K, R]:
    """Make tables' files and put them into a store, the largest first.

    On a store that waits for answers as many are under way as it is worth; in memory no more than
    there is room for. What making or keeping raises is raised once all that was begun has ended.

    Args:
        store: where they go.
        sizes: bytes of memory that making takes, by table or what of it is made at once.
        make: makes its files; None: it needs none.
        keep: puts them into the store.

    Returns:
        What keeping gave of each, in the order of ``sizes``.
    """
    room = Room(MERGED_BYTES)

    def work(name: K) -> R | None:
        with room.of(sizes[name]):
            made = make(name)
        return None if made is None else keep(name, made)

    with ThreadPoolExecutor(max(AT_ONCE, store.at_once)) as pool:
        by_size = sorted(sizes, key=lambda name: -sizes[name])
        begun = {name: pool.submit(work, name) for name in by_size}
    found = {name: begun[name].result() for name in sizes}
    return {name: kept for name, kept in found.items() if kept is not None}
