"""Which release is current: the one object of a store that is ever replaced, and what it names.

Nothing heavy is imported here: a query begins with it.
"""

from __future__ import annotations

import logging
from functools import cache

import msgspec

from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.store import Store, is_there, read_record
from freg_pipeline.store.record import replace_record

logger = logging.getLogger(__name__)

POINTER = "releases/current.json"


class _Pointer(msgspec.Struct, frozen=True):
    release: str


def manifest_key(number: str) -> str:
    """Where a release's manifest lies."""
    return f"releases/{number}/manifest.json"


def report_key(number: str) -> str:
    """Where the page about a release lies, if one was made."""
    return f"releases/{number}/report.html"


def numbers(store: Store) -> list[str]:
    """The numbers of all releases, ascending."""
    keys = store.list("releases/")
    return sorted(key.split("/")[1] for key in keys if key.endswith("/manifest.json"))


def following(number: str | None) -> str:
    """The number after that of the newest release; None: there is none."""
    return f"{int(number or 0) + 1:06d}"


def current_number(store: Store) -> str | None:
    """The number of the current release; None before the first.

    A pointer that is gone or damaged, or names a release whose manifest is gone, is computed: of
    what is here, that which was published last is current.
    """
    pointed = _pointed(store)
    if pointed is not None:
        return pointed
    newest = max(numbers(store), default=None)
    lost = _pointer(store)
    if lost is not None and lost != newest:
        _tell_lost(lost, store.location, newest)
    return newest


@cache
def _tell_lost(lost: str, location: str, newest: str | None) -> None:
    """Say once that a release is gone."""
    now = f"release {newest}" if newest else "none"
    logger.warning("the manifest of release %s is gone from %s: %s is current", lost, location, now)


def _pointed(store: Store) -> str | None:
    """What the pointer names, if it is here."""
    pointer = _pointer(store)
    return pointer if pointer is not None and is_there(store, manifest_key(pointer)) else None


def _pointer(store: Store) -> str | None:
    try:
        return read_record(store, POINTER, _Pointer).release
    except (ObjectMissingError, DamagedError):
        return None


def point_to_newest(store: Store) -> str | None:
    """Make the newest release current, and return its number; None before the first.

    The pointer is looked at once more after it was written: of two who publish at the same time,
    the slower one could have set it back.
    """
    while True:
        pointed = _pointed(store)
        newest = _newest_from(store, pointed)
        if newest is None or (pointed or "") >= newest:
            return newest
        replace_record(store, POINTER, _Pointer(newest))


def newest_number(store: Store) -> str | None:
    """The number of the newest release; None before the first.

    Numbers follow each other, and the newest release is never purged: so it is the pointer's, or
    one of the few after it. Releases are listed only where there is no pointer.
    """
    return _newest_from(store, _pointed(store))


def _newest_from(store: Store, number: str | None) -> str | None:
    if number is None:
        return max(numbers(store), default=None)
    while is_there(store, manifest_key(following(number))):
        number = following(number)
    return number
