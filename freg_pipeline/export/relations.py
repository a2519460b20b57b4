"""What of a release is copied: its tables, as SQL over its views, with what their columns mean."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import duckdb

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.described import Described, described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.people_described import VIEWS
from freg_pipeline.lake.query import connect, reading
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.whole import require_whole_release
from freg_pipeline.store import Store


@dataclass(frozen=True)
class CopiedColumn:
    """A column of a copy.

    Attributes:
        name: what it is called there.
        kind: DuckDB's type of its values there.
        comment: what it means.
        value: what it is made of, as SQL over the view that is copied.
    """

    name: str
    kind: str
    comment: str
    value: str


@dataclass(frozen=True)
class CopiedTable:
    """A table of a copy.

    Attributes:
        name: as views and tables are called in the catalogue.
        comment: what a row is.
        keys: columns that tell its rows apart; empty: none do.
        columns: in order.
    """

    name: str
    comment: str
    keys: tuple[str, ...]
    columns: tuple[CopiedColumn, ...]

    @classmethod
    def of(cls, table: Described) -> CopiedTable:
        """A table as its view shows it."""
        columns = (CopiedColumn(*one, value=identifier(one[0])) for one in table.shown)
        return cls(table.name, table.comment, table.keys, tuple(columns))

    def with_columns(self, columns: Iterator[CopiedColumn]) -> CopiedTable:
        """The same table of other columns."""
        return replace(self, columns=tuple(columns))

    @property
    def rows(self) -> str:
        """Its rows, as SQL over the release's views."""
        shown = ", ".join(f"{one.value} AS {identifier(one.name)}" for one in self.columns)
        return f"SELECT {shown} FROM {identifier(self.name)}"  # noqa: S608  names from the contract


def tables_to_copy(
    store: Store, manifest: Manifest, names: Collection[str] = ()
) -> list[CopiedTable]:
    """The tables of a release, or those tables and views that are named.

    Raises:
        ConfigurationError: there is none of such a name.
    """
    tables = described(load_plan(store, manifest.contract))
    if not names:
        return [CopiedTable.of(table) for table in tables]
    offered = {table.name: table for table in (*tables, *VIEWS)}
    unknown = sorted({*names} - {*offered})
    if unknown:
        raise ConfigurationError(f"there is no table {unknown[0]}", "See freg release show")
    return [CopiedTable.of(offered[name]) for name in dict.fromkeys(names)]


@contextmanager
def views_of(store: Store, manifest: Manifest) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release's views, to be copied from within.

    Raises:
        StoreError: its files can't be read.
    """
    require_whole_release(store, manifest)
    with closing(connect(store, manifest, states=False)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = true")
        # An OSError is of where the copy goes.
        with reading(store, manifest, failing=(duckdb.Error,)):
            yield connection
