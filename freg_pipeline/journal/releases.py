"""Releases as they lie in the store: how they are written and read, and which one is current.

A manifest names its base and its deltas by their folders: what these consist of is written once,
beside their files, and shared by the releases that have them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

from freg_pipeline.errors import ConfigurationError, DamagedError, ObjectMissingError
from freg_pipeline.journal.manifest import Base, Delta, Facts, Manifest, TableEntry
from freg_pipeline.journal.pointer import (
    POINTER,
    current_number,
    following,
    manifest_key,
    newest_number,
    numbers,
    point_to_newest,
)
from freg_pipeline.store import Store, is_there, read_record, recall_record, write_record
from freg_pipeline.store.record import replace_record

T = TypeVar("T")

_DAMAGED = (
    "Restore it from a copy; or delete it, which makes the release before it current: freg "
    "hendelser sync goes on from there"
)


__all__ = [
    "POINTER", "Named", "current_number", "current_release", "facts_if_there", "facts_of",
    "folder_of", "following", "is_shared", "list_releases", "manifest_key", "named",
    "newest_number", "no_release", "numbers", "point_to_newest", "published", "read_if_there",
    "read_manifest", "release_of_base", "require_current", "write_manifest", "written_out",
]  # fmt: skip


class _BasePart(msgspec.Struct, frozen=True):
    """What releases on the same base share."""

    base: Base
    tables: dict[str, TableEntry]


class _Stored(Facts, frozen=True, kw_only=True):
    """A manifest as it lies in the store: it names the base and the deltas by their folders.

    A release a minute would repeat the files of all tables half a million times a year.

    Attributes:
        borrowed: other folders in which some of their files lie: those that hold nothing of whoever
            was taken out of a base.
    """

    base: str
    deltas: tuple[str, ...]
    borrowed: tuple[str, ...] = ()


def current_release(store: Store) -> Manifest | None:
    """The release that readers see; None before the first."""
    number = current_number(store)
    return None if number is None else read_manifest(store, number)


def require_current(store: Store) -> Manifest:
    """The release that readers see.

    Raises:
        ConfigurationError: there is none yet.
    """
    manifest = current_release(store)
    if manifest is None:
        raise no_release(store)
    return manifest


def no_release(store: Store) -> ConfigurationError:
    """What to raise where there is none yet."""
    return ConfigurationError(
        f"{store.location} holds no release yet", "Make one: freg uttrekk komplett, or freg demo"
    )


def read_manifest(store: Store, number: str) -> Manifest:
    """A release by its number, with or without the zeros before it.

    Raises:
        ConfigurationError: there is no such release.
        DamagedError: its manifest isn't as it was written.
        StoreError: another version of this software made it.
    """
    return _Reader(store).manifest(written_out(number))


def read_if_there(store: Store, number: str | None) -> Manifest | None:
    """A release by its number; None if it was purged, or there is none."""
    if number is None or not is_there(store, manifest_key(number)):
        return None
    return read_manifest(store, number)


def write_manifest(store: Store, manifest: Manifest) -> bool:
    """Write a release, and what it shares with others before it; False: the number is taken."""
    base = manifest.base
    known = _folders_of(store, manifest.previous)
    if base.folder not in known:
        _share(store, _base_key(base.folder), _BasePart(base, manifest.tables))
    for delta in manifest.deltas:
        if delta.folder not in known:
            _share(store, _delta_key(delta.folder), delta)
    facts = {name: getattr(manifest, name) for name in Facts.__struct_fields__}
    stored = _Stored(
        **facts,
        base=base.folder,
        deltas=tuple(delta.folder for delta in manifest.deltas),
        borrowed=_borrowed(manifest),
    )
    return write_record(store, manifest_key(manifest.number), stored)


def _borrowed(manifest: Manifest) -> tuple[str, ...]:
    if not manifest.base.erased:
        return ()
    own = {manifest.base.folder, *(delta.folder for delta in manifest.deltas)}
    return tuple(sorted({folder_of(file.key) for file in manifest.files()} - own))


def folder_of(key: str) -> str:
    """The base's or delta's folder that a table's file lies in."""
    parts = key.split("/")
    return "/".join(parts[: 2 if parts[0] == "bases" else 3])


def _folders_of(store: Store, number: str | None) -> set[str]:
    """The folders that a release names; none of one that was purged."""
    if number is None or not is_there(store, manifest_key(number)):
        return set()
    stored = _Reader(store).stored(number)
    return {stored.base, *stored.deltas}


def _share(store: Store, key: str, part: _BasePart | Delta) -> None:
    """Write what releases share; what a killed process left of another making gives way."""
    if write_record(store, key, part):
        return
    try:
        there = read_record(store, key, type(part))
    except (ObjectMissingError, DamagedError):
        there = None
    if there != part and key.rpartition("/")[0] not in named(store).folders:
        replace_record(store, key, part)


