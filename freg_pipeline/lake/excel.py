"""A statement's rows as Excel opens them by a double-click, in Norwegian, without changing them.

Excel takes digits for numbers (a kommune 0301 becomes 301, an identity number 1,2E+10), 2-4 for a
date and =… for a formula, and reads a file as UTF-8 only where it begins with a byte order mark. So
text that it would change is written as the formula of itself, ="0301", which is shown as it is.
"""

from __future__ import annotations

import duckdb

from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.lake.statement import wrong

MOST_ROWS = 1_048_575  # of a sheet, without the header
_MARK = "\ufeff"
_LONGEST = 250  # characters of a text in a formula, quotes among them
_CHANGED = "[0-9]|^[=+@\\t\\r-]"  # by Excel
_LARGEST = 10**15  # beyond it Excel rounds


def for_excel(connection: duckdb.DuckDBPyConnection, rows: str) -> str:
    """A SELECT of the same rows, as text that Excel shows as it is.

    Args:
        connection: where the rows come from.
        rows: a SELECT.

    Raises:
        ConfigurationError: it is wrong.
    """
    try:
        described = connection.sql(f"FROM ({rows}\n)")
    except duckdb.Error as error:
        raise wrong(error) from None
    names, kinds = described.columns, list(map(str, described.types))
    columns = ", ".join(
        f"{_shown(f'c{place}', kind)} AS {identifier((_MARK if place == 0 else '') + name)}"
        for place, (name, kind) in enumerate(zip(names, kinds, strict=True))
    )
    aliases = ", ".join(f"c{place}" for place in range(len(names)))
    return f"SELECT {columns} FROM ({rows}\n) AS r({aliases})"  # noqa: S608


def _shown(column: str, kind: str) -> str:
    if kind == "BOOLEAN":
        return f"CASE {column} WHEN true THEN 'SANN' WHEN false THEN 'USANN' END"
    if kind in {"DOUBLE", "FLOAT"} or kind.startswith("DECIMAL"):
        return f"replace({column}::VARCHAR, '.', ',')"
    if kind in {"TINYINT", "SMALLINT", "INTEGER"}:
        return column
    if kind in {"BIGINT", "HUGEINT", "UBIGINT", "UHUGEINT"}:
        large = f"abs({column}::HUGEINT) >= {_LARGEST}"
        return f"CASE WHEN {large} THEN {_kept(column)} ELSE {column}::VARCHAR END"
    if kind == "DATE":
        return f"strftime({column}, '%Y-%m-%d')"
    if kind.startswith("TIMESTAMP"):
        return f"strftime({column}, '%Y-%m-%d %H:%M:%S')"
    text = f"{column}::VARCHAR"
    changed = f"regexp_matches({text}, {quoted(_CHANGED)}) AND length({text}) <= {_LONGEST}"
    return f"CASE WHEN {changed} THEN {_kept(column)} ELSE {text} END"


def _kept(column: str) -> str:
    return f"""'="' || replace({column}::VARCHAR, '"', '""') || '"'"""
