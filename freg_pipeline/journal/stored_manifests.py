"""How releases lie in the store: a manifest names its base and its deltas by their folders.

What these consist of is written once, beside their files, and shared by the releases that have
them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from freg_pipeline.errors import ConfigurationError, DamagedError, ObjectMissingError
from freg_pipeline.journal.manifest import Base, Delta, Facts, Manifest, TableEntry
from freg_pipeline.journal.pointer import current_number, manifest_key, numbers
from freg_pipeline.store import Store, is_there, read_record, recall_record, write_record
from freg_pipeline.store.record import replace_record

T = TypeVar("T")

_CURRENT_DAMAGED = (
    "Restore it from a copy; or delete it, which makes the release before it current: freg "
    "hendelser sync goes on from there"
)
_EARLIER_DAMAGED = "Restore it from a copy; or do without that release: freg release purge {}"


class _BasePart(msgspec.Struct, frozen=True):
    """What releases on the same base share."""

    base: Base
    tables: dict[str, TableEntry]


class StoredManifest(Facts, frozen=True, kw_only=True):
    """A manifest as it lies in the store: it names the base and the deltas by their folders.

    A release a minute would repeat the files of all tables half a million times a year.

    Attributes:
        borrowed: other folders in which some of their files lie: those that hold nothing of whoever
            was taken out of a base.
    """

    base: str
    deltas: tuple[str, ...]
    borrowed: tuple[str, ...] = ()


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
    stored = StoredManifest(
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
    stored = Reader(store).stored(number)
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


class Reader:
    """Reads manifests, and what they share once only."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bases: dict[str, _BasePart] = {}
        self._deltas: dict[str, Delta] = {}

    def stored(self, number: str) -> StoredManifest:
        """A manifest as it lies in the store.

        Args:
            number: the release's, written out.

        Raises:
            ConfigurationError: there is no such release.
            DamagedError: it isn't as it was written.
            StoreError: another version of this software made it.
        """
        try:
            return recall_record(self._store, manifest_key(number), StoredManifest)
        except DamagedError as error:
            is_current = number == current_number(self._store)
            remedy = _CURRENT_DAMAGED if is_current else _EARLIER_DAMAGED.format(number)
            raise DamagedError(error.key, self._store.location, remedy) from None
        except ObjectMissingError:
            raise ConfigurationError(
                f"there is no release with that number in {self._store.location}",
                "See freg release list",
            ) from None

    def manifest(self, number: str) -> Manifest:
        """A manifest with what it names; errors as for :meth:`stored`."""
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
    stored = each_release(store, Reader(store).stored, without)
    return Named(
        folders=frozenset(
            folder for one in stored for folder in (one.base, *one.deltas, *one.borrowed)
        ),
        uttrekk=frozenset(one.uttrekk for one in stored),
    )


def each_release(store: Store, read: Callable[[str], T], without: Collection[str] = ()) -> list[T]:
    """What is read of each release, the oldest first; without those purged meanwhile."""
    found = []
    for number in (one for one in numbers(store) if one not in without):
        try:
            found.append(read(number))
        except ConfigurationError:
            if store.exists(manifest_key(number)):
                raise
    return found
