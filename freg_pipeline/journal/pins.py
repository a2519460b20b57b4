"""Pins: readers' words that a release be kept. Each is an object; whoever wrote it removes it.

Those of processes that read lapse unless they are renewed: nobody has to see to what the dead left.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from string import ascii_lowercase

import msgspec

from freg_pipeline.errors import (
    ConfigurationError,
    DamagedError,
    FregError,
    ObjectMissingError,
    StoreError,
)
from freg_pipeline.journal.pointer import manifest_key
from freg_pipeline.journal.releases import read_manifest
from freg_pipeline.outside import looks_like_number
from freg_pipeline.store import Store, read_record, write_record
from freg_pipeline.store.record import replace_record

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# A reader's pin lapses an hour after it was last renewed; that machines' clocks differ by minutes
# matters no more than that a renewal fails.
LAPSES = timedelta(hours=1)
_RENEWED_SECONDS = 600


class _Pin(msgspec.Struct, frozen=True):
    """What a pin keeps.

    Attributes:
        release: the release.
        last: a later one: all up to it are kept, too.
        until: when it lapses; None: it is removed by whoever made it.
    """

    release: str
    last: str | None = None
    until: datetime | None = None

    def keeps(self, number: str) -> bool:
        return self.release <= number <= (self.last or self.release)

    @property
    def has_lapsed(self) -> bool:
        return self.until is not None and self.until < datetime.now(UTC)


def pin(store: Store, number: str, name: str | None = None) -> str:
    """Keep a release from being purged until it is unpinned.

    Args:
        store: where it lies.
        number: the release.
        name: the pin's name; by default the release's number.

    Returns:
        The pin's name.

    Raises:
        ConfigurationError: there is no such release, or the name is that of another one's pin.
    """
    release = read_manifest(store, number).number
    name = _checked(name or release)
    new = write_record(store, _key(name), _Pin(release))
    if not new and pins(store).get(name) != release:
        raise ConfigurationError(
            f"the pin {name} is on another release", "Choose another --name, or unpin it"
        )
    if not store.exists(manifest_key(release)):  # purged while we wrote
        store.delete(_key(name))
        read_manifest(store, release)  # says that it is gone
    return name


def unpin(store: Store, name: str) -> None:
    """Remove a pin: its release may be purged.

    Raises:
        ConfigurationError: there is no such pin.
    """
    name = _checked(name)
    key = _key(name.zfill(6) if name.isdigit() and not store.exists(_key(name)) else name)
    if not store.exists(key):
        raise ConfigurationError("there is no pin with that name", "See freg release list")
    store.delete(key)


def pins(store: Store) -> dict[str, str]:
    """The number of the release that each pin keeps, by the pin's name; without readers' own."""
    return {name: one.release for name, one in _pins(store).items() if one.until is None}


def readable_pins(store: Store) -> tuple[dict[str, str], list[DamagedError]]:
    """As :func:`pins`, of those that can be told; and what keeps the others from that."""
    damage: list[DamagedError] = []
    found = _pins(store, damage=damage)
    return {name: one.release for name, one in found.items() if one.until is None}, damage


def pinned(store: Store, number: str) -> list[str]:
    """The names of the pins that keep a release, readers' own among them."""
    return [name for name, one in _pins(store).items() if one.keeps(number)]


def not_pinned(store: Store, numbers: Iterable[str]) -> list[str]:
    """Those of some releases that no pin keeps. Pins that have lapsed are removed."""
    there = _pins(store, drop_lapsed=True).values()
    return [number for number in numbers if not any(one.keeps(number) for one in there)]


@contextlib.contextmanager
def being_read(store: Store, first: str, last: str) -> Iterator[bool]:
    """Keep releases from being purged for as long as this lasts and its process lives.

    Args:
        store: where they lie.
        first: a release.
        last: the same or a later one: all between are kept, too.

    Yields:
        Whether they are: who may only read can't pin, and finds files gone if somebody purges.

    Raises:
        ConfigurationError: one of the two has been purged by now.
    """
    # Letters only: digits could look like somebody's number.
    name = f"read-{''.join(secrets.choice(ascii_lowercase) for _ in range(16))}"

    def renew() -> None:
        replace_record(store, _key(name), _Pin(first, last, datetime.now(UTC) + LAPSES))

    try:
        renew()
    except StoreError:  # nothing may be written here
        yield False
        return
    done = threading.Event()
    renewing = threading.Thread(target=_renewing, args=(renew, done), daemon=True)
    renewing.start()
    try:
        for number in (first, last):
            if not store.exists(manifest_key(number)):
                read_manifest(store, number)  # says that it is gone
        yield True
    finally:
        done.set()
        renewing.join()
        store.delete(_key(name))


def _renewing(renew: Callable[[], None], done: threading.Event) -> None:
    while not done.wait(_RENEWED_SECONDS):
        with contextlib.suppress(FregError):  # the next one comes before it lapses
            renew()


def _pins(
    store: Store, *, drop_lapsed: bool = False, damage: list[DamagedError] | None = None
) -> dict[str, _Pin]:
    """The pins that haven't lapsed, by name; of damage the first is raised, or all are noted."""
    found = {}
    for key in store.list("pins/"):
        name = key.removeprefix("pins/").removesuffix(".json")
        try:
            one = read_record(store, key, _Pin)
        except ObjectMissingError:  # unpinned just now
            continue
        except DamagedError:
            remedy = f"Remove it (freg release unpin {name}), and pin the release again"
            error = DamagedError(key, store.location, remedy)
            if damage is None:
                raise error from None
            damage.append(error)
            continue
        if not one.has_lapsed:
            found[name] = one
        elif drop_lapsed:
            store.delete(key)
    return found


def _key(name: str) -> str:
    return f"pins/{name}.json"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or looks_like_number(name):
        raise ConfigurationError(
            "that is not a valid pin name",
            "Use up to 64 letters, digits, - and _, and not an identity number",
        )
    return name
