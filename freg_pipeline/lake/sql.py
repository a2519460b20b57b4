"""Names and texts within SQL: whatever they hold, they stay names and texts."""

from __future__ import annotations


def identifier(name: str) -> str:
    """The name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def parquet(files: str) -> str:
    """The SQL that reads Parquet files, from the SQL of their list.

    DuckDB would take a folder above them that is named ``kilde=freg`` for a partition, and put
    ``freg`` in the place of each row's own ``kilde``.
    """
    return f"read_parquet({files}, hive_partitioning = false)"
