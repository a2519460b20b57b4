"""Memory that work side by side shares: what doesn't fit waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
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
    fetch: Callable[[K], None] = lambda _: None,
) -> dict[K, R]:
    """Make tables' files and put them into a store, the largest first.

    In memory no more are made at once than there is room for, and never more than there is a gain
    in: each thread that makes some holds memory of its own. On a store that waits for answers, what
    the next ones need is fetched meanwhile, and what is made is sent.
    What making or keeping raises is raised once all that was begun has ended.

    Args:
        store: where they go.
        sizes: bytes of memory that making takes, by table or what of it is made at once.
        make: makes its files; None: it needs none.
        keep: puts them into the store.
        fetch: has the store remember what making reads; what that raises, making raises, too.

    Returns:
        What keeping gave of each, in the order of ``sizes``.
    """
    room = Room(MERGED_BYTES)
    by_size = sorted(sizes, key=lambda name: -sizes[name])
    with ThreadPoolExecutor(store.at_once) as requests, ThreadPoolExecutor(AT_ONCE) as makers:
        later = iter(by_size)
        coming = {one: requests.submit(fetch, one) for one in islice(later, store.at_once // 2)}

        def work(name: K) -> Future[R] | None:
            if name in coming:
                wait([coming.pop(name)])
                coming.update((one, requests.submit(fetch, one)) for one in islice(later, 1))
            with room.of(sizes[name]):
                made = make(name)
            if made is None:
                return None
            kept = requests.submit(keep, name, made)
            if store.at_once == 1:
                wait([kept])  # nothing is waited for there: it is work as making is
            return kept

        begun = {name: makers.submit(work, name) for name in by_size}
        sent = {name: begun[name].result() for name in sizes}
        return {name: one.result() for name, one in sent.items() if one is not None}
