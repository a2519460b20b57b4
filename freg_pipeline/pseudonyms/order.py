"""Rows of a copy in the order of what it tells itself.

The release's are in the order of identity numbers, so of birth dates: whoever gets pseudonyms in
that order, or in parts by it, can nearly tell the day that each was born.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from freg_pipeline.lake.layout import ROWS_AT_ONCE
from freg_pipeline.lake.sql import identifier
from freg_pipeline.pseudonyms.copied import Pseudonymised

_RULED = "_ruled"


@contextmanager
def in_own_order(
    work: duckdb.DuckDBPyConnection, copied: Pseudonymised, table: str, rows: pa.RecordBatchReader
) -> Iterator[pa.RecordBatchReader]:
    """Rows of a table as they go out, by the copy's own keys; to be read within.

    Args:
        work: sorts them, and spills what doesn't fit into memory: of the copy, nothing else.
        copied: by which rules they go out.
        table: one of its tables.
        rows: with all columns that the table's view shows.
    """
    work.register(_RULED, copied.read(table, rows))
    try:
        yield work.sql(f"FROM {_RULED} ORDER BY {_order(copied, table)}").to_arrow_reader(
            ROWS_AT_ONCE
        )
    finally:
        work.unregister(_RULED)


def _order(copied: Pseudonymised, table: str) -> str:
    columns, keys = copied.columns(table), copied.described(table).keys
    if not keys or keys[0] not in columns:
        return "ALL"
    return ", ".join(identifier(name) for name in keys if name in columns)
