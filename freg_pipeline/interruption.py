"""How a command ends when it is told to: one line, and 128 and the signal's number.

SIGINT and SIGTERM raise :class:`Interruption` in the main thread. That alone isn't enough: Dagster
and uvicorn put handlers of their own in place for a while, DuckDB makes another error of it, a
callback swallows it, and while compiled code runs no handler does. So Python's wake-up descriptor
tells a thread of every signal, whoever handles it. It silences what others would say of it, reminds
the main thread, and ends the process when that takes too long: any process may die at any instant,
and the next call goes on from what lies in the store.

Nothing heavy is imported here: this is in force before the rest is.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

_GRACE_SECONDS = 5.0  # a container's supervisor waits ten before it kills
_REMIND_SECONDS = 0.5
_ENDED_BY = (signal.SIGINT, signal.SIGTERM)
_LINE = b"Error: interrupted. Run the same command again: it resumes where it stopped\n"


class Interruption(SystemExit):
    """The process is told to end. No KeyboardInterrupt: of that click prints a line of its own."""


class Watch:
    """What was received, and the thread that sees to it.

    Args:
        read_end: of the pipe that Python writes each signal's number into.

    Attributes:
        ended_by: the signals that end the process; others in the pipe are passed over.
    """

    def __init__(self, read_end: int) -> None:
        self.ended_by: tuple[int, ...] = _ENDED_BY
        self._read_end = read_end
        self._lock = threading.Lock()
        self._received = 0
        self._is_raised = self._is_told = self.is_over = False

    def arm(self) -> None:
        """Put the handlers in place; from here on an interruption may be raised."""
        for number in _ENDED_BY:
            signal.signal(number, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of both signals. Raises once, so that cleaning up isn't interrupted."""
        del frame
        self._received = self._received or number
        if not self._is_raised:
            self._is_raised = True
            raise Interruption(128 + number)

    @property
    def received(self) -> int:
        """The number of the signal that was received, whoever handled it; 0: none."""
        with self._lock:
            if not self._received and select.select([self._read_end], [], [], 0)[0]:
                numbers = [one for one in os.read(self._read_end, 64) if one in self.ended_by]
                self._received = self._received or (numbers[0] if numbers else 0)
        return self._received

    def run(self) -> None:
        """Wait for a signal, and see that it ends the process."""
        while not self.received:
            select.select([self._read_end], [], [])
            if self.is_over:
                return
        _silence()
        deadline = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(_REMIND_SECONDS)
            main = threading.main_thread().ident
            if main is not None and not self._is_raised:  # a handler of others' has kept it
                signal.pthread_kill(main, self._received)
        self.end()

    def end(self) -> NoReturn:
        """Say the line, once, and end the process without what it must not leave behind."""
        with self._lock:
            if not self._is_told:
                self._is_told = True
                with contextlib.suppress(OSError):
                    os.write(2, _LINE)
        with contextlib.suppress(BaseException):
            # Not by sys.exit, which first waits for threads, and they may wait for a register.
            atexit._run_exitfuncs()
        os._exit(128 + self._received)


def interrupted() -> bool:
    """Whether the command has been told to end: what goes wrong after that isn't told."""
    return _watch is not None and bool(_watch.received)


@contextlib.contextmanager
def watching(*, whole_process: bool) -> Iterator[Watch]:
    """See to both signals, from :meth:`Watch.arm` on.

    Args:
        whole_process: nothing comes after it; else what was in force before is again.
    """
    global _watch
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    watch = _watch = Watch(read_end)
    before = {number: signal.getsignal(number) for number in _ENDED_BY}
    fd_before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    thread = threading.Thread(target=watch.run, name="interruption", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        for number, handler in before.items():  # all is done: what comes now comes too late
            signal.signal(number, signal.SIG_IGN if whole_process else handler)
        signal.set_wakeup_fd(fd_before)
        watch.is_over = True
        os.write(write_end, b"\0")
        thread.join()
        os.close(read_end)
        os.close(write_end)
        _watch = None


@contextlib.contextmanager
def ctrl_c_cancels() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, and not end the process; SIGTERM still does."""
    watch = _watch
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    if watch is not None:
        watch.ended_by = tuple(one for one in _ENDED_BY if one != signal.SIGINT)
    try:
        yield
    finally:
        if watch is not None:
            _ = watch.received  # a Ctrl-C that is still in the pipe has cancelled, and ends nothing
            watch.ended_by = _ENDED_BY
        signal.signal(signal.SIGINT, handler)


def _silence() -> None:
    """Keep others from saying what they think of an interruption."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    threading.excepthook = lambda _: None


_watch: Watch | None = None
