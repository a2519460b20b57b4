"""What happens to a process of the command: it dies, is told to end, can't write, or time jumps.

Counted is what Python tells its audit hooks of: files that are opened for writing, linked, renamed,
removed, folders that are made, connections. So the moment doesn't depend on how fast the machine
is, and lies between any two of them.

Each command's process imports this module, and nothing else of the tests: what it imports is paid
some thirty times a course.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import time_machine

Kind = Literal[
    "kill", "terminate", "interrupt", "full", "broken", "small files", "small disk", "clock"
]
KINDS: tuple[Kind, ...] = (
    "kill", "kill", "kill", "terminate", "interrupt", "full", "broken", "small files",
    "small disk", "clock", "clock",
)  # fmt: skip

SIGNALS = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "interrupt": signal.SIGINT}
_ERRORS = {"full": errno.ENOSPC, "broken": errno.EIO}
_WRITES = {"os.link", "os.rename", "os.mkdir", "tempfile.mkstemp", "tempfile.mkdtemp"}
_MOMENTS = {*_WRITES, "os.remove", "os.rmdir", "socket.connect", "sqlite3.connect"}
_FOR_WRITING = os.O_WRONLY | os.O_RDWR
_SMALLEST, _LARGEST = 512, 60_000  # bytes of a file that may not grow further
_ROOM = 2_000_000  # bytes that a small disk has left at most
_HOUR = 3_600
_JUMPS = (_HOUR, 26 * _HOUR, 40 * 24 * _HOUR, -_HOUR, -26 * _HOUR, -400)  # seconds


@dataclass(frozen=True)
class Trouble:
    """One disturbance.

    Attributes:
        kind: ``full`` and ``broken``: what is written fails from that moment on, as on a full disk,
            or once, as on a bad one; ``small files``: no file may grow beyond so many bytes;
            ``small disk``: so many bytes are left for all; ``clock``: the clock jumps.
        at: the moment, counted from 1; or the bytes.
        jump: seconds that the clock is another from that moment on.
    """

    kind: Kind
    at: int
    jump: int = 0

    @classmethod
    def draw(cls, random: Random) -> Trouble:
        """One of any kind, at any moment of a command: the early ones are as likely as late."""
        kind = random.choice(KINDS)
        if kind == "small files":
            return cls(kind, random.randint(_SMALLEST, _LARGEST))
        if kind == "small disk":
            return cls(kind, random.randint(_SMALLEST, _ROOM))
        if kind == "clock":
            return cls(kind, int(2 ** random.uniform(0, 7)), random.choice(_JUMPS))
        return cls(kind, int(2 ** random.uniform(0, 10)))

    @property
    def is_deadly(self) -> bool:
        """Whether the process has no last word."""
        return self.kind == "kill"

    @property
    def is_in_the_way(self) -> bool:
        """Whether a command may fail by it: what time it is must not matter."""
        return self.kind != "clock"

    def begin(self, folder: str) -> None:
        """In the process itself, before it does anything.

        Args:
            folder: below which files count.
        """
        if self.kind == "small files":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails, as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.at, resource.RLIM_INFINITY))
            return
        sys.addaudithook(self._hook(folder))

    def _hook(self, folder: str) -> Callable[[str, tuple[Any, ...]], None]:
        met = 0
        clock = _clock() if self.kind == "clock" else None

        def hook(event: str, told: tuple[Any, ...]) -> None:
            nonlocal met
            writes = event in _WRITES or (event == "open" and _is_for_writing(told))
            if not (writes or event in _MOMENTS) or not _is_below(folder, event, told):
                return
            met += 1
            if self.kind in SIGNALS:
                if met == self.at:
                    os.killpg(0, SIGNALS[self.kind])
            elif clock is not None:
                if met == self.at:
                    clock.shift(timedelta(seconds=self.jump))
            elif writes and (met == self.at or (met > self.at and self.kind == "full")):
                number = _ERRORS[self.kind]
                raise OSError(number, os.strerror(number))

        return hook


def alone(trouble: Trouble | None, folder: str) -> None:
    """In the process: a group of its own, which is killed whole, and what happens to it.

    Args:
        trouble: what does; None: nothing.
        folder: below which files count.
    """
    os.setsid()
    if trouble:
        trouble.begin(folder)


def _clock() -> time_machine.Coordinates:
    """This process's clock, right until it jumps; what lasts is measured as before."""
    import time_machine

    return time_machine.travel(datetime.now(UTC), tick=True).start()


def _is_for_writing(told: tuple[Any, ...]) -> bool:
    _, mode, flags = told
    if isinstance(flags, int) and flags & _FOR_WRITING:
        return True
    return isinstance(mode, str) and any(sign in mode for sign in "wax+")


def _is_below(folder: str, event: str, told: tuple[Any, ...]) -> bool:
    if event == "socket.connect":
        return True
    path = told[0]
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(folder)
