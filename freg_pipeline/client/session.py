"""One connection to the register for all that a process does, from whichever thread it asks.

An HTTP connection belongs to the event loop that opened it. So there is one loop, in a thread of
its own, on which every question runs: connections, tokens, the pace, the gate and what is known of
the register outlive each question, and a sensor's thread shares them with another's.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from freg_pipeline.client.register import Register

T = TypeVar("T")
Question = Callable[[Register], Coroutine[Any, Any, T]]

ENDING_SECONDS = 1.0  # how long a process that ends waits for what nobody has closed


class Session:
    """A register that is opened by the first question. A context manager, which closes it.

    One that nobody closes is closed when the process ends, or nobody holds it any more.

    Args:
        make: makes the register; one that waits for a register that is away.
    """

    def __init__(self, make: Callable[[], Register]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._line: _Line | None = None

    def ask(self, question: Question[T], *, waits: bool = True) -> T:
        """Ask, and wait for the answer; several threads may do so at once.

        Args:
            question: what is awaited, given the register. It mustn't ask by the session itself.
            waits: whether a register that is away is waited for, for hours.

        Raises:
            FregError: as making the register and the question raise it.
        """
        line = self._opened()
        return line.run(question(line.register if waits else line.impatient))

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _opened(self) -> _Line:
        with self._lock:
            if self._line is None:
                self._line = _Line(self._make())
                weakref.finalize(self, self._line.end, ENDING_SECONDS)
            return self._line


class _Line:
    """A register, and the thread whose event loop its connections belong to."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.impatient = register.impatient()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="register", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the loop, and wait for it; whoever is interrupted meanwhile stops it."""
        ended = threading.Event()

        async def told() -> T:
            try:
                return await work
            finally:
                ended.set()

        future: Future[T] = asyncio.run_coroutine_threadsafe(told(), self._loop)
        try:
            return future.result()
        finally:
            if future.cancel():
                ended.wait(ENDING_SECONDS)  # what it was about to keep is kept, or it isn't begun

    def end(self, seconds: float | None = None) -> None:
        """Close the register and end the thread; wait for it so long."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(seconds)

    def _serve(self) -> None:
        self._loop.run_forever()
        try:
            self._loop.run_until_complete(self._finish())
        finally:
            self._loop.close()

    async def _finish(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self.register.aclose()
        await self._loop.shutdown_asyncgens()
