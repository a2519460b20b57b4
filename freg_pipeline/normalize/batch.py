"""A batch's raw answers -> its tables' rows, and one row of account for each identifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Plan
from freg_pipeline.envelope import IdentifierKind
from freg_pipeline.normalize.account import DOCUMENT_TABLE, Account
from freg_pipeline.normalize.columns import Columns
from freg_pipeline.normalize.person import CurrentNumbers
from freg_pipeline.normalize.program import TableLayout, lay_out
from freg_pipeline.normalize.read import Chunk, Reader, Reading
from freg_pipeline.normalize.unknown import UnknownFields
from freg_pipeline.normalize.write import ROWS_HELD, BatchRows, TableRows

UNKNOWN_TABLE = "ukjent_felt"


@dataclass(frozen=True)
class BatchTables:
    """What a batch gave.

    Attributes:
        tables: rows by table, with ``dok_nr``, the document's place in the batch; tables without
            rows have none.
        outcomes: identifiers by ``utfall``: dokument, borte, feilet.
    """

    tables: dict[str, BatchRows]
    outcomes: dict[str, int]


def normalize_batch(
    chunks: Iterator[Chunk], plan: Plan, kind: IdentifierKind, folder: Path
) -> BatchTables:
    """The rows of one batch's tables.

    Args:
        chunks: the answered look-ups; held one at a time.
        plan: the contract's tables.
        kind: what the identifiers are; persons are asked for by number, documents by their own id.
        folder: where rows go that can't be held; to be kept as long as the rows are.
    """
    batch = BatchReader(plan, kind, folder)
    for chunk in chunks:
        batch.add(chunk)
    return batch.close()


class SpareColumns:
    """Columns that a batch is done with, for the next one by the same contract.

    There are hundreds, each in pages of its own, which cost more to have than to write on. Threads
    may share it.
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[Columns]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._columns.values()))

    def take(self, plan: Plan) -> Columns:
        """Empty ones."""
        try:
            columns = self._columns[plan.fingerprint].pop()
        except LookupError:
            return Columns(lay_out(plan))
        columns.empty()
        return columns

    def give(self, plan: Plan, columns: Columns) -> None:
        """Whose arrays nobody looks at any more."""
        self._columns.setdefault(plan.fingerprint, []).append(columns)


class BatchReader:
    """Rows in columns until a table has many, so that memory is bounded.

    Chunks may come in any order. Not to be shared between threads.

    Args:
        plan, kind, folder: as for :func:`normalize_batch`.
        spare: columns to use; none: its own.
    """

    def __init__(
        self, plan: Plan, kind: IdentifierKind, folder: Path, spare: SpareColumns | None = None
    ) -> None:
        self._unknown = UnknownFields()
        self._plan = plan
        self._spare = SpareColumns() if spare is None else spare
        self._columns = self._spare.take(plan)
        self._layout = self._columns.layout
        self._reader = Reader(plan, self._columns, self._unknown)
        self._rows_of = TableRows(folder)
        self._account = Account(kind, CurrentNumbers(self._layout, self._columns))

    def add(self, chunk: Chunk) -> None:
        """Read a chunk, and put away what has become many rows."""
        self._take(self._reader.read(chunk))

    def add_plain(self, chunk: Chunk) -> bool:
        """The same, if it answers everything in the contract's plain form; else nothing is read."""
        reading = self._reader.read_plain(chunk)
        if reading is not None:
            self._take(reading)
        return reading is not None

    def _take(self, reading: Reading) -> None:
        self._account.add(reading)
        tables = self._layout.tables
        full = [one for one in tables if self._columns.is_full(one, ROWS_HELD)]
        if full:
            self._write(full, self._rows_of.put)
            for table in full:
                self._columns.clear(table)

    def close(self) -> BatchTables:
        """What is left is held."""
        tables = self._layout.tables
        self._write([one for one in tables if self._columns.rows(one)], self._rows_of.hold)
        if self._account.rows:
            self._rows_of.hold(DOCUMENT_TABLE, self._account.take())
        if self._unknown.counts:
            self._rows_of.hold(UNKNOWN_TABLE, self._unknown.to_table())
        return BatchTables(self._rows_of.close(), dict(self._account.outcomes))

    def give_back(self) -> None:
        """Let another batch use its columns: what :meth:`close` gave is gone then."""
        self._spare.give(self._plan, self._columns)

    def _write(self, tables: list[TableLayout], write: Callable[[str, pa.Table], None]) -> None:
        self._account.settle()
        for table in tables:
            rows = self._rows(table)
            if rows.num_rows:
                write(table.table.name, rows)

    def _rows(self, table: TableLayout) -> pa.Table:
        """A table's rows with their persons; the arrays hold until the columns are cleared."""
        columns, spec = self._columns, table.table
        dok_nr, *keys = (columns.key(table, place) for place in range(len(table.keys)))
        values = [columns.column(table, place) for place in range(len(spec.columns))]
        names = ["dok_nr", *spec.keys, *(column.name for column in spec.columns)]
        numbers = self._account.numbers(dok_nr)
        rows = pa.table([dok_nr, numbers, *keys, *values], names=names)
        dropped = self._account.dropped
        if dropped:
            rows = rows.filter(pc.invert(pc.is_in(dok_nr, pa.array(dropped, pa.int32()))))
        return rows
