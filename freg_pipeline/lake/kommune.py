"""The kommune of an address, whatever kind it is: a column that ours adds to the contract's tables.

A bostedsadresse is a vegadresse, a matrikkeladresse or an ukjentBosted, and each tells its kommune
in a column of its own. Made once, as files are written, it costs readers what any column costs.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Table

COLUMN = "kommunenummer"
COLUMNS = (
    "vegadresse_kommunenummer",
    "matrikkeladresse_matrikkelnummer_kommunenummer",
    "ukjent_bosted_bostedskommune",
)
_COMMENT = "Kommunen i adressen, enten den er vegadresse, matrikkeladresse eller ukjent bosted."


def told_by(schema: pa.Schema) -> list[str]:
    """The columns of an address that tell its kommune; none: it has one of its own, or is none."""
    if COLUMN in schema.names:
        return []
    return [
        name for name in COLUMNS if name in schema.names and schema.field(name).type == pa.string()
    ]


def with_column(table: Table) -> pa.Schema:
    """A table's columns as users see them."""
    schema = table.arrow_schema
    if not told_by(schema):
        return schema
    return schema.append(pa.field(COLUMN, pa.string()).with_metadata({"comment": _COMMENT}))


def with_kommune(rows: pa.Table) -> pa.Table:
    """Rows with the column, where theirs tell it."""
    there = told_by(rows.schema)
    if not there:
        return rows
    told = (pc.if_else(pc.equal(rows[name], ""), None, rows[name]) for name in there)
    return rows.append_column(COLUMN, pc.coalesce(*told))
