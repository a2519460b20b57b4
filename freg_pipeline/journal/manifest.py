"""What a release is: a base, and the deltas on top of it, the oldest first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate

import msgspec

from freg_pipeline.journal.accounting import Accounting
from freg_pipeline.journal.files import KeptFile
from freg_pipeline.journal.kinds import KindName
from freg_pipeline.journal.measures import Measures
from freg_pipeline.journal.request import ContractSource


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
        ordered: when that uttrekk was begun.
        recorded: when the register had recorded what that position tells: as a delta's; of a full
            load the same as ``ordered``, since the position is noted right before.
        buckets: how many buckets it is split into.
        identity: files of who claims which number; see freg_pipeline.lake.identity.
        folder: where its files lie.
        erased: the release in which somebody was last taken out of it; 0: nobody was.
    """

    uttrekk: str
    contract: str
    sekvensnummer: int
    ordered: datetime
    recorded: datetime
    buckets: int
    identity: TableEntry
    folder: str
    erased: int = 0

    @property
    def suffix(self) -> str:
        """What names end in that are made of it: another one once somebody was taken out."""
        return f".e{self.erased:06d}" if self.erased else ""


class Delta(msgspec.Struct, frozen=True):
    """What an uttrekk of events changed, or several that followed each other.

    Attributes:
        uttrekk: its name; of several, the last one's.
        sekvensnummer: its last event.
        recorded: when the register had recorded that; where it holds none of the events itself,
            when the uttrekk was begun.
        contract: fingerprint of the contract that gave its files' columns.
        events: how many events it holds.
        persons: persons whose rows it holds.
        replaced: persons whose earlier rows it hides: those, and persons merged away or gone.
        missing: persons known to the register whose rows nobody delivered; see the check
            ``persons_delivered``.
        files: by table; a table without rows has none. Beside the tables ``_erstattet`` (whom it
            replaces) and ``_identitet`` (who claims which number).
        folder: where they lie.
        grown: by how many rows each table grows for readers; below 0: it shrinks. Those that stay
            as long as they are aren't there.
        syncs: how many uttrekk of events it holds.
    """

    uttrekk: str
    sekvensnummer: int
    recorded: datetime
    contract: str
    events: int
    persons: int
    replaced: int
    missing: int
    files: dict[str, TableFile]
    folder: str
    grown: dict[str, int]
    syncs: int = 1

    def touched(self) -> set[str]:
        """The tables that it brings rows of, or takes rows from."""
        return {*self.files, *self.grown}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a release is, but for its files: the part of a manifest that no other release shares.

    Attributes:
        number: its name: ``000001``, ascending.
        created: when (UTC).
        kind: what its base is: komplett, tilpasset, liste or soek.
        uttrekk: the uttrekk that it was made of, of events where that came last.
        environment: which register.
        rettighetspakke: the package of rights.
        parts: the ``part``s that were asked for.
        contract: fingerprint of the contract; ``contracts/<fingerprint>.xsd`` holds it.
        sekvensnummer: the event list's position that the tables are good to.
        accounting: what became of the identifiers delivered, by the uttrekk that it was made of.
        incomplete: something failed or is unexplained, and it was released all the same.
        previous: the release that was current before.
        persons: rows of ``person``, its deltas counted in.
        contract_from: where the contract was found: the register may serve none.
        parts_refused: the ``part``s that the register refused: their tables are empty.
        measures: what the uttrekk took that it was made of.
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
    accounting: Accounting
    incomplete: bool
    previous: str | None
    persons: int
    contract_from: ContractSource = "register"
    parts_refused: tuple[str, ...] = ()
    measures: Measures = Measures()


class Manifest(Facts, frozen=True, kw_only=True):
    """What a release is, with all of its files.

    Attributes:
        tables: the base's tables with their files, rows and hashes.
        base: where the base came from.
        deltas: what is on top of it, the oldest first.
    """

    tables: dict[str, TableEntry]
    base: Base
    deltas: tuple[Delta, ...] = ()

    def files(self) -> Iterator[TableFile]:
        """Every file that it names."""
        for entry in (*self.tables.values(), self.base.identity):
            yield from entry.files
        for delta in self.deltas:
            yield from delta.files.values()

    @property
    def mark(self) -> str:
        """What no other store's release of this number has, for whoever keeps a copy."""
        told = (self.number, self.uttrekk, self.created, self.base.folder)
        return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:16]

    def positions(self) -> list[int]:
        """The event list's positions whose state it can show, ascending."""
        return [self.base.sekvensnummer, *(delta.sekvensnummer for delta in self.deltas)]

    def recorded(self) -> list[datetime]:
        """When the register had recorded each of :meth:`positions`; these ascend too."""
        times = [self.base.recorded, *(delta.recorded for delta in self.deltas)]
        return list(accumulate(times, max))

    def at(self, sekvensnummer: int) -> Manifest:
        """The release without the deltas after a position."""
        deltas = tuple(one for one in self.deltas if one.sekvensnummer <= sekvensnummer)
        return msgspec.structs.replace(self, deltas=deltas)


def base_folder(name: str) -> str:
    """Where the files of a full load's base lie, or of a compaction's."""
    return f"bases/{name}"
