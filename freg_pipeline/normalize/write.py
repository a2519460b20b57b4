"""The rows of one batch as they come: held, or, what comes before the end, in files meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

ROWS_HELD = 100_000  # of a table at the most, so that memory is bounded


@dataclass
class BatchRows:
    """A table's rows in a batch, in the order in which its documents were read.

    Attributes:
        schema: its columns.
        files: the rows that came first, as Arrow files that are read once, or twice.
        held: the rows after them.
    """

    schema: pa.Schema
    files: list[Path] = field(default_factory=list)
    held: list[pa.Table] = field(default_factory=list)
    rows: int = 0

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows; the memory of those that are held is shared with this."""
        names = list(self.schema.names if columns is None else columns)
        pieces = [*map(_read, self.files), *self.held] or [self.schema.empty_table()]
        return pa.concat_tables([piece.select(names) for piece in pieces])


class TableRows:
    """The rows of a batch's tables.

    Args:
        folder: where those are put that can't be held.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: dict[str, BatchRows] = {}

    def hold(self, name: str, rows: pa.Table) -> None:
        """Append rows to a table; their memory must last as long as they are needed."""
        table = self._table(name, rows)
        table.held.append(rows)

    def put(self, name: str, rows: pa.Table) -> None:
        """Append rows to a table whose memory will hold others soon."""
        table = self._table(name, rows)
        path = self._folder / f"{name}-{len(table.files)}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
            writer.write_table(rows)
        table.files.append(path)

    def close(self) -> dict[str, BatchRows]:
        """Each table that has rows."""
        return self._tables

    def _table(self, name: str, rows: pa.Table) -> BatchRows:
        table = self._tables.setdefault(name, BatchRows(rows.schema))
        table.rows += rows.num_rows
        return table


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
