"""What goes wrong outside this software, told as what it is: the disk, permissions, databases.

Each library has errors of its own for one and the same full disk. This is the one place that knows
them; it imports none of the libraries, and takes nothing of their texts, which may quote anything.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

from freg_pipeline.errors import FregError, ResourceError, StoreError

_GO_ON = "run the same command again: it goes on from where it stands"
_ROOM = f"Make room there, and {_GO_ON}"
_ALLOW = "Give it to the user that runs this, or name another place (FREG_STORE, DAGSTER_HOME)"

# What an error number of the system's means: the kind of error, what happened, what to do.
_BY_NUMBER: dict[int, tuple[type[FregError], str, str]] = {
    errno.ENOSPC: (ResourceError, "the disk is full", _ROOM),
    errno.EDQUOT: (ResourceError, "the disk's quota is used up", _ROOM),
    errno.EFBIG: (
        ResourceError,
        "a file would become larger than this process may write",
        f"Raise the limit (ulimit -f), and {_GO_ON}",
    ),
    errno.EMFILE: (
        ResourceError,
        "this process has too many files open",
        f"Raise the limit (ulimit -n 4096), and {_GO_ON}",
    ),
    errno.ENFILE: (
        ResourceError,
        "this machine has too many files open",
        f"End what holds them, and {_GO_ON}",
    ),
    errno.ENOMEM: (ResourceError, "the memory is used up", f"End what takes it, and {_GO_ON}"),
    errno.EIO: (
        ResourceError,
        "the disk can't be read or written",
        "See to the disk: freg release verify tells what is whole",
    ),
    errno.EACCES: (StoreError, "a file or folder may not be read or written", _ALLOW),
    errno.EPERM: (StoreError, "a file or folder may not be read or written", _ALLOW),
    errno.EROFS: (StoreError, "the disk can only be read", "Name a place that can be written"),
    errno.ENAMETOOLONG: (StoreError, "a file's name would be too long", "Shorten FREG_STORE"),
}
_BY_TEXT = {os.strerror(number): number for number in _BY_NUMBER}
_NUMBER = re.compile(r'"errno":"(\d+)"|\[errno (\d+)\]|\(os error (\d+)\)', re.IGNORECASE)
_LIBRARIES = {"duckdb", "_duckdb", "pyarrow", "polars", "builtins", "numba"}

# What SQLite says, in which Dagster keeps its records, by the beginning of its texts.
_RECORDS = "Dagster's records of what ran"
_SQLITE: dict[str, tuple[type[FregError], str, str]] = {
    "database or disk is full": (ResourceError, f"the disk with {_RECORDS} is full", _ROOM),
    "disk i/o error": (ResourceError, f"the disk with {_RECORDS} can't be read or written", _ROOM),
    "database is locked": (
        ResourceError,
        f"{_RECORDS} are locked by another process",
        f"Wait for it or end it, and {_GO_ON}",
    ),
    "attempt to write a readonly": (StoreError, f"{_RECORDS} can't be written", _ALLOW),
    "unable to open database": (StoreError, f"{_RECORDS} can't be opened", _ALLOW),
    "": (
        FregError,
        f"{_RECORDS} are damaged, or another version's",
        "Move their folder away (the store's dagster, or DAGSTER_HOME): they are made anew, and "
        "nothing of the register's data lies there",
    ),
}


def foreseen(error: BaseException) -> FregError | None:
    """What an error means, if it is one of those that may happen to anyone; else None."""
    for one in _chain(error):
        if isinstance(one, FregError):
            return one
        found = _meaning(one)
        if found is not None:
            kind, what, remedy = found
            return kind(f"{what}{_place(one)}", remedy)
    return None


def shortage(error: BaseException) -> ResourceError | None:
    """What this machine lacks (room, memory, open files), if an error means that; else None."""
    known = foreseen(error)
    return known if isinstance(known, ResourceError) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what caused it; libraries wrap others' errors in their own."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__


def _meaning(error: BaseException) -> tuple[type[FregError], str, str] | None:
    library = type(error).__module__.split(".")[0]
    if library == "sqlite3":
        said = str(error).lower()
        return next(meaning for begin, meaning in _SQLITE.items() if said.startswith(begin))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return (
            ResourceError,
            "there is too little memory, or disk for what doesn't fit into it (TMPDIR)",
            "Ask for less at once, or run it where there is more",
        )
    number = error.errno if isinstance(error, OSError) else None
    if number is None and library in _LIBRARIES:
        number = _number_in(str(error))
    if number is None or number not in _BY_NUMBER:
        return None
    kind, what, remedy = _BY_NUMBER[number]
    return kind, f"{what} ({os.strerror(number)})", remedy


def _number_in(text: str) -> int | None:
    found = _NUMBER.search(text)
    if found:
        return int(next(filter(None, found.groups())))
    return next((number for said, number in _BY_TEXT.items() if said in text), None)


def _place(error: BaseException) -> str:
    """Which file, where the system tells it."""
    name = error.filename if isinstance(error, OSError) else None
    return f": {os.fsdecode(name)}" if isinstance(name, str | bytes) else ""
