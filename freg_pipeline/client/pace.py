"""One pace for everything that runs on a machine and asks the same register.

The register limits requests a minute and IP address, so what counts is not a task or a process but
all of them together. They share one number in a small file: when the next request may leave, by the
machine's monotonic clock (the generic cell rate algorithm). Whoever wants to send takes that place,
moves the number on, and waits until its time has come. The file is locked for as long as that
takes, some microseconds; a process that dies loses its places and nothing else.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import struct
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from freg_pipeline.errors import ConfigurationError

# So many seconds' share may leave at once after a pause. It is kept back from the minute's share,
# so that no 60 seconds whatsoever see more requests than the limit.
BURST_SECONDS = 1.0
# A place further ahead than this, or than so many places, is no queue: the machine was started
# anew, and its clock with it.
FURTHEST_SECONDS = 600.0
FURTHEST_PLACES = 1_000
_NUMBER = struct.Struct("d")


class Pace:
    """Keeps requests to one host under a limit.

    Args:
        host: whose limit it is.
        requests_per_minute: the limit.
        folder: where the number lies; None: this user's folder for temporary files.
    """

    def __init__(self, host: str, requests_per_minute: int, folder: Path | None = None) -> None:
        self._apart = (60.0 + BURST_SECONDS) / requests_per_minute
        self._early = max(0.0, BURST_SECONDS - self._apart)
        self._furthest = max(FURTHEST_SECONDS, FURTHEST_PLACES * self._apart)
        self._folder = folder or Path(tempfile.gettempdir()) / f"freg-pace-{os.getuid()}"
        self._path = self._folder / hashlib.sha256(host.encode()).hexdigest()[:16]
        _make_ours(self._folder)

    async def wait(self) -> None:
        """Wait for the next place."""
        seconds = self._take(time.monotonic())
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _take(self, now: float) -> float:
        """Take the next place; seconds until its time has come."""
        handle = self._open()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            place = self._read(handle)
            place = max(place, now) if place <= now + self._furthest else now
            os.pwrite(handle, _NUMBER.pack(place + self._apart), 0)
        finally:
            os.close(handle)
        return place - self._early - now

    @staticmethod
    def _read(handle: int) -> float:
        content = os.pread(handle, _NUMBER.size, 0)
        if len(content) != _NUMBER.size:
            return 0.0  # new, or cut short when the disk was full
        number: float = _NUMBER.unpack(content)[0]
        return number

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, 0o600)
        except FileNotFoundError:  # somebody tidied the temporary files
            _make_ours(self._folder)
            return os.open(self._path, flags, 0o600)


def pace_of(base_url: str, requests_per_minute: int | None) -> Pace | None:
    """The pace for a register's host; None: it has no limit."""
    if requests_per_minute is None:
        return None
    return Pace(urlsplit(base_url).netloc, requests_per_minute)


def _make_ours(folder: Path) -> None:
    """See that there is a folder, and that it is this user's own.

    Raises:
        ConfigurationError: there can be none.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ours = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
    except OSError as error:
        raise ConfigurationError(
            f"{folder} can't be made: {error.strerror}", "Set TMPDIR to a folder of your own"
        ) from None
    if not ours:
        raise ConfigurationError(
            f"{folder} belongs to another user", "Set TMPDIR to a folder of your own"
        )
