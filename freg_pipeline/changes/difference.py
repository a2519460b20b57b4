"""The rows to take out of a copy of a release, and to put into it, so that it is a later one.

What differs, table by table: :mod:`freg_pipeline.changes.comparison`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

import duckdb
import pyarrow as pa

from freg_pipeline.changes.comparison import Comparison, Part, TableChanges
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pins import being_read
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.query import reading
from freg_pipeline.store import Store
from freg_pipeline.store.scratch import scratch_here


class Changes:
    """What differs between two states of a store. Made by :func:`changes`.

    Attributes:
        before: the state that a copy has; None: it is empty.
        after: the state that it is to have.
        tables: the names of the tables that it can tell of.
        gone: those of tables that only the earlier state has.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: Store,
        before: Manifest | None,
        after: Manifest,
        chosen: Collection[str] = (),
    ) -> None:
        self.before = before
        self.after = after
        self._store = store
        self._comparison = Comparison(connection, store, before, after)
        self.tables = tuple(table.name for table in self._comparison.tables)
        self.gone = self._comparison.gone
        self._chosen = self._known(chosen)

    def __iter__(self) -> Iterator[TableChanges]:
        """The changes of each table that was asked for."""
        return self.of(self._chosen)

    def of(self, names: Collection[str] = ()) -> Iterator[TableChanges]:
        """The changes of each table, or of some, to be read one after the other.

        Raises:
            ConfigurationError: there is no table of such a name.
        """
        self._known(names)
        for table in self._comparison.tables:
            if not names or table.name in names:
                with self._reading():
                    found = self._comparison.of(table)
                yield replace(found, parts=self._told(found.parts))

    def _reading(self) -> AbstractContextManager[None]:
        """Tell which file of the two states can't be read."""
        both = (self.after, *([] if self.before is None else [self.before]))
        return reading(self._store, *both)

    def key(self, name: str) -> str | None:
        """The column by whose values rows of a table are replaced; None: it is replaced whole."""
        return self._comparison.key(self._table(name))

    def columns(self, name: str) -> dict[str, str]:
        """A table's columns, with DuckDB's types."""
        return self._table(name).types

    def _table(self, name: str) -> Described:
        (table,) = (one for one in self._comparison.tables if one.name == name)
        return table

    def _known(self, names: Collection[str]) -> Collection[str]:
        unknown = sorted(set(names) - {*self.tables})
        if unknown:
            raise ConfigurationError(
                f"there is no table {unknown[0]}",
                "See freg release show; views aren't kept in copies",
            )
        return names

    def _told(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Parts whose files may be damaged or gone."""
        with self._reading():
            for part in parts:
                batches = self._rows(part.upserts)
                yield replace(
                    part, upserts=pa.RecordBatchReader.from_batches(part.upserts.schema, batches)
                )

    def _rows(self, rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        with self._reading():
            yield from rows


@contextmanager
def changes(
    store: Store, before: Manifest | None, after: Manifest, tables: Collection[str] = ()
) -> Iterator[Changes]:
    """What differs between two states, to be read within.

    No purge takes away what it is read from, as far as one may write to the store.

    Args:
        store: where both lie.
        before: the earlier state; None: nothing.
        after: the later one.
        tables: what is gone through when it is iterated over; none: all.

    Raises:
        ConfigurationError: there is no such table; one of the two has been purged, or the later one
            is the earlier.
        StoreError: their files can't be read.
    """
    first = after.number if before is None else before.number
    if first > after.number:
        raise ConfigurationError(
            f"release {first} is newer than {after.number}, which is asked for", "Open it again"
        )
    with ExitStack() as used:
        writable = used.enter_context(being_read(store, first, after.number))
        folder = used.enter_context(store.scratch() if writable else scratch_here())
        connection = used.enter_context(working_database(folder))
        with reading(store, after, *([] if before is None else [before])):
            found = Changes(connection, store, before, after, tables)
        yield found
