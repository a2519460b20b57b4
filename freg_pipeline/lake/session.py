"""A reader's connection to DuckDB: over the catalogue that is there, or views made for it.

The catalogue of the current release is opened where it lies, so that a query starts as quickly as
DuckDB does. Views are made for a query where there is no such catalogue: for an earlier state, a
store on S3, a catalogue elsewhere, or one that isn't written yet. Nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from freg_pipeline.errors import StoreError
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.lake.database import reading_database
from freg_pipeline.lake.norwegian import ZONE
from freg_pipeline.lake.roots import FILE, VARIABLE
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.store import Store

if TYPE_CHECKING:
    from freg_pipeline.journal.manifest import Manifest

NUMBER = "SELECT nummer FROM utgivelse"  # of the release that a catalogue is of


def reader(store: Store, text: str, *, state: Manifest | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with the tables of the current release, or of an earlier state.

    Args:
        store: where the releases lie.
        text: what will be asked.
        state: an earlier state, as a release; None: the current one.

    Raises:
        ConfigurationError: there is no release yet.
        StoreError: its files can't be read.
    """
    ready = _on_catalogue(store) if state is None else None
    if ready is not None:
        return ready
    from freg_pipeline.journal.releases import require_current
    from freg_pipeline.lake.query import connect_for

    return connect_for(store, state or require_current(store), text)


def more_like(
    connection: duckdb.DuckDBPyConnection,
) -> Callable[[], duckdb.DuckDBPyConnection]:
    """What makes more connections to the same tables as one that :func:`reader` gave."""
    told = f"SELECT current_database(), getvariable({quoted(VARIABLE)})::VARCHAR"
    ((database, location),) = connection.execute(told).fetchall()

    def another() -> duckdb.DuckDBPyConnection:
        cursor = connection.cursor()
        cursor.execute(f"SET TimeZone = {quoted(ZONE)}")
        if location is not None:
            cursor.execute(f"SET VARIABLE {VARIABLE} = {quoted(location)}")
        cursor.execute(f"USE {identifier(database)}")
        return cursor

    return another


def _on_catalogue(store: Store) -> duckdb.DuckDBPyConnection | None:
    """A connection over the catalogue at the store's root, if it is that of the current release."""
    path = Path(store.location, FILE)
    try:
        number = current_number(store) if path.is_file() else None
    except (OSError, StoreError):  # told by whoever reads more of it
        return None
    if number is None:
        return None
    connection = reading_database()
    with contextlib.suppress(duckdb.Error):  # damaged, or of another version
        # Whatever the catalogue was told of where it lies: the files are this store's.
        connection.execute(f"SET VARIABLE {VARIABLE} = {quoted(store.location)}")
        connection.execute(f"ATTACH {quoted(str(path))} AS freg (READ_ONLY)")
        connection.execute("USE freg")
        if connection.execute(NUMBER).fetchall() == [(number,)]:
            return connection
    connection.close()
    return None
