"""The table ``kode``: the codes that the contract lists, by table and column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import pyarrow as pa

from freg_pipeline.contract import Column, Plan
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.owntable import with_keys
from freg_pipeline.lake.sql import identifier, quoted

CODES = "kode"
COLUMNS = {
    "tabell": "Tabellen som har kolonnen.",
    "kolonne": "Kolonnen som har koden.",
    "kode": "Koden, slik den står i kolonnen.",
    "tekst": "Hva koden betyr, når kontrakten sier det.",
}
KODE = Described(
    CODES,
    with_keys(
        "Én rad per kode som kontrakten lister opp. Registeret legger til koder uten varsel i"
        " kontrakten, så tabellene kan ha flere.",
        tuple(COLUMNS)[:3],
    ),
    tuple((name, "VARCHAR", text) for name, text in COLUMNS.items()),
    tuple(COLUMNS)[:3],
)


class Code(NamedTuple):
    """A code of the contract, and what the contract says of it; empty: nothing."""

    table: str
    column: str
    code: str
    text: str


def codes(plan: Plan) -> Iterator[Code]:
    """Every code that a contract lists, in its order."""
    for table in plan.tables:
        for column in table.columns:
            for code, text in zip(column.codes, column.texts, strict=True):
                yield Code(table.name, column.name, code, text)


def unlisted(table: str, column: Column) -> str:
    """The codes in a table's column that the contract doesn't list, as SQL that can follow FROM."""
    name = identifier(column.name)
    value = f"unnest({name})" if column.repeated else name
    listed = ", ".join(map(quoted, column.codes))
    return (
        f"(SELECT {value} AS code FROM {identifier(table)}) "  # noqa: S608
        f"WHERE code NOT IN ({listed})"
    )


def add_codes(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Make the table ``kode``."""
    rows = [{**dict(zip(COLUMNS, one, strict=True)), "tekst": one.text or None}
            for one in codes(plan)]  # fmt: skip
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    connection.register("codes", pa.Table.from_pylist(rows, schema=schema))
    connection.execute(f"CREATE TABLE {CODES} AS FROM codes")
    connection.unregister("codes")


def code_comments() -> Iterator[str]:
    """``COMMENT ON`` for the table and its columns."""
    yield f"COMMENT ON TABLE {CODES} IS {quoted(KODE.comment)}"
    for name, text in COLUMNS.items():
        yield f"COMMENT ON COLUMN {CODES}.{identifier(name)} IS {quoted(text)}"
