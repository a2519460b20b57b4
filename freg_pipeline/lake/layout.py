"""The form of each table's files: columns, order, encoding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from freg_pipeline.contract import Plan, ValueKind
from freg_pipeline.lake.kommune import COLUMN as KOMMUNE
from freg_pipeline.lake.kommune import with_column
from freg_pipeline.lake.owntable import OwnTable
from freg_pipeline.lake.tables import (
    HENDELSE,
    HENDELSE_EGENSKAP,
    IDENTITY,
    OWN_TABLES,
    PERSON,
    PERSON_KEY,
    REPLACED,
    file_schema,
)

ROW_GROUP = 100_000
ROWS_AT_ONCE = ROW_GROUP  # where rows are read a piece at a time, of files or of DuckDB
# Of tables in which single persons are looked up: small, so that few rows are read.
LOOKED_UP_ROW_GROUP = 16_384
_LOOKED_UP = (PERSON, IDENTITY, REPLACED)
_NAMES = ("fornavn", "mellomnavn", "etternavn")  # of many persons each
_CODES = (
    "utfall", "aarsak", "uttrekk", "hendelsetype", "entitet", "entitetsendring",
    *_NAMES, "kjoenn", "status", "sivilstand", "statsborgerskap",
    "kommunenummer", "adressenavn", "husnummer", "husbokstav", "postnummer", "poststed",
)  # fmt: skip
_KEYS = {
    HENDELSE.name: ("sekvensnummer",),
    HENDELSE_EGENSKAP.name: ("sekvensnummer", "egenskap_nr"),
    IDENTITY.name: (PERSON_KEY, "nokkel", "nummer", "person", "avsluttet"),
}


@dataclass(frozen=True)
class FileLayout:
    """A table in files.

    Attributes:
        name: the table.
        schema: its columns in files, the hidden ones among them.
        codes: columns to encode as dictionaries.
        keys: columns that the rows are sorted by; none: they come in an order of their own.
        keyed: split into buckets.
        row_group: rows a row group.
    """

    name: str
    schema: pa.Schema
    codes: tuple[str, ...]
    keys: tuple[str, ...]
    keyed: bool
    row_group: int


def layouts(plan: Plan, *, delta: bool = False) -> Iterator[FileLayout]:
    """Every table of a base, or of a delta; those that no view shows come last."""
    for own in OWN_TABLES:
        yield _own(own, delta=delta)
    for table in plan.tables:
        codes = tuple(column.name for column in table.columns if column.kind is ValueKind.CODE)
        codes += (KOMMUNE, *_NAMES)
        schema = file_schema(with_column(table), keyed=True, delta=delta)
        keys = (PERSON_KEY, *table.keys[1:])  # the person's, and the row's within the document
        yield FileLayout(table.name, schema, codes, keys, True, ROW_GROUP)  # noqa: FBT003
    yield _own(IDENTITY, delta=delta)
    if delta:
        yield _own(REPLACED, delta=True)


def _own(own: OwnTable, *, delta: bool) -> FileLayout:
    visible = own.schema.with_metadata({"comment": own.comment})
    schema = file_schema(visible, keyed=own.per_person, recorded=own is PERSON, delta=delta)
    keys = (PERSON_KEY,) if own.per_person else ()
    row_group = LOOKED_UP_ROW_GROUP if own in _LOOKED_UP else ROW_GROUP
    return FileLayout(
        own.name, schema, _CODES, _KEYS.get(own.name, keys), own.per_person, row_group
    )
