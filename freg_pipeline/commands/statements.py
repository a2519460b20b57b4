"""Statements of a reader's, one after the other: noted before they run, and shown as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import duckdb

    from freg_pipeline.journal.access_log import Access
    from freg_pipeline.journal.manifest import Manifest
    from freg_pipeline.lake.statement import Statement
    from freg_pipeline.store import Store


ROWS_SHOWN = 200  # of a table to look at


class Noting:
    """Notes each statement, before it is run, and sees to the files that it reads.

    Statements that prepare others are noted too: they read for them.

    Args:
        store: what is read.
        connection: over its tables, as yet without any of the user's own.
        state: the earlier state that these are of; None: the current release.
        written: what it gives is written to a file.
    """

    def __init__(
        self,
        store: Store,
        connection: duckdb.DuckDBPyConnection,
        state: Manifest | None = None,
        *,
        written: bool = False,
    ) -> None:
        from freg_pipeline.lake.asked_of import AskedOf
        from freg_pipeline.lake.fingerprint import Fingerprints

        self._store = store
        self._fingerprints = Fingerprints(connection)
        self._asked_of = AskedOf(store, connection, state, everything=written)

    def __call__(self, statement: Statement) -> Access:
        """Note it.

        Raises:
            ConfigurationError: it must be noted, and can't be.
            DamagedError: a file isn't as it was written.
        """
        from freg_pipeline.journal.access_log import OTHER, note_access

        told = self._fingerprints.told(statement.text)
        noted = note_access(self._store, "sql", **told)
        if tables := {*told["tables"]} - {OTHER}:
            self._asked_of.require_whole(tables)
        return noted


def show_all(connection: duckdb.DuckDBPyConnection, text: str, note: Noting) -> None:
    """Print the rows of each statement that gives any, as a table to look at.

    Raises:
        ConfigurationError: one is wrong; those before it have been shown.
    """
    from freg_pipeline.lake.export import shown
    from freg_pipeline.lake.statement import prepare, statements

    for one in statements(connection, text):
        noted = note(one)
        if not one.gives_rows:
            prepare(connection, one)
            continue
        table, found = shown(connection, one.text, rows=ROWS_SHOWN)
        noted.gave(found)
        click.echo(table)
        if found > ROWS_SHOWN:
            click.echo(
                f"{ROWS_SHOWN} of {found:,} rows; --format csv or --output FILE gives all", err=True
            )
