"""What of a reader's statement may be noted: its form, and which of our tables it reads.

A statement may hold numbers and names of persons, in its texts, its comments and the names that it
gives to columns. A digest of all that would give them away: there are few enough numbers to try
each. So it is a digest of the form only, and of tables only our own names are told.
"""

from __future__ import annotations

import hashlib
from typing import TypedDict

import duckdb

from freg_pipeline.journal.access_log import OTHER
from freg_pipeline.lake.statement import pieces

_NAMES = """
    SELECT lower(view_name), true FROM duckdb_views() WHERE NOT internal AND database_name <> 'temp'
    UNION ALL SELECT lower(table_name), true FROM duckdb_tables()
        WHERE NOT internal AND database_name <> 'temp'
    UNION ALL SELECT lower(function_name), true FROM duckdb_functions()
        WHERE function_type = 'table_macro' AND NOT internal AND database_name <> 'temp'
    UNION ALL SELECT lower(function_name), false FROM duckdb_functions()
        WHERE database_name <> 'temp'
    UNION ALL SELECT lower(column_name), false FROM duckdb_columns()
        WHERE NOT internal AND database_name <> 'temp'
"""
_KEPT = {duckdb.token_type.keyword, duckdb.token_type.operator}


class Told(TypedDict):
    """What is noted of a statement."""

    query: str
    tables: list[str]


class Fingerprints:
    """Tells statements of one connection, whose own names are looked up once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._ours: dict[str, bool] = {}  # our names, and whether each is a table's

    def told(self, text: str) -> Told:
        """A statement's form, and which of our tables and macros it names."""
        if not self._ours:
            found = self._connection.cursor().execute(_NAMES).fetchall()
            self._ours = dict(reversed(found))
        words = [(kind, piece.strip().strip('"').casefold()) for kind, piece in pieces(text)]
        form = " ".join(
            word if kind in _KEPT or word in self._ours else "?"
            for kind, word in words
            if kind is not duckdb.token_type.comment
        )
        return {"query": hashlib.sha256(form.encode()).hexdigest(), "tables": self._tables(text)}

    def _tables(self, text: str) -> list[str]:
        named = [
            piece.strip().strip('"').casefold()
            for kind, piece in pieces(text)
            if kind is duckdb.token_type.identifier
        ]
        try:
            read = {name.strip('"').casefold() for name in self._connection.get_table_names(text)}
        except duckdb.Error:  # what only DuckDB's parser knows, as EXPLAIN
            read = set()
        ours = {name for name in named if self._ours.get(name)}
        return sorted(ours | ({OTHER} if read - self._ours.keys() else set()))
