"""Releases as they lie in the store: manifests, and the pointer to the current one.

A release is a base (the files of all tables, split into buckets) and the deltas on top of it, the
oldest first. A manifest names all of their files; files are shared by the releases that name them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from freg_pipeline.errors import ConfigurationError, DamagedError, ObjectMissingError
from freg_pipeline.journal.accounting import Accounting
from freg_pipeline.journal.kept import KeptFile
from freg_pipeline.journal.kinds import KindName
from freg_pipeline.journal.uttrekk import ContractSource
from freg_pipeline.store import Store, read_record
from freg_pipeline.store.record import replace_record

POINTER = "releases/current.json"


class TableFile(KeptFile, frozen=True, kw_only=True):
    """One file of a table: which bucket, and what was written."""

    key: str
    bucket: int


class TableEntry(msgspec.Struct, frozen=True):
    """A table of a base."""

    rows: int
    files: tuple[TableFile, ...]


class Base(msgspec.Struct, frozen=True):
    """Where a release's base came from.

    Attributes:
        uttrekk: the full load, or the selection, that all of it began with.
        contract: fingerprint of the contract that gave its files' columns.
        sekvensnummer: the event list's position that it is good to.
        buckets: how many buckets it is split into.
        identity: files of who claims which number; see freg_pipeline.lake.identity.
    """

    uttrekk: str
    contract: str
    sekvensnummer: int
    buckets: int
    identity: TableEntry


class Delta(msgspec.Struct, frozen=True):
    """What an uttrekk of events changed.

    Attributes:
        uttrekk: its name.
        sekvensnummer: its last event.
        contract: fingerprint of the contract that gave its files' columns.
        events: how many events it holds.
        persons: persons whose rows it holds.
        replaced: persons whose earlier rows it hides: those, and persons merged away or gone.
        missing: persons known to the register whose rows nobody delivered; see the check
            ``persons_delivered``.
        files: by table; a table without rows has none. Beside the tables ``_erstattet`` (whom it
            replaces) and ``_identitet`` (who claims which number).
    """

    uttrekk: str
    sekvensnummer: int
    contract: str
    events: int
    persons: int
    replaced: int
    missing: int
    files: dict[str, TableFile]


class Manifest(msgspec.Struct, frozen=True):
    """What a release is.

    Attributes:
        number: its name: ``000001``, ascending.
        created: when (UTC).
        kind: what its base is: komplett, tilpasset, liste or soek.
        uttrekk: the uttrekk that it was made of, of events where that came last.
        environment: which register.
        rettighetspakke: the package of rights.
        parts: the ``part``s that were asked for.
        parts_refused: those that the register refused; what only they give is missing.
        contract: fingerprint of the contract; ``contracts/<fingerprint>.xsd`` holds it.
        contract_from: where that was found: the register may serve none.
        sekvensnummer: the event list's position that the tables are good to.
        tables: the base's tables with their files, rows and hashes.
        accounting: what became of the identifiers delivered, by the uttrekk that it was made of.
        incomplete: something failed or is unexplained, and it was released all the same.
        previous: the release that was current before.
        persons: rows of ``person``, its deltas counted in.
        base: where the base came from.
        deltas: what is on top of it, the oldest first.
    """

    number: str
    created: datetime
    kind: KindName
    uttrekk: str
    environment: str
    rettighetspakke: str
    parts: tuple[str, ...]
    contract: str
    sekvensnummer: int
    tables: dict[str, TableEntry]
    accounting: Accounting
    incomplete: bool
    previous: str | None
    persons: int
    base: Base
    deltas: tuple[Delta, ...] = ()
    contract_from: ContractSource = "register"
    parts_refused: tuple[str, ...] = ()

    def files(self) -> Iterator[TableFile]:
        """Every file that it names."""
        for entry in (*self.tables.values(), self.base.identity):
            yield from entry.files
        for delta in self.deltas:
            yield from delta.files.values()

    def positions(self) -> list[int]:
        """The event list's positions whose state it can show, ascending."""
        return [self.base.sekvensnummer, *(delta.sekvensnummer for delta in self.deltas)]

    def at(self, sekvensnummer: int) -> Manifest:
        """The release without the deltas after a position."""
        deltas = tuple(one for one in self.deltas if one.sekvensnummer <= sekvensnummer)
        return msgspec.structs.replace(self, deltas=deltas)


class _Pointer(msgspec.Struct, frozen=True):
    release: str


def manifest_key(number: str) -> str:
    """Where a release's manifest lies."""
    return f"releases/{number}/manifest.json"


def numbers(store: Store) -> list[str]:
    """The numbers of all releases, ascending."""
    keys = store.list("releases/")
    return sorted(key.split("/")[1] for key in keys if key.endswith("/manifest.json"))


def following(number: str | None) -> str:
    """The number after that of the newest release; None: there is none."""
    return f"{int(number or 0) + 1:06d}"


def current_number(store: Store) -> str | None:
    """The number of the current release; None before the first.

    A pointer that is gone or damaged is computed: what is published last is current.
    """
    return _pointer(store) or max(numbers(store), default=None)


def _pointer(store: Store) -> str | None:
    try:
        return read_record(store, POINTER, _Pointer).release
    except (ObjectMissingError, DamagedError):
        return None


def point_to_newest(store: Store) -> None:
    """Make the newest release current.

    The pointer is looked at once more after it was written: of two who publish at the same time,
    the slower one could have set it back.
    """
    while (_pointer(store) or "") < (newest := max(numbers(store), default="")):
        replace_record(store, POINTER, _Pointer(newest))


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
        raise ConfigurationError(
            f"{store.location} holds no release yet",
            "Make one: freg uttrekk komplett, or freg demo",
        )
    return manifest


def read_manifest(store: Store, number: str) -> Manifest:
    """A release by its number, with or without the zeros before it.

    Raises:
        ConfigurationError: there is no such release.
        StoreError: it is damaged, or another version of this software made it.
    """
    number = written_out(number)
    try:
        return read_record(store, manifest_key(number), Manifest)
    except ObjectMissingError:
        raise ConfigurationError(
            f"there is no release of that number in {store.location}", "See freg release list"
        ) from None


def written_out(number: str) -> str:
    """``000001`` for ``1``; what is no number stays as it is, and names no release."""
    return number.zfill(6) if number.isascii() and number.isdigit() else "none"


def list_releases(store: Store) -> list[Manifest]:
    """All releases, the oldest first."""
    return [read_manifest(store, number) for number in numbers(store)]
