"""The base's own files as tables of Iceberg and Delta, for engines that know nothing of ours.

Nothing is copied: only what tells which files there are is written. So these tables show the base,
which is the state of the last full load or compaction, and not what syncs have brought since.
Of rows and values nothing is told beside counts: bounds of columns would be somebody's numbers and
names, and those who are erased would stay in them (docs/decisions/0085).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

import msgspec
import pyarrow as pa

from freg_pipeline.errors import (
    ConfigurationError,
    DamagedError,
    ObjectMissingError,
    StoreError,
)
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.journal.registered import (
    FOLDER,
    FORMATS,
    Registered,
    note_registered,
    registered,
    registered_key,
)
from freg_pipeline.journal.releases import current_release, require_current
from freg_pipeline.lake.columns_told import comments, numbered
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import layouts
from freg_pipeline.lake.tables import HENDELSE_EGENSKAP
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)

# What views show of some persons only, and files of all: no part of these tables.
_LEFT_OUT = {HENDELSE_EGENSKAP.name: {"innhold"}}
_TRIES = 5  # to register a base that others register at the same time
_MISSING = "Install it: pip install 'freg_pipeline[open]'"


@dataclass(frozen=True)
class OpenTable:
    """A table of a base.

    Attributes:
        name: as its view is called.
        comment: what a row is.
        schema: the columns that users see, with their numbers and comments.
        files: of the base.
    """

    name: str
    comment: str
    schema: pa.Schema
    files: tuple[TableFile, ...]


@dataclass(frozen=True)
class OpenState:
    """What is registered.

    Attributes:
        release: the release whose base it is.
        base: the base's folder.
        folders: of all its files: those of persons who weren't erased stay where they were.
        sekvensnummer: the event list's position that the base is good to.
        created: when the release was published, as milliseconds since 1970.
        root: what readers call the store's root, as a URI.
        tables: of the base.
        erased: the release in which somebody was last taken out: what told of the states before
            names files that are gone. 0: nobody was.
    """

    release: str
    base: str
    folders: tuple[str, ...]
    sekvensnummer: int
    created: int
    root: str
    tables: tuple[OpenTable, ...]
    erased: int = 0


class _Format(Protocol):
    """A module that knows a format."""

    def write_tables(
        self, store: Store, state: OpenState, before: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Write what tells of a base's files, in place of what isn't as it was written before.

        Returns:
            Where each table is opened; what tells of them, with its SHA-256.
        """
        ...

    def clear_tables(self, store: Store, state: OpenState) -> None:
        """Remove what no longer tells of anything, but what readers of the state before need."""
        ...


def register(store: Store, kind: str) -> Registered:
    """Register the current base in a format.

    Of several who do so at once, none leaves it at a base that isn't current, nor what tells of it
    other than it is said to be.

    Args:
        store: where it lies.
        kind: iceberg or delta.

    Raises:
        ConfigurationError: there is no release, or the format's library isn't installed.
        StoreError: it can't be written, or doesn't stay as it is written.
    """
    form = _module(kind)
    tries = _TRIES
    while True:
        told, base = _registered_once(store, kind, form)
        current = current_release(store)
        if current is not None and current.base.folder != base:
            continue
        if not _damaged(store, told):
            return told
        tries -= 1  # another has written of another release meanwhile
        if not tries:
            raise StoreError(
                f"what tells {kind} of the base's files doesn't stay as it is written",
                "See that nobody else writes in the store's folder formats/, and register it "
                f"again: freg catalogue --format {kind}",
            )


def _registered_once(store: Store, kind: str, form: _Format) -> tuple[Registered, str]:
    """Register the current base; what was said of it, and the base's folder."""
    state = open_state(store, require_current(store))
    before, _ = _unless_damaged(store, kind)
    told = Registered(state.folders, state.release, state.sekvensnummer, state.root, {})
    both = dict.fromkeys([*(before.bases if before else ()), *state.folders])
    note_registered(store, kind, msgspec.structs.replace(told, bases=tuple(both)))
    tables, objects = form.write_tables(store, state, before.objects if before else {})
    told = msgspec.structs.replace(told, tables=tables, objects=objects)
    note_registered(store, kind, told)
    form.clear_tables(store, state)
    return told, state.base


def withdraw(store: Store, kind: str) -> None:
    """Take a format's tables away; the base's files stay."""
    store.delete_all(store.list(f"{FOLDER}/{kind}/"))
    try:
        there = registered(store, kind)
        bases = there.bases if there is not None else ()
    except DamagedError:  # it may be any
        bases = tuple(f"bases/{name}" for name in store.folders("bases/"))
    for base in bases:
        store.delete_all(one for one in store.list(f"{base}/") if f"/_{kind}_log/" in one)
    store.delete(registered_key(kind))


