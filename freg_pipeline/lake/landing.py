"""A fetched batch -> its staging tables in the store, once and whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec

from freg_pipeline.contract import Plan, compile_contract, fingerprint
from freg_pipeline.envelope import is_xml
from freg_pipeline.errors import DamagedError, FregError
from freg_pipeline.journal.measures import BatchTook, Took, just_now, together
from freg_pipeline.journal.request import contract_key
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.naa import persons_now
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.packed import PackedFile, PackedTable, keep_packed, pack
from freg_pipeline.normalize import Chunk, json_answer, normalize_batch
from freg_pipeline.normalize.account import DOCUMENT_TABLE
from freg_pipeline.normalize.write import BatchRows
from freg_pipeline.store import Store, recall_record, write_record

_KEEP_CONTRACT = (
    "Restore it from a copy, or, if it is still the contract in force, begin an uttrekk: that "
    "keeps it anew"
)


_FILE = "tables.arrow"


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
    """

    batch: int
    contract: str
    tables: dict[str, PackedTable]
    file: PackedFile
    outcomes: dict[str, int]
    seconds: float
    took: BatchTook | None = None


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
    """
    end = uttrekk.end
    landed = uttrekk.landed()
    if end is None or not landed.issuperset(range(end)):
        raise FregError(
            f"the uttrekk {uttrekk.name} has landed {len(landed)} of "
            f"{'its' if end is None else end} batches",
            f"Resume it: {uttrekk.resume_command}",
        )
    return list(range(end))


def load_landed(store: Store, place: str, batch: int) -> LandedBatch:
    """What landing a batch gave.

    Raises:
        ObjectMissingError: it has not landed.
    """
    return recall_record(store, staging_key(place, batch, "done.json"), LandedBatch)


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
    done = staging_key(uttrekk.place, batch, "done.json")
    if store.exists(done):
        return load_landed(store, uttrekk.place, batch)
    missing = uttrekk.chunk_count(batch) - len(uttrekk.answered(batch))
    if missing:
        raise FregError(
            f"batch {batch} of {uttrekk.name} lacks the answers to {missing} look-ups",
            f"Fetch it first: freg uttrekk resume {uttrekk.name}",
        )
    started = time.monotonic()
    asked: list[Took] = []
    with store.scratch() as folder:
        chunks = _chunks(uttrekk, batch, plan, asked, progress)
        tables = normalize_batch(chunks, plan, uttrekk.identifier_kind(batch), folder)
        now = _of_now(tables.tables, plan, uttrekk.request.parts)
        packed = folder / _FILE
        where = pack({**tables.tables, **now}, packed)
        file = keep_packed(store, packed_key(uttrekk.place, batch), packed)
    seconds = time.monotonic() - started
    took = BatchTook(uttrekk.batch_took(batch), together(asked), just_now(seconds))
    landed = LandedBatch(
        batch, plan.fingerprint, where, file, tables.outcomes, round(seconds, 3), took
    )
    if not write_record(store, done, landed):
        # Another worker landed it at the same time, from the same answers: its word stands.
        return load_landed(store, uttrekk.place, batch)
    return landed


def _of_now(
    tables: Mapping[str, BatchRows], plan: Plan, parts: Collection[str]
) -> dict[str, BatchRows]:
    """What holds now of each person; nothing where the batch has nobody."""
    rows = persons_now(tables, plan, parts) if DOCUMENT_TABLE in tables else None
    if rows is None or not rows.num_rows:
        return {}
    return {PERSON_NAA.name: BatchRows(rows.schema, held=[rows], rows=rows.num_rows)}


def _chunks(
    uttrekk: Uttrekk,
    batch: int,
    plan: Plan,
    asked: list[Took],
    progress: Callable[[int], None] | None,
) -> Iterator[Chunk]:
    """A batch's answers to be decoded; what they took is noted as they are read."""
    first = 0
    for answer in uttrekk.answers(batch):
        body = answer.body
        asked += [answer.meta.took] if answer.meta.took else []
        if is_xml(body):
            body = json_answer(body, plan.contract.structure)
        yield Chunk(first, answer.asked, body, answer.meta.hentet)
        first += len(answer.asked)
        if progress is not None:
            progress(len(answer.asked))
