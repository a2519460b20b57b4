"""One process at a time loads a copy: two at once would mix what each of them saw."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freg_pipeline.errors import ResourceError


@contextmanager
def alone(named: str) -> Iterator[None]:
    """Be the only process of this user on this machine that loads a copy.

    Args:
        named: the copy.

    Raises:
        ResourceError: another does.
    """
    name = hashlib.sha256(named.encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir(), f"freg-load-{os.geteuid()}-{name}")
    handle = _held(path)
    try:
        yield  # let go when it is closed, or its process dies
    finally:
        if _is(path, handle):
            path.unlink(missing_ok=True)
        os.close(handle)


def _held(path: Path) -> int:
    """Open a file and hold it: whoever held it before may have taken it away meanwhile."""
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise ResourceError(
                "another process loads this copy", "Wait for it, and run the same command again"
            ) from None
        if _is(path, handle):
            return handle
        os.close(handle)


def _is(path: Path, handle: int) -> bool:
    """Whether a path leads to the file that is open."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False
