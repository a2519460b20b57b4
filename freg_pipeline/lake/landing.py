"""A fetched batch -> its staging tables in the store, once and whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Self

import msgspec

from freg_pipeline.contract import Plan, compile_contract, fingerprint
from freg_pipeline.envelope import is_xml
from freg_pipeline.errors import DamagedError, FregError
from freg_pipeline.extract.blank import answer_without
from freg_pipeline.journal.batches import CHUNK, chunks
from freg_pipeline.journal.files import damaged
from freg_pipeline.journal.keptout import KeptOut, kept_out
from freg_pipeline.journal.measures import (
    BatchTook,
    Span,
    Took,
    just_now,
    seconds_of,
    together,
    united,
)
from freg_pipeline.journal.raw import RawMeta, read_raw
from freg_pipeline.journal.request import contract_key
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.naa import persons_now
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.packed import PackedFile, PackedTable, keep_packed, pack
from freg_pipeline.normalize import BatchReader, Chunk, json_answer
from freg_pipeline.normalize.account import DOCUMENT_TABLE
from freg_pipeline.normalize.batch import SpareColumns
from freg_pipeline.normalize.write import BatchRows
from freg_pipeline.store import Store, is_there, recall_record, write_record

_KEEP_CONTRACT = (
    "Restore it from a copy, or, if it is still the contract in force, begin an uttrekk: that "
    "keeps it anew"
)


_FILE, _DONE = "tables.arrow", "done.json"


class LandedBatch(msgspec.Struct, frozen=True):
    """A batch whose staging tables are in the store.

    Attributes:
        batch: its number.
        contract: fingerprint of the contract that it was decoded by.
        tables: staging tables; those without rows aren't there.
        file: the file that they lie in.
        outcomes: identifiers by ``utfall``: dokument, borte, feilet.
        seconds: what it took.
        took: the same, and what its identifiers and its answers took.
        kept_out: the last order of whom to keep out that was followed.
    """

    batch: int
    contract: str
    tables: dict[str, PackedTable]
    file: PackedFile
    outcomes: dict[str, int]
    seconds: float
    took: BatchTook | None = None
    kept_out: int = 0


def load_plan(store: Store, contract: str) -> Plan:
    """The plan of tables by a contract that the store keeps, by its fingerprint.

    Raises:
        DamagedError: it isn't as it was written.
        ObjectMissingError: the store doesn't hold it.
        ContractError: it can't be compiled.
    """
    xsd = store.recall(contract_key(contract))
    if fingerprint(xsd) != contract:
        raise DamagedError(contract_key(contract), store.location, _KEEP_CONTRACT)
    return compile_contract(xsd)


def staging_key(place: str, batch: int, file: str) -> str:
    """Where a staging file of a batch lies; ``place`` as the uttrekk tells it."""
    return f"uttrekk/{place}/tables/{batch:06d}/{file}"


def packed_key(place: str, batch: int) -> str:
    """Where the staging tables of a batch lie."""
    return staging_key(place, batch, _FILE)


def require_landed(uttrekk: Uttrekk) -> list[int]:
    """An uttrekk's batches, all of which have landed: each counts, so that none is passed over.

    Raises:
        FregError: some have not.
        DamagedError: somebody was erased since one has landed: it has to land anew.
    """
    end = uttrekk.end
    landed = uttrekk.landed()
    if end is None or not landed.issuperset(range(end)):
        raise FregError(
            f"the uttrekk {uttrekk.name} has landed {len(landed)} of "
            f"{'its' if end is None else end} batches",
            f"Resume it: {uttrekk.resume_command}",
        )
    out = kept_out(uttrekk.store).number
    for batch in range(end) if out else ():
        if load_landed(uttrekk.store, uttrekk.place, batch).kept_out != out:
            raise damaged(uttrekk.store, staging_key(uttrekk.place, batch, _DONE))
    return list(range(end))


def load_landed(store: Store, place: str, batch: int) -> LandedBatch:
    """What landing a batch gave.

    Raises:
        ObjectMissingError: it has not landed.
    """
    return recall_record(store, staging_key(place, batch, _DONE), LandedBatch)


def land_batch(
    store: Store,
    uttrekk: Uttrekk,
    batch: int,
    plan: Plan,
    *,
    progress: Callable[[int], None] | None = None,
) -> LandedBatch:
    """Make a batch's staging tables, unless they are there already.

    Args:
        store: where the answers lie and the tables go.
        uttrekk: whose batch it is; every chunk of it must be answered.
        batch: its number.
        plan: the contract's tables.
        progress: told how many more identifiers have been decoded.

    Raises:
        FregError: the batch isn't fetched in full.
    """
    done = staging_key(uttrekk.place, batch, _DONE)
    if is_there(store, done):
        return load_landed(store, uttrekk.place, batch)
    missing = uttrekk.chunk_count(batch) - len(uttrekk.answered(batch))
    if missing:
        raise FregError(
            f"batch {batch} of {uttrekk.name} lacks the answers to {missing} look-ups",
            f"Fetch it first: freg uttrekk resume {uttrekk.name}",
        )
    with Landing(uttrekk, batch, plan, progress) as landing:
        return landing.finish()


class Landing:
    """A batch on its way into its staging tables. A context manager.

    Answers may be given to it as they come, in any order; what wasn't is read from the store. Not
    to be used by two threads at once.

    Args:
        uttrekk: whose batch it is.
        batch: its number.
        plan: the contract's tables.
        progress: told how many more identifiers have been decoded.
        spare: columns that other batches' landings are done with, and gets this one's.
        out: who is kept out, as was found for the batch's answers; None: it is looked up.
    """

    def __init__(
        self,
        uttrekk: Uttrekk,
        batch: int,
        plan: Plan,
        progress: Callable[[int], None] | None = None,
        spare: SpareColumns | None = None,
        out: KeptOut | None = None,
    ) -> None:
        self._uttrekk = uttrekk
        self._batch = batch
        self._plan = plan
        self._progress = progress or (lambda _: None)
        self._out = kept_out(uttrekk.store) if out is None else out
        self._chunks = chunks(uttrekk.identifiers(batch))
        self._read: set[int] = set()
        self._took: dict[int, Took] = {}
        self._spans: list[Span] = []
        with ExitStack() as opened:
            self._folder = opened.enter_context(uttrekk.store.scratch())
            kind = uttrekk.identifier_kind(batch)
            self._reader = BatchReader(plan, kind, self._folder, spare)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what lies in files meanwhile."""
        self._opened.close()

    def add_plain(self, chunk: int, body: bytes, hentet: datetime) -> bool:
        """Read a look-up's answer, if it answers everything in the contract's plain form."""
        with self._timed(chunk):
            if self._reader.add_plain(Chunk(chunk * CHUNK, self._chunks[chunk], body, hentet)):
                self._read.add(chunk)
        return chunk in self._read

    def add(self, chunk: int, meta: RawMeta, body: bytes) -> None:
        """Read the answer to a look-up as it is kept, unless it was read; note what it took."""
        if meta.took:
            self._took[chunk] = meta.took
        if chunk in self._read:
            return
        with self._timed(chunk):
            if (
                self._out and meta.kept_out != self._out.number
            ):  # whoever kept it may have begun before somebody was erased
                kind = self._uttrekk.identifier_kind(self._batch)
                body = answer_without(body, kind, self._out) or body
            if is_xml(body):
                body = json_answer(body, self._plan.contract.structure)
            self._reader.add(Chunk(chunk * CHUNK, self._chunks[chunk], body, meta.hentet))
            self._read.add(chunk)

    def finish(self) -> LandedBatch:
        """Read what wasn't yet, and put the tables into the store.

        Raises:
            ObjectMissingError, DamagedError: an answer isn't kept, or isn't as it was.
        """
        uttrekk, batch, store = self._uttrekk, self._batch, self._uttrekk.store
        for chunk in range(len(self._chunks)):
            if chunk not in self._took:
                self.add(chunk, *read_raw(store, uttrekk.answer_key(batch, chunk)))
        started = time.monotonic()
        tables = self._reader.close()
        now = _of_now(tables.tables, self._plan, uttrekk.request.parts)
        packed = self._folder / _FILE
        where = pack({**tables.tables, **now}, packed)
        self._reader.give_back()
        file = keep_packed(store, packed_key(uttrekk.place, batch), packed)
        spans = united([*self._spans, just_now(time.monotonic() - started)])
        took = BatchTook(uttrekk.batch_took(batch), together(self._took.values()), spans)
        contract, seconds = self._plan.fingerprint, round(seconds_of(spans), 3)
        landed = LandedBatch(
            batch, contract, where, file, tables.outcomes, seconds, took, self._out.number
        )
        if not write_record(store, staging_key(uttrekk.place, batch, _DONE), landed):
            # Another worker landed it at the same time, from the same answers: its word stands.
            return load_landed(store, uttrekk.place, batch)
        return landed

    @contextmanager
    def _timed(self, chunk: int) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._spans.append(just_now(time.monotonic() - started))
        if chunk in self._read:
            self._progress(len(self._chunks[chunk]))


def _of_now(
    tables: Mapping[str, BatchRows], plan: Plan, parts: Collection[str]
) -> dict[str, BatchRows]:
    """What holds now of each person; nothing where the batch has nobody."""
    rows = persons_now(tables, plan, parts) if DOCUMENT_TABLE in tables else None
    if rows is None or not rows.num_rows:
        return {}
    return {PERSON_NAA.name: BatchRows(rows.schema, held=[rows], rows=rows.num_rows)}
