"""One pace for everything that runs on a machine and asks the same register.

The register limits requests a minute and IP address, so what counts is not a task or a process but
all of them together. Those of a machine share a small file: when the next request may leave, by
the machine's monotonic clock (the generic cell rate algorithm), until when nothing leaves at all,
as the register said to one of them, and how much of the limit others seem to leave us
(:mod:`freg_pipeline.client.share`). Whoever wants to send takes the next place, moves it on, and
waits until its time has come. The file is locked for as long as that takes, some microseconds; a
process that dies loses its places and nothing else.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from freg_pipeline.client.share import MINUTE, Share
from freg_pipeline.errors import ConfigurationError

logger = logging.getLogger(__name__)

# So many seconds' share may leave at once after a pause. It is kept back from the minute's share,
# so that no 60 seconds whatsoever see more requests than the limit.
BURST_SECONDS = 1.0
# A place further ahead than this, or than so many places, is no queue: the machine was started
# anew, and its clock with it.
FURTHEST_SECONDS = 600.0
FURTHEST_PLACES = 1_000


class Pace:
    """Keeps requests to one host under a limit, and to what others leave of it.

    Args:
        host: whose limit it is.
        requests_per_minute: the limit.
        folder: where the file lies; None: this user's folder for temporary files.
    """

    def __init__(self, host: str, requests_per_minute: int, folder: Path | None = None) -> None:
        self._limit = requests_per_minute * MINUTE / (MINUTE + BURST_SECONDS)
        self._folder = folder or Path(tempfile.gettempdir()) / f"freg-pace-{os.getuid()}"
        self._path = self._folder / hashlib.sha256(host.encode()).hexdigest()[:16]
        _make_ours(self._folder)

    async def wait(self) -> float:
        """Wait for the next place; returns when it has come, by the monotonic clock."""
        while True:
            seconds = self.take(time.monotonic())
            if seconds > 0:
                await asyncio.sleep(seconds)
            now = time.monotonic()
            if self.may_leave(now):
                return now

    def take(self, now: float) -> float:
        """Take the next place; seconds until its time has come."""
        with self._locked() as handle:
            share = self._read(handle, now)
            apart, early = self._spacing(share, now)
            place = max(share.place, now)
            os.pwrite(handle, replace(share, place=place + apart).written(), 0)
        return max(place - early, share.held) - now

    def may_leave(self, now: float) -> bool:
        """Whether a request whose time has come may leave; counts it if so.

        It may not where the register has told somebody here meanwhile to wait.
        """
        with self._locked() as handle:
            share = self._read(handle, now)
            if share.held > now:
                return False
            os.pwrite(handle, share.leaves(now).written(), 0)
        return True

    def refused(self, sent: float, now: float, wait: float | None) -> None:
        """Tell that a request was refused for being one too many: everybody here waits.

        Args:
            sent: when it was sent (monotonic clock).
            now: when the answer came.
            wait: seconds that the register asks for, where it does.
        """
        with self._locked() as handle:
            share = self._read(handle, now)
            after = share.refused(sent, now, self._limit, wait or 0.0)
            # A pause is no time in which places were saved up, to leave at once after it.
            _, early = self._spacing(after, after.held)
            place = max(share.place, after.held + early)
            os.pwrite(handle, replace(after, place=place).written(), 0)
        if after.since != share.since:
            rate = after.rate(after.since, self._limit)
            logger.info(
                "the register asked us to slow down: %.0f requests a minute from now on", rate
            )

    def _spacing(self, share: Share, now: float) -> tuple[float, float]:
        """Seconds between two places, and by how many a request may leave before its own."""
        apart = MINUTE / share.rate(now, self._limit)
        return apart, max(0.0, BURST_SECONDS - apart)

    def _read(self, handle: int, now: float) -> Share:
        share = Share.read(os.pread(handle, 4_096, 0))  # new, or cut short when the disk was full
        furthest = max(FURTHEST_SECONDS, FURTHEST_PLACES * MINUTE / self._limit)
        is_ours = share.place <= now + furthest and share.since <= now + MINUTE
        return share if is_ours else Share()

    @contextmanager
    def _locked(self) -> Iterator[int]:
        handle = self._open()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

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