def renew(
    store: Store, wanted: Iterable[str] = (), *, anew: bool = False, thorough: bool = False
) -> list[str]:
    """Register anew what is registered of another base than the current one.

    Args:
        store: where it lies.
        wanted: formats to register in even if nothing is; else those that are.
        anew: also what is registered of the current base: whoever did so may have been killed
            before it had removed what told of the one before.
        thorough: also what isn't as it was written. All of it is read for that.

    Returns:
        The formats that stay as they were, since a library or the room for it is missing. Readers
        go on with the base that they have, and no purge takes its files away.
    """
    current = current_release(store)
    if current is None:
        return []
    left = []
    for kind in FORMATS:
        there, is_there = _unless_damaged(store, kind)
        if not is_there and kind not in wanted:
            continue
        good = there is not None and not anew and _is_current(store, there, current)
        if there is not None and good and not (thorough and _damaged(store, there)):
            continue
        try:
            register(store, kind)
        except (ConfigurationError, StoreError) as error:
            logger.warning("the tables for %s show the base before: %s", kind, error)
            left.append(kind)
    return left


def damaged_tables(store: Store, manifest: Manifest) -> dict[str, str]:
    """What tells of a release's base in a format, and isn't as it was written: keys, by format."""
    found = {}
    for kind in FORMATS:
        try:
            there = registered(store, kind)
        except DamagedError as error:
            found[error.key] = kind
            continue
        if there is not None and _is_current(store, there, manifest):
            found.update(dict.fromkeys(_damaged(store, there), kind))
    return found


def _damaged(store: Store, there: Registered) -> list[str]:
    """What tells of a base, and isn't as it was written."""
    return [key for key, digest in there.objects.items() if not is_whole(store, key, digest)]


def is_whole(store: Store, key: str, digest: str | None) -> bool:
    """Whether an object has the SHA-256 that it was written with."""
    try:
        return digest is not None and digest_of(store.read(key)) == digest
    except ObjectMissingError:
        return False


def digest_of(content: bytes) -> str:
    """Its SHA-256."""
    return hashlib.sha256(content).hexdigest()


def bases_after_renewal(store: Store) -> frozenset[str]:
    """The folders of the bases that tables will name once :func:`renew` has been here."""
    current = current_release(store)
    found = set[str]()
    for kind in FORMATS:
        there, is_there = _unless_damaged(store, kind)
        if not is_there:
            continue
        bases = () if there is None else there.bases
        try:
            _module(kind)
        except ConfigurationError:  # they stay as they are
            found.update(bases)
        else:
            found.update(bases if current is None else _folders(current))
    return frozenset(found)


def _unless_damaged(store: Store, kind: str) -> tuple[Registered | None, bool]:
    """What is registered, if that can be told, and whether anything is."""
    try:
        there = registered(store, kind)
    except DamagedError as error:
        logger.warning("%s; the tables for %s are registered anew", error.what, kind)
        return None, True
    return there, there is not None


def open_state(store: Store, manifest: Manifest) -> OpenState:
    """What there is to register of a release: its base."""
    base = manifest.base
    return OpenState(
        manifest.number,
        base.folder,
        _folders(manifest),
        base.sekvensnummer,
        int(manifest.created.timestamp() * 1000),
        _root(store),
        tuple(_tables(store, manifest)),
        base.erased,
    )


def _is_current(store: Store, there: Registered, current: Manifest) -> bool:
    return there.bases == _folders(current) and there.root == _root(store)


def _folders(manifest: Manifest) -> tuple[str, ...]:
    """The folders that a base's files lie in, its own first."""
    files = (file for entry in manifest.tables.values() for file in entry.files)
    others = (one.key.split("/")[:2] for one in files)
    return tuple(dict.fromkeys([manifest.base.folder, *map("/".join, others)]))


def _tables(store: Store, manifest: Manifest) -> Iterator[OpenTable]:
    for layout in layouts(load_plan(store, manifest.base.contract)):
        if layout.name not in manifest.tables:  # no table that users see
            continue
        left_out = _LEFT_OUT.get(layout.name, set())
        names = [
            one for one in layout.schema.names if not one.startswith("_") and one not in left_out
        ]
        told = comments(layout.schema)["comment"]
        schema = numbered(layout.schema)
        visible = pa.schema([schema.field(name) for name in names])
        yield OpenTable(layout.name, told, visible, manifest.tables[layout.name].files)


def _root(store: Store) -> str:
    """What readers call the store's root, as a URI."""
    root = store.reading.root or store.location
    if "://" in root:
        return root
    return "file://" + (root if root.startswith("/") else "/" + root.replace("\\", "/"))


def _module(kind: str) -> _Format:
    try:
        return cast("_Format", import_module(f"freg_pipeline.lake.open_{kind}"))
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("freg_pipeline"):
            raise
        raise ConfigurationError(f"{error.name} isn't installed, for {kind}", _MISSING) from None
