"""DuckDB connections that stay within bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY_LIMIT = "384MB"  # beyond this DuckDB spills into its folder
THREADS = min(4, os.cpu_count() or 1)


@contextmanager
def working_database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of our own for joins and sorts, in a file under ``folder``."""
    connection = duckdb.connect(
        str(folder / "work.duckdb"),
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": THREADS,
            "temp_directory": str(folder / "spill"),
            "preserve_insertion_order": False,
        },
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()
