"""Files under construction, and what killed processes leave of them: rows of persons, perhaps.

Whoever makes something holds it by a lock until it is done or dead; whoever makes something in the
same folder next removes what nobody holds. So a place that is used again is clean again, whatever
the names, and nobody loses what is in use, whatever its age.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from freg_pipeline.errors import StoreError

if TYPE_CHECKING:
    from freg_pipeline.store.base import Store

# What nobody holds and is no longer just being made is left over. Where the file system knows no
# locks, its age alone tells.
_MADE_SECONDS = 600
_LEFTOVER_SECONDS = 24 * 3600
_HERE = "freg-scratch-"
_BESIDE = ".freg"  # what such a folder's name ends in, so that it is nobody else's
_MADE_BESIDE = re.compile(rf"\..+\.[a-z0-9_]{{8}}{re.escape(_BESIDE)}")  # as mkdtemp makes it
_NAME = 100  # characters of a file's name in that of a folder beside it


@contextlib.contextmanager
def scratch_beside(target: Path) -> Iterator[Path]:
    """A private folder beside a file that will be swapped in from there, gone afterwards.

    What this user's killed processes left of such folders is removed, whatever they were making.
    """
    with contextlib.suppress(PermissionError), os.scandir(target.parent) as entries:
        # (One may write where one may not look.)
        sweep([Path(one) for one in entries if _MADE_BESIDE.fullmatch(one.name) and _is_mine(one)])
    prefix = f".{target.name[:_NAME]}."
    folder = tempfile.mkdtemp(prefix=prefix, suffix=_BESIDE, dir=target.parent)
    with _used(Path(folder)) as used:
        yield used


@contextlib.contextmanager
def scratch_here() -> Iterator[Path]:
    """A private folder among this machine's temporary files, gone afterwards.

    What this user's killed processes left of such folders is removed.
    """
    with os.scandir(tempfile.gettempdir()) as entries:
        mine = [Path(one) for one in entries if one.name.startswith(_HERE) and _is_mine(one)]
    sweep(mine)
    with _used(Path(tempfile.mkdtemp(prefix=_HERE))) as used:
        yield used


@contextlib.contextmanager
def scratch_to_read(store: Store) -> Iterator[Path]:
    """A private folder for what is read from a store: in it, or here, where one may only read."""
    with contextlib.ExitStack() as used:
        try:
            folder = used.enter_context(store.scratch())
        except StoreError:
            folder = used.enter_context(scratch_here())
        yield folder


@contextlib.contextmanager
def _used(folder: Path) -> Iterator[Path]:
    try:
        with held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_mine(entry: os.DirEntry[str]) -> bool:
    try:
        owner = entry.stat(follow_symlinks=False).st_uid
    except FileNotFoundError:
        return False
    return owner == os.geteuid() and entry.is_dir(follow_symlinks=False)


def sweep(found: Iterable[Path], *, made_seconds: float = _MADE_SECONDS) -> None:
    """Remove those files and folders that nobody holds any more.

    Args:
        found: what there is.
        made_seconds: how old they must be, so that whoever makes one has come to hold it.
    """
    for leftover in found:
        with contextlib.suppress(FileNotFoundError):  # another process swept it first
            if _is_left(leftover, made_seconds):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def held(path: Path) -> contextlib.AbstractContextManager[None]:
    """Show other processes that a file or folder is in use, until this one is done or dead."""
    return _locked(path, fcntl.LOCK_SH)


def alone_in(folder: Path, *, required: bool = False) -> contextlib.AbstractContextManager[None]:
    """Keep this machine's other processes, who hold a folder while they make something in it, out.

    Until this one is done or dead.

    Args:
        folder: which.
        required: go on only where that is possible: some file systems know no locks.

    Raises:
        OSError: it is required, and the file system knows no locks.
    """
    return _locked(folder, fcntl.LOCK_EX, required=required)


@contextlib.contextmanager
def _locked(path: Path, how: int, *, required: bool = False) -> Iterator[None]:
    handle = os.open(path, os.O_RDONLY)
    try:
        # Of a file system without locks.
        with contextlib.nullcontext() if required else contextlib.suppress(OSError):
            fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _is_left(path: Path, made_seconds: float) -> bool:
    """Whether the process that made a file or folder is dead."""
    age = time.time() - path.stat().st_mtime
    if age < made_seconds:
        return False
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return age > _LEFTOVER_SECONDS
    finally:
        os.close(handle)
    return True
