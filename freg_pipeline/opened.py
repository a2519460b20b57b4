"""A release in Python: its tables as DuckDB relations, polars LazyFrames or Arrow readers.

Opened by :func:`freg_pipeline.open`. DuckDB reads in every case and leaves out what deltas have
replaced, so that all three show the same rows; nothing is read before rows are asked for, and then
in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.access_log import note_access
from freg_pipeline.lake.fingerprint import Fingerprints
from freg_pipeline.lake.session import more_like, reader
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.statement import rows_of, without_end

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from freg_pipeline.changes.difference import Changes
    from freg_pipeline.journal.manifest import Manifest
    from freg_pipeline.store import Store

_TABLES = """
    SELECT table_name FROM duckdb_tables()
    WHERE NOT internal AND NOT starts_with(table_name, '_')
    UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL
"""
_BATCH = 100_000
_RELEASE = "FROM utgivelse"


class Lake:
    """One release, or an earlier state of it; what is published later is not seen.

    To be closed, or used by ``with``. Relations are of one connection, and not for several threads
    at once; each scan of a LazyFrame and each reader has a connection of its own.

    Attributes:
        connection: DuckDB's, for what isn't offered here.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        another: Callable[[], duckdb.DuckDBPyConnection],
        store: Store,
    ) -> None:
        self.connection = connection
        self._another = another
        self._store = store
        self._fingerprints = Fingerprints(connection)
        self._noted: set[str] = set()
        note_access(store, "python")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        told = self.release
        return f"<Lake: release {told['nummer']}, good to {told['sekvensnummer']}>"

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables and views."""
        return tuple(name for (name,) in self.connection.execute(_TABLES).fetchall())

    @property
    def release(self) -> dict[str, Any]:
        """What the view ``utgivelse`` tells of the release: number, position, kind, parts, …"""
        row = self.sql(_RELEASE)
        return dict(zip(row.columns, row.fetchall()[0], strict=True))

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """A table's or view's current rows, as a relation of DuckDB's.

        Raises:
            ConfigurationError: there is none of that name; says which are similar.
        """
        return self.sql(f"FROM {identifier(name)}")

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """The rows of a query, as a relation of DuckDB's, which isn't computed yet.

        Raises:
            ConfigurationError: it is wrong, or gives no rows; says what DuckDB says.
        """
        self._note(query)
        return rows_of(self.connection, without_end(query))

    def _note(self, query: str) -> None:
        """Note a query, but for what this software itself asks; one of each form is enough."""
        if query == _RELEASE:
            return
        told = self._fingerprints.told(query)
        if told["query"] not in self._noted:
            note_access(self._store, "python", **told)
            self._noted.add(told["query"])

    def polars(self, name: str) -> pl.LazyFrame:
        """A table's or view's current rows, as a LazyFrame of polars'.

        Each time that it is computed the rows come anew, in batches, and only the columns that are
        used. Raises as :meth:`table`.
        """
        import polars as pl
        from polars.io.plugins import register_io_source

        schema = pl.DataFrame(self.table(name).limit(0).to_arrow_table()).schema

        def rows(
            columns: list[str] | None,
            predicate: pl.Expr | None,
            limit: int | None,
            size: int | None,
        ) -> Iterator[pl.DataFrame]:
            chosen = ", ".join(map(identifier, columns or schema.names()))
            query = f"SELECT {chosen} FROM {identifier(name)}"  # noqa: S608
            left = limit
            for batch in self._batches(query, size):
                frame = pl.DataFrame(batch)
                found = frame if predicate is None else frame.filter(predicate)
                yield found if left is None else found.head(left)
                if left is not None and (left := left - len(found)) <= 0:
                    return

        return register_io_source(rows, schema=schema)

    def _batches(self, query: str, size: int | None) -> Iterator[pa.RecordBatch]:
        with self._another() as connection:
            yield from connection.sql(query).to_arrow_reader(size or _BATCH)

    def arrow(self, name: str, rows: int = _BATCH) -> pa.RecordBatchReader:
        """A table's or view's current rows, as a reader of Arrow batches of so many rows.

        Raises as :meth:`table`.
        """
        import pyarrow as pa

        schema = self.table(name).limit(0).to_arrow_table().schema
        batches = self._batches(f"FROM {identifier(name)}", rows)
        return pa.RecordBatchReader.from_batches(schema, batches)

    @contextmanager
    def changes(self, since: int | str, tables: Collection[str] = ()) -> Iterator[Changes]:
        """What a copy of the tables has to be told of, to be read within.

        What it gives is as docs/warehouse.md says of the files: by table keys whose rows go, and
        rows that come in their place.

        Args:
            since: what the copy has: a release (``"000012"``), a position of the event list, or 0.
            tables: these only; none: all.

        Raises:
            ConfigurationError: it can't be told since then, there is no such table, or this is an
                earlier state.
            StoreError: files can't be read.
        """
        from freg_pipeline.changes.difference import changes
        from freg_pipeline.changes.since import state_since
        from freg_pipeline.journal.releases import read_manifest

        told = self.release
        after = read_manifest(self._store, told["nummer"])
        if after.positions()[-1] != told["sekvensnummer"]:
            raise ConfigurationError(
                "this is an earlier state: copies follow what is current", "Open without as_of"
            )
        note_access(self._store, "python", tables=tables)
        with changes(self._store, state_since(self._store, str(since)), after, tables) as found:
            yield found

    def close(self) -> None:
        """Let go of the files."""
        self.connection.close()


def open_lake(store: str | Path | None, as_of: int | str | date | None) -> Lake:
    """As :func:`freg_pipeline.open`."""
    lies = _store(store)
    state = _state(lies, as_of)
    if not lies.location.startswith("s3://"):
        connection = reader(lies, "comment", state=state)
        return Lake(connection, more_like(connection), lies)
    from freg_pipeline.journal.releases import require_current
    from freg_pipeline.lake.query import add_comments, connect

    manifest = state or require_current(lies)
    connection = connect(lies, manifest)
    add_comments(connection, lies, manifest)
    return Lake(
        connection, lambda: connect(lies, manifest), lies
    )  # the files are a connection's own


def _store(named: str | Path | None) -> Store:
    if named is None or str(named).startswith("s3://"):
        from freg_pipeline.settings import load
        from freg_pipeline.store import open_store

        return open_store(load(**({} if named is None else {"store": str(named)})))
    from freg_pipeline.store.local import LocalStore

    return LocalStore(Path(named))


def _state(store: Store, asked: int | str | date | None) -> Manifest | None:
    if asked is None:
        return None
    from freg_pipeline.lake.states import asked_for, earlier, position_at, state_at

    try:
        as_of = asked_for(asked.isoformat() if isinstance(asked, date) else str(asked))
    except ValueError:
        raise ConfigurationError(
            "as_of is neither a sequence number nor a date", "Write 123456 or 2026-01-31"
        ) from None
    releases = earlier(store)
    return state_at(releases, position_at(releases, as_of))
