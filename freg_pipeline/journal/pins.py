"""Pins: readers' words that a release be kept. Each is an object; whoever wrote it removes it."""

from __future__ import annotations

import re

import msgspec

from freg_pipeline.errors import ConfigurationError, ObjectMissingError
from freg_pipeline.journal.releases import manifest_key, read_manifest
from freg_pipeline.outside import looks_like_number
from freg_pipeline.store import Store, read_record, write_record

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class _Pin(msgspec.Struct, frozen=True):
    release: str


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
    """The number of the release that each pin keeps, by the pin's name."""
    found = {}
    for key in store.list("pins/"):
        try:
            kept = read_record(store, key, _Pin)
        except ObjectMissingError:  # unpinned just now
            continue
        found[key.removeprefix("pins/").removesuffix(".json")] = kept.release
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
