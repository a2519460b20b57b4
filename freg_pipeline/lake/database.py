"""DuckDB's databases: one of our own to work in, within bounds, and one as readers get it."""

from __future__ import annotations

import atexit
import contextlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb

from freg_pipeline.lake.norwegian import ZONE
from freg_pipeline.lake.sql import quoted
from freg_pipeline.store.scratch import scratch_here

MEMORY_LIMIT = "384MB"  # beyond this DuckDB spills into its folder
THREADS = min(4, os.cpu_count() or 1)


@contextlib.contextmanager
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


def reading_database() -> duckdb.DuckDBPyConnection:
    """A database as readers get it: Norwegian time, and what doesn't fit into memory private."""
    connection = duckdb.connect(
        config={
            "temp_directory": _spill_folder(),
            "python_enable_replacements": False,  # a name is a table's, never a variable's here
        }
    )
    connection.execute(f"SET TimeZone = {quoted(ZONE)}")
    return connection


@cache
def _spill_folder() -> str:
    """Where queries put what doesn't fit into memory: rows of persons, so private, and gone after.

    DuckDB's own choice is a folder in the one where the command runs, open to everyone.
    """
    used = contextlib.ExitStack()
    folder = used.enter_context(scratch_here())
    atexit.register(used.close)
    return str(folder)