class _Reader:
    """Reads manifests, and what they share once only."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bases: dict[str, _BasePart] = {}
        self._deltas: dict[str, Delta] = {}

    def stored(self, number: str) -> _Stored:
        try:
            return recall_record(self._store, manifest_key(number), _Stored)
        except DamagedError as error:
            raise DamagedError(error.key, self._store.location, _DAMAGED) from None
        except ObjectMissingError:
            raise ConfigurationError(
                f"there is no release with that number in {self._store.location}",
                "See freg release list",
            ) from None

    def manifest(self, number: str) -> Manifest:
        stored = self.stored(number)
        if stored.base not in self._bases:
            key = _base_key(stored.base)
            self._bases[stored.base] = self._read(key, _BasePart)
        for folder in stored.deltas:
            if folder not in self._deltas:
                self._deltas[folder] = self._read(_delta_key(folder), Delta)
        part = self._bases[stored.base]
        shared = {
            "base": part.base,
            "tables": part.tables,
            "deltas": tuple(self._deltas[folder] for folder in stored.deltas),
        }
        facts = msgspec.structs.asdict(stored)
        del facts["borrowed"]
        return Manifest(**{**facts, **shared})

    def _read(self, key: str, kind: type[T]) -> T:
        try:
            return recall_record(self._store, key, kind)
        except ObjectMissingError:
            raise DamagedError(key, self._store.location) from None


def _base_key(folder: str) -> str:
    return f"{folder}/_base.json"  # no table's name begins so


def _delta_key(folder: str) -> str:
    return f"{folder}/_delta.json"


def is_shared(key: str) -> bool:
    """Whether an object tells the files of a base or a delta, for all releases that have it."""
    return key.endswith(("/_base.json", "/_delta.json"))


@dataclass(frozen=True)
class Named:
    """What releases name, all of them together.

    Attributes:
        folders: of bases and deltas.
        uttrekk: what they were made of.
    """

    folders: frozenset[str]
    uttrekk: frozenset[str]


def named(store: Store, without: Collection[str] = ()) -> Named:
    """What the releases name that are there now, but for some."""
    stored = _each(store, _Reader(store).stored, without)
    return Named(
        folders=frozenset(
            folder for one in stored for folder in (one.base, *one.deltas, *one.borrowed)
        ),
        uttrekk=frozenset(one.uttrekk for one in stored),
    )


def facts_of(store: Store, number: str) -> Facts:
    """What a release is, at the cost of its manifest alone.

    Raises:
        ConfigurationError: there is no such release.
        DamagedError: its manifest isn't as it was written.
    """
    return _Reader(store).stored(number)


def facts_if_there(store: Store, number: str) -> Facts | None:
    """As :func:`facts_of`; None if it was purged."""
    try:
        return facts_of(store, number)
    except ConfigurationError:
        return None


def published(store: Store, number: str) -> datetime:
    """When a release was published, by the clock of the machine that did so.

    Raises:
        ConfigurationError: there is no such release.
    """
    return facts_of(store, number).created


def current_uttrekk(store: Store) -> str | None:
    """The name of what the current release was made of, at the cost of its manifest alone.

    Raises:
        DamagedError: its manifest isn't as it was written.
    """
    number = current_number(store)
    return None if number is None else facts_of(store, number).uttrekk


def delta_count(store: Store, number: str) -> int:
    """How many deltas a release has, at the cost of its manifest alone.

    Raises:
        ConfigurationError: there is no such release.
        DamagedError: its manifest isn't as it was written.
    """
    return len(_Reader(store).stored(number).deltas)


def release_of_base(store: Store, folder: str) -> Manifest | None:
    """The first release on a base; None: there is none, or none any more."""
    reader = _Reader(store)
    on_it = (one for one in _each(store, reader.stored) if one.base == folder)
    return next((reader.manifest(one.number) for one in on_it), None)


def written_out(number: str) -> str:
    """``000001`` for ``1``; what is no number stays as it is, and names no release."""
    return number.zfill(6) if number.isascii() and number.isdigit() else "none"


def list_releases(store: Store) -> list[Manifest]:
    """All releases, the oldest first."""
    return _each(store, _Reader(store).manifest)


def _each(store: Store, read: Callable[[str], T], without: Collection[str] = ()) -> list[T]:
    """What is read of each release, the oldest first; without those purged meanwhile."""
    found = []
    for number in (one for one in numbers(store) if one not in without):
        try:
            found.append(read(number))
        except ConfigurationError:
            if store.exists(manifest_key(number)):
                raise
    return found
