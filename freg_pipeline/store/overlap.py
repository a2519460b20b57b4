"""Work on a store that waits for answers, several pieces at once; on a local disk one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Self, TypeVar

from freg_pipeline.store.base import Store

T = TypeVar("T")
R = TypeVar("R")


class Overlap:
    """Begins pieces of work, and has them done when it is left. A context manager.

    No more are under way than the store says: whoever begins another one waits, so that no more
    files or bytes pile up than these. On a local disk each is done as it is begun.

    Whatever a piece raises is raised by its result; and, where nobody asks for that, at the next
    beginning or when it is left.
    """

    def __init__(self, store: Store) -> None:
        self._most = store.at_once
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: set[Future[Any]] = set()

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Begin a piece, as soon as there is room for it."""
        if self._most == 1:
            done: Future[T] = Future()
            done.set_result(work())
            return done
        if len(self._under_way) >= self._most:
            done_now, self._under_way = wait(self._under_way, return_when=FIRST_COMPLETED)
            for one in done_now:
                one.result()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="store")
        future = self._pool.submit(work)
        self._under_way.add(future)
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is None:
            return
        if error is not None:
            for one in self._under_way:
                one.cancel()
        self._pool.shutdown(wait=True)
        if error is None:
            for one in self._under_way:
                one.result()


def ahead(store: Store, work: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
    """The results of work on each piece, in order: while one is looked at, the next ones come.

    Args:
        store: which says how many are under way at the most, and held.
        work: what is done for a piece.
        pieces: which; read no further ahead than that.
    """
    if store.at_once == 1:
        yield from map(work, pieces)
        return
    waiting: list[Future[R]] = []
    with ThreadPoolExecutor(store.at_once, thread_name_prefix="store") as pool:
        try:
            for piece in pieces:
                waiting.append(pool.submit(work, piece))
                if len(waiting) == store.at_once:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for one in waiting:
                one.cancel()
