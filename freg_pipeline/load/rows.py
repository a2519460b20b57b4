"""What changes of a table, as dlt takes it: rows, and marked ones for keys whose rows are to go."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa

from freg_pipeline.changes.comparison import Part, TableChanges
from freg_pipeline.changes.difference import Changes

GONE = "_slettet"  # a column of ours, null in every row of a copy
_GONE = pa.field(GONE, pa.bool_())


def rows_of(found: Changes, table: str, *, lists_as_text: bool) -> Iterator[pa.Table]:
    """A table's changes: first the keys of a part whose rows go, marked; then the rows that come.

    Of a table that is replaced whole there is at least one batch, if without rows.

    Args:
        found: what changes.
        table: its name.
        lists_as_text: lists are written as JSON.

    Raises:
        StoreError: what it is read from can't be read.
    """
    for changed in found.of([table]):
        for part in changed.parts:
            yield from _part(changed, part, lists_as_text=lists_as_text)


def as_loaded(rows: pa.Table, *, lists_as_text: bool) -> pa.Table:
    """Rows as a copy has them: with our column, null, and lists as JSON where it takes none."""
    columns = [*map(_texts if lists_as_text else _same, rows.columns)]
    fields = [_as_text(field) if lists_as_text else field for field in rows.schema]
    schema = pa.schema([*fields, _GONE])
    return pa.table([*columns, pa.nulls(len(rows), _GONE.type)], schema=schema)


def _part(changed: TableChanges, part: Part, *, lists_as_text: bool) -> Iterator[pa.Table]:
    empty = as_loaded(part.upserts.schema.empty_table(), lists_as_text=lists_as_text)
    if changed.whole:
        yield empty
    elif len(part.deletes):
        yield _gone(changed.key, part.deletes, empty.schema)
    for batch in part.upserts:
        if len(batch):
            yield as_loaded(pa.Table.from_batches([batch]), lists_as_text=lists_as_text)


def _gone(key: str | None, deletes: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows that have nothing but a key, and the mark."""
    filled = {key: deletes[key], GONE: pa.repeat(pa.scalar(value=True), len(deletes))}
    columns = [filled.get(field.name, pa.nulls(len(deletes), field.type)) for field in schema]
    return pa.table(columns, schema=schema)


def _as_text(field: pa.Field) -> pa.Field:
    return field.with_type(pa.string()) if pa.types.is_list(field.type) else field


def _same(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_list(column.type):
        return column
    lists = column.to_pylist()
    texts = [None if one is None else json.dumps(one, ensure_ascii=False) for one in lists]
    return pa.chunked_array([texts], pa.string())
