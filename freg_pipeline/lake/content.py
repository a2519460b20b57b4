"""What tables hold, in numbers that a copy can be reconciled by: rows, and a sum of their hashes.

The order of rows doesn't matter, nor the files and deltas that they lie in. The formula is
documented, with SQL for others' databases (docs/warehouse.md), and stays as it is: no value's text
is left to what a library makes of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb
import msgspec

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.database import MEMORY_LIMIT
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect, reading
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import EVENT_TABLES
from freg_pipeline.lake.whole import require_whole_release
from freg_pipeline.store import Store

_EVENTS = {own.name for own in EVENT_TABLES}
_DIGITS = 15  # of a hash, hexadecimal: a whole number of 60 bits, which every database has
_TEXTS = {
    "DATE": "({0} - DATE '1970-01-01')::VARCHAR",
    "TIMESTAMP WITH TIME ZONE": "epoch_us({0})::VARCHAR",
    "DOUBLE": "{0}::BIT::VARCHAR",
}


class Content(msgspec.Struct, frozen=True):
    """What a table holds.

    Attributes:
        rows: how many.
        hash: the sum of the rows' hashes, in decimal digits: larger than others' integers.
        first: of events the first one's ``sekvensnummer``: copies keep those before it, too.
        last: the last one's.
    """

    rows: int
    hash: str
    first: int | None = None
    last: int | None = None


def contents(store: Store, manifest: Manifest, names: Collection[str] = ()) -> dict[str, Content]:
    """What the tables of a release hold, as readers saw it when it was current.

    All rows are read, in bounded memory.

    Args:
        store: where it lies.
        manifest: the release.
        names: of these tables; none: all.

    Raises:
        StoreError: files can't be read.
    """
    tables = described(load_plan(store, manifest.contract))
    require_whole_release(store, manifest)
    # Without a number no later release's protection is looked at: copies haven't got that yet.
    with connect(store, msgspec.structs.replace(manifest, number=""), states=False) as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        with reading(store, manifest):
            return {
                table.name: _content(connection, table.name, table.types)
                for table in tables
                if not names or table.name in names
            }


def _content(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str]
) -> Content:
    numbers = ", min(sekvensnummer), max(sekvensnummer)" if name in _EVENTS else ""
    ((rows, total, *places),) = connection.execute(
        f"SELECT count(*), {hash_sql(columns)} {numbers} FROM {identifier(name)}"  # noqa: S608
    ).fetchall()
    return Content(rows, total, *places)


def hash_sql(columns: Mapping[str, str]) -> str:
    """DuckDB's SQL of the sum of rows' hashes, as text.

    Args:
        columns: their names, in order, with DuckDB's types.
    """
    parts = ", ".join(_part(identifier(name), kind) for name, kind in columns.items())
    number = f"('0x' || left(sha256(concat({parts})), {_DIGITS}))::UBIGINT"
    return f"coalesce(sum({number}), 0)::VARCHAR"


def _part(value: str, kind: str) -> str:
    """A value's part of its row's text: how many bytes, and these; a missing one has none."""
    text = _text(value, kind)
    return f"strlen({text}), ':', {text}, '|'"


def _text(value: str, kind: str) -> str:
    if kind.endswith("[]"):
        part = _part("x", kind.removesuffix("[]"))
        return f"'[' || array_to_string([concat({part}) FOR x IN {value}], '') || ']'"
    return _TEXTS.get(kind, "{0}::VARCHAR").format(value)
