"""One connection to the register for all that a process does, from whichever thread it asks.

An HTTP connection belongs to the event loop that opened it. So there is one loop, in a thread of
its own, on which every question runs: connections, tokens, the pace, the gate and what is known of
the register outlive each question, and a sensor's thread shares them with another's.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Self, TypeVar

from freg_pipeline.client.answers import LATER
from freg_pipeline.client.register import Register
from freg_pipeline.errors import ConfigurationError, FregError, SilentError

logger = logging.getLogger(__name__)

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

    def ask(self, question: Question[T], *, waits: bool = True, seconds: float | None = None) -> T:
        """Ask, and wait for the answer; several threads may do so at once.

        Args:
            question: what is awaited, given the register. It mustn't ask by the session itself.
            waits: whether a register that is away is waited for, for hours.
            seconds: how long the answer is waited for, whatever the register does meanwhile; None:
                as long as its requests are patient.

        Raises:
            SilentError: there was no answer within that time; the question was stopped.
            FregError: as making the register and the question raise it; or the session was closed
                before the answer came.
        """
        line = self._entered()
        try:
            return line.run(question(line.register if waits else line.impatient), seconds)
        except ConfigurationError:
            # Somebody may put it right, in a file that was read when the register was made.
            self._leave_behind(line)
            raise
        finally:
            self._left(line)

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

    def _entered(self) -> _Line:
        with self._lock:
            if self._line is None or not self._line.is_alive:  # as after a fork
                self._line = _Line(self._make())
                self._line.at_last = weakref.finalize(self, self._line.end, ENDING_SECONDS)
            self._line.inside += 1
            return self._line

    def _leave_behind(self, line: _Line) -> None:
        """Have the next question open a new one."""
        with self._lock:
            if self._line is line:
                self._line = None

    def _left(self, line: _Line) -> None:
        with self._lock:
            line.inside -= 1
            is_over = self._line is not line and not line.inside
        if is_over:
            line.end()


class _Line:
    """A register, and the thread whose event loop its connections belong to.

    Attributes:
        register: whom to ask.
        impatient: the same, not waited for when it is away.
        inside: how many are asking.
        at_last: ends it, where nobody else does.
    """

    def __init__(self, register: Register) -> None:
        self.register = register
        self.impatient = register.impatient()
        self.inside = 0
        self.at_last: weakref.finalize[..., Any] | None = None
        self._lock = threading.Lock()
        self._is_over = False
        self._asked: set[Future[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="register", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked: a process that was forked has no such thread."""
        return self._thread.is_alive() and not self._is_over

    def run(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """Run on the loop, and wait for it; whoever is interrupted meanwhile stops it.

        Raises:
            SilentError: it took longer than so many seconds.
        """
        ended = threading.Event()

        async def told() -> T:
            try:
                return await (work if seconds is None else _within(seconds, work))
            finally:
                ended.set()

        with self._lock:  # what is asked before the end is seen by it
            if self._is_over:
                work.close()
                raise _closed()
            telling = told()
            future: Future[T] = asyncio.run_coroutine_threadsafe(telling, self._loop)
            self._asked.add(future)
        try:
            return future.result()
        except CancelledError:
            raise _closed() from None
        finally:
            if future.cancel() and not self._loop.is_closed():
                ended.wait(ENDING_SECONDS)  # what it was about to keep is kept, or it isn't begun
            self._asked.discard(future)
            if self._loop.is_closed():
                _close_unless_begun(telling)
            if inspect.getcoroutinestate(telling) == inspect.CORO_CLOSED:
                _close_unless_begun(work)

    def end(self, seconds: float | None = None) -> None:
        """Close the register and end the thread; wait for it so long."""
        if self.at_last is not None:
            self.at_last.detach()
        with self._lock:
            is_first = not self._is_over and self._thread.is_alive()
            self._is_over = True
            if is_first:
                self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:  # in which garbage is collected, too
            self._thread.join(seconds)

    def _serve(self) -> None:
        try:
            try:
                self._loop.run_forever()
            finally:
                with self._lock:  # before anybody is told of the end, and asks again
                    self._is_over = True
            self._loop.run_until_complete(self._finish())
        finally:
            self._loop.close()
            for future in list(self._asked):
                future.cancel()  # nobody waits for a thread that is gone

    async def _finish(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        try:
            await self.register.aclose()
        except Exception as error:  # whatever a broken connection makes of it
            logger.info("while closing the connections: %s", type(error).__name__)
        await self._loop.shutdown_asyncgens()
        await asyncio.sleep(0)  # what has just been left is closed by tasks of its own
        await asyncio.gather(
            *asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True
        )


async def _within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What is awaited, if it comes in time."""
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError:
        if not limit.expired():  # one of its own, which no limit of ours explains
            raise
        raise SilentError(
            f"the register gave no usable answer within {seconds:.3g} s", LATER
        ) from None


def _close_unless_begun(work: Coroutine[Any, Any, Any]) -> None:
    """Close what the loop's end has kept from being begun; else Python warns of it."""
    if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
        work.close()


def _closed() -> FregError:
    return FregError("the connection to the register was closed while an answer was awaited", LATER)
