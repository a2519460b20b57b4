"""A batch's raw answers -> its staging tables, and one row of account for each identifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Kind, Plan
from freg_pipeline.contract.plan import PERSON_COLUMN
from freg_pipeline.envelope import IdentifierKind
from freg_pipeline.normalize.flatten import Rows, flatten
from freg_pipeline.normalize.person import current_numbers, recorded_at
from freg_pipeline.normalize.read import Chunk, Frame, Reader, Reading, groups
from freg_pipeline.normalize.unknown import UnknownFields
from freg_pipeline.normalize.write import TableFiles

CHUNKS_AT_ONCE = 10  # about 60 MB of JSON; fewer make each column's fixed costs felt
DOCUMENT_TABLE = "dokument"  # the account: one row for each identifier delivered
UNKNOWN_TABLE = "ukjent_felt"

_TIME = pa.timestamp("us", tz="UTC")
DOCUMENT_SCHEMA = pa.schema(
    [
        ("dok_nr", pa.int32()),
        ("identifikator", pa.string()),
        ("utfall", pa.string()),
        ("aarsak", pa.string()),
        ("sti", pa.string()),
        (PERSON_COLUMN, pa.string()),
        ("dokumentidentifikator", pa.string()),
        ("ajourholdt", _TIME),
        ("hentet", _TIME),
    ]
)


@dataclass(frozen=True)
class BatchTables:
    """What a batch gave.

    Attributes:
        files: finished Parquet files by table; tables without rows have none.
        rows: rows by table.
        outcomes: identifiers by ``utfall``: dokument, borte, feilet.
    """

    files: dict[str, Path]
    rows: dict[str, int]
    outcomes: dict[str, int]


def normalize_batch(
    chunks: Iterator[Chunk], plan: Plan, kind: IdentifierKind, folder: Path
) -> BatchTables:
    """Write the staging tables of one batch into ``folder``.

    Args:
        chunks: the answered look-ups, in the batch's order; held ``CHUNKS_AT_ONCE`` at a time.
        plan: the contract's tables.
        kind: what the identifiers are; persons are asked for by number, documents by their own id.
        folder: where the files go.
    """
    unknown = UnknownFields()
    reader = Reader(plan, unknown)
    files = TableFiles(folder)
    outcomes: Counter[str] = Counter()
    for group in groups(chunks, CHUNKS_AT_ONCE):
        reading = reader.read(group)
        account = _Account(group, kind)
        for frame in reading.frames:
            _write_frame(frame, plan, account, reading, files)
        outcomes += account.close(reading, files)
    if unknown.counts:
        files.add(UNKNOWN_TABLE, unknown.to_table())
    return BatchTables(files.close(), files.rows, dict(outcomes))


def _write_frame(
    frame: Frame, plan: Plan, account: _Account, reading: Reading, files: TableFiles
) -> None:
    tables = list(flatten(frame, plan))
    numbers = account.numbers(frame, tables)
    wrong = _wrong_documents(tables, numbers)
    if wrong:  # rare: leave those documents out, and flatten the others again
        for index, (path, why) in wrong.items():
            reading.failed[int(frame.dok_nr[index])] = (path, why)
        keep = np.ones(len(frame.documents), dtype=bool)
        keep[list(wrong)] = False
        frame = Frame(frame.documents.filter(pa.array(keep)), frame.dok_nr[keep])
        tables = list(flatten(frame, plan))
        numbers = numbers.filter(pa.array(keep))
    account.note(frame, numbers, recorded_at(tables, len(frame.documents)))
    for rows in tables:
        codes = tuple(c.name for c in rows.table.columns if c.kind is Kind.CODE)
        files.add(rows.table.name, _table(rows, frame.dok_nr, numbers), dictionaries=codes)


def _wrong_documents(tables: list[Rows], numbers: pa.Array) -> dict[int, tuple[str, str]]:
    """Documents with a value that can't be what the contract says, or without a person."""
    wrong = {
        int(document): (path, "verdien er ikke av kontraktens type")
        for rows in tables
        for path, bad in rows.bad.items()
        for document in rows.parent[bad]
    }
    for index in np.flatnonzero(numbers.is_null().to_numpy(zero_copy_only=False)):
        wrong[int(index)] = ("identifikasjonsnummer", "dokumentet sier ikke hvem det gjelder")
    return wrong


def _table(rows: Rows, dok_nr: npt.NDArray[np.int32], numbers: pa.Array) -> pa.Table:
    parent = pa.array(rows.parent)
    arrays = [pa.array(dok_nr).take(parent), numbers.take(parent), *rows.keys.values()]
    names = ["dok_nr", *rows.table.keys]
    names += [column.name for column in rows.table.columns]
    return pa.table([*arrays, *rows.columns], names=names)


class _Account:
    """One row for each identifier asked for in a group of chunks."""

    def __init__(self, group: list[Chunk], kind: IdentifierKind) -> None:
        self._group = group
        self._first = group[0].first
        self._asked = [number for chunk in group for number in chunk.asked]
        self._by_document = kind == "dokumentidentifikator"
        size = len(self._asked)
        self._number: list[str | None] = [None] * size
        self._recorded: list[int | None] = [None] * size

    def numbers(self, frame: Frame, tables: list[Rows]) -> pa.Array:
        """Each document's person; one that tells no number is whose number was asked for."""
        numbers = current_numbers(tables, len(frame.documents))
        if not numbers.null_count or self._by_document:
            return numbers
        asked = [self._asked[place] for place in (frame.dok_nr - self._first).tolist()]
        return pc.coalesce(numbers, pa.array(asked, pa.string()))

    def note(self, frame: Frame, numbers: pa.Array, recorded: pa.Array) -> None:
        """Keep whose the frame's documents are, and how new."""
        places = (frame.dok_nr - self._first).tolist()
        times = recorded.cast(pa.int64()).to_pylist()
        for place, number, time in zip(places, numbers.to_pylist(), times, strict=True):
            self._number[place] = number
            self._recorded[place] = time

    def close(self, reading: Reading, files: TableFiles) -> Counter[str]:
        """Write the rows; return how many identifiers came to what."""
        size = len(self._asked)
        outcome: list[str] = ["dokument"] * size
        reason: list[str | None] = [None] * size
        path: list[str | None] = [None] * size
        for place, text in reading.gone.items():
            outcome[place - self._first] = "borte"
            reason[place - self._first] = text
        for place, (where, text) in reading.failed.items():
            outcome[place - self._first] = "feilet"
            reason[place - self._first] = text
            path[place - self._first] = where or None
        hentet = [chunk.hentet for chunk in self._group for _ in chunk.asked]
        columns = [
            pa.array(range(self._first, self._first + size), pa.int32()),
            pa.array(self._asked, pa.string()),
            pa.array(outcome),
            pa.array(reason, pa.string()),
            pa.array(path, pa.string()),
            pa.array(self._number, pa.string()),
            pa.array(self._asked if self._by_document else [None] * size, pa.string()),
            pa.array(self._recorded, pa.int64()).cast(_TIME),
            pa.array(hentet, _TIME),
        ]
        files.add(DOCUMENT_TABLE, pa.table(columns, schema=DOCUMENT_SCHEMA))
        return Counter(outcome)
