"""What a table's files tell of their columns: a number each, their order, and what they mean.

Iceberg finds a column by its number. It is made of the column's name, so that it is the same in
every base and delta, whatever contracts lie between them, and nobody has to keep a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

NUMBER = b"PARQUET:field_id"  # as pyarrow calls it
COMMENT = b"comment"
_MOST = 1 << 30  # Iceberg keeps those right below 1 << 31 for itself


def numbered(schema: pa.Schema) -> pa.Schema:
    """Columns with their numbers; a list's elements have one of their own."""
    taken: set[int] = set()
    return pa.schema([_numbered(field, taken) for field in schema], metadata=schema.metadata)


def comments(schema: pa.Schema) -> dict[str, str]:
    """What a table's row and its columns mean, as a file's own metadata tells everyone."""
    texts = {field.name: (field.metadata or {}).get(COMMENT, b"").decode() for field in schema}
    told = {name: text for name, text in texts.items() if text}
    own = (schema.metadata or {}).get(COMMENT, b"").decode()
    return {"comment": own, "comments": msgspec.json.encode(told).decode()}


def sorting(schema: pa.Schema, keys: Sequence[str]) -> list[pq.SortingColumn] | None:
    """How the rows of each row group are sorted; None: in no order that columns tell."""
    return [pq.SortingColumn(schema.get_field_index(name)) for name in keys] or None


def _numbered(field: pa.Field, taken: set[int]) -> pa.Field:
    number = _number(field.name, taken)
    if pa.types.is_list(field.type):
        element = field.type.value_field
        inner = _with(element, _number(f"{field.name}.{element.name}", taken))
        field = field.with_type(pa.list_(inner))
    return _with(field, number)


def _with(field: pa.Field, number: int) -> pa.Field:
    return field.with_metadata({**(field.metadata or {}), NUMBER: str(number)})


def _number(name: str, taken: set[int]) -> int:
    """A column's number. Two names of a table that had the same would differ by their order."""
    number = next(one for one in _candidates(name) if one not in taken)
    taken.add(number)
    return number


def _candidates(name: str) -> Iterator[int]:
    digest = name.encode()
    while True:
        digest = hashlib.sha256(digest).digest()
        yield int.from_bytes(digest[:4], "little") % _MOST + 1
