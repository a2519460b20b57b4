"""The base of a release, made piece by piece: its plan, and what of it is made.

First it is settled who landed, which needs all documents' accounts at once and little of each:
that is the plan (freg_pipeline.lake.planning), with our own tables, which follow from it alone.
Then each bucket of persons is a piece (freg_pipeline.lake.piece), made by whatever worker is free.
A piece is finished by one object, so that a killed one's is made again, and two who make the same
one write the same names. Whoever finds that all are made publishes.
"""

from __future__ import annotations

import msgspec

from freg_pipeline.journal.accounting import Accounting
from freg_pipeline.journal.manifest import Base, TableEntry, TableFile, base_folder
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import layouts
from freg_pipeline.lake.tables import IDENTITY
from freg_pipeline.store import Store, read_record


class BasePlan(msgspec.Struct, frozen=True):
    """Who landed, by bucket, and what follows from it alone.

    Attributes:
        staging: fingerprint of the staging tables that tell it.
        accounting: of the uttrekk.
        documents: for each bucket the SHA-256 of the object that tells its documents.
        tables: our own tables.
        seconds: what it took.
    """

    staging: str
    accounting: Accounting
    documents: tuple[str, ...]
    tables: dict[str, TableEntry]
    seconds: float

    @property
    def buckets(self) -> int:
        """How many there are, a piece each."""
        return len(self.documents)


class MadePiece(msgspec.Struct, frozen=True):
    """A bucket whose files are in the store.

    Attributes:
        staging: fingerprint of the staging tables that it was made of.
        files: by table; of a table without rows there may be none.
        seconds: what it took.
    """

    staging: str
    files: dict[str, TableFile]
    seconds: float

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(file.rows for file in self.files.values())


def plan_key(uttrekk: Uttrekk) -> str:
    """Where the plan of an uttrekk's base lies."""
    return f"{base_folder(uttrekk.name)}/plan.json"


def documents_key(uttrekk: Uttrekk, piece: int) -> str:
    """Where it lies which documents a bucket is made of."""
    return f"{base_folder(uttrekk.name)}/documents/{piece:04d}.arrow"


def piece_key(uttrekk: Uttrekk, piece: int) -> str:
    """Where the record of a piece lies."""
    return f"{base_folder(uttrekk.name)}/{piece:04d}.json"


def file_key(uttrekk: Uttrekk, table: str, bucket: int) -> str:
    """Where a table's file lies."""
    return f"{base_folder(uttrekk.name)}/{table}/{bucket:04d}.parquet"


def read_plan(store: Store, uttrekk: Uttrekk) -> BasePlan | None:
    """The plan of an uttrekk's base; None: there is none yet."""
    key = plan_key(uttrekk)
    return read_record(store, key, BasePlan) if store.exists(key) else None


def pieces_left(store: Store, uttrekk: Uttrekk) -> frozenset[int] | None:
    """The buckets that are planned and not made yet; None: nothing is planned."""
    plan = read_plan(store, uttrekk)
    if plan is None:
        return None
    made = set(store.list(f"{base_folder(uttrekk.name)}/0"))  # no table's name begins so
    every = range(plan.buckets)
    return frozenset(piece for piece in every if piece_key(uttrekk, piece) not in made)


def base_of(
    store: Store, uttrekk: Uttrekk, plan: BasePlan, made: list[MadePiece]
) -> tuple[dict[str, TableEntry], Base]:
    """The tables of a base whose pieces are all made, and the base."""
    request = uttrekk.request
    tables = {}
    for layout in layouts(load_plan(store, request.contract)):
        files = [one.files[layout.name] for one in made if layout.name in one.files]
        entry = TableEntry(sum(file.rows for file in files), tuple(files))
        tables[layout.name] = plan.tables.get(layout.name, entry)
    base = Base(
        uttrekk=uttrekk.name,
        contract=request.contract,
        sekvensnummer=uttrekk.sekvensnummer,
        ordered=request.created,
        recorded=request.created,
        buckets=plan.buckets,
        identity=tables.pop(IDENTITY.name),
        folder=base_folder(uttrekk.name),
    )
    return tables, base
