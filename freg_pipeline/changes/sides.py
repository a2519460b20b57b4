"""One of the two states that are compared, as relations in a working database."""

from __future__ import annotations

import duckdb
import msgspec
import pyarrow as pa

from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.manifest import Manifest, TableEntry, TableFile
from freg_pipeline.lake.described import Described, described
from freg_pipeline.lake.keys import bucket_sql
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.protection import Protection
from freg_pipeline.lake.query import readable_files
from freg_pipeline.lake.sources import Source, replaced, sources
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import HENDELSE, HENDELSE_EGENSKAP, PERSON_KEY
from freg_pipeline.lake.views import (
    REPLACED_NUMBERS,
    REPLACED_PERSONS,
    StateConditions,
    columns_of,
    rows_in,
    with_person,
)
from freg_pipeline.lake.whole import files_of
from freg_pipeline.store import Store

_NOTHING = Source(None, (), replaced=False)


class Side:
    """A state's rows, as SQL that can follow FROM.

    Args:
        connection: the working database.
        store: where the release lies.
        manifest: the state.
        name: told before the names of its relations.

    Attributes:
        manifest: the state.
        tables: all of its tables.
        protection: whose addresses are left out.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, store: Store, manifest: Manifest, name: str
    ) -> None:
        self._connection = connection
        self._store = store
        self.manifest = manifest
        self._name = name
        self._seen: set[str] = set()
        self._found: dict[tuple[int, int] | None, dict[str, Source]] = {}
        hidden = {one: f"{name}{one}" for one in (REPLACED_PERSONS, REPLACED_NUMBERS)}
        for one, relation in hidden.items():
            connection.register(
                "hidden", replaced(store, manifest, persons=one == REPLACED_PERSONS)
            )
            connection.execute(f"CREATE TABLE {relation} AS FROM hidden")
            connection.unregister("hidden")
        self._state = StateConditions(hidden)
        self.tables = described(load_plan(store, manifest.contract))
        self.protection = Protection(self.tables, manifest.parts)

    def keyed(
        self, table: Described, among: tuple[int, int] | None = None, *, of_deltas: bool = False
    ) -> str:
        """A table's rows, with the key of whom each is about.

        Args:
            table: with the columns that are wanted, whatever contract they are of.
            among: a bucket, and of how many; None: all.
            of_deltas: those only that deltas have brought.
        """
        self._see(table.name, among, of_deltas=of_deltas)
        source = self._sources(among).get(table.name, _NOTHING)
        if of_deltas:
            source = Source(None, source.deltas, source.replaced)
        columns = {**columns_of(table), PERSON_KEY: "BIGINT"}
        rows = rows_in(table.name, columns, source, self._state)
        if among is None:
            return f"({rows})"
        bucket, buckets = among
        return f"(FROM ({rows}) WHERE {bucket_sql(PERSON_KEY, buckets)} = {bucket})"

    def has(self, table: Described) -> bool:
        """Whether a table of another state has the same columns here."""
        return any(one.name == table.name and one.types == table.types for one in self.tables)

    def common(self, table: Described) -> str:
        """The rows of a table that isn't split by person, as its view shows them."""
        columns = columns_of(table)
        self._see(table.name)
        rows = rows_in(
            table.name, columns, self._sources(None).get(table.name, _NOTHING), self._state
        )
        if table.name == HENDELSE.name:
            rows = with_person(rows, self._relation)
        if table.name == HENDELSE_EGENSKAP.name:
            told = [self.protection.numbers(self._relation, self.protection.graded)]
            rows = self.protection.without_addresses(rows, columns, self._relation, told)
        return f"({rows})"

    def _relation(self, name: str) -> str:
        """A table's rows as a view, for what asks for several times the same."""
        view = identifier(f"rader_{self._name}_{name}")  # what reads files has names of its own
        (table,) = (one for one in self.tables if one.name == name)
        self._see(name)
        rows = rows_in(name, columns_of(table), self._sources(None)[name], self._state)
        self._connection.execute(f"CREATE VIEW IF NOT EXISTS {view} AS {rows}")
        return view

    def _see(
        self, name: str, among: tuple[int, int] | None = None, *, of_deltas: bool = False
    ) -> None:
        """See that the files that a table's rows are read from are whole: a copy is made of them.

        Raises:
            DamagedError: one isn't, or is gone.
        """
        manifest = self.manifest if among is None else _of_bucket(self.manifest, among[0])
        files = dict(files_of(manifest, name, of_deltas=of_deltas))
        require_whole(self._store, [one for one in files.items() if one[0] not in self._seen])
        self._seen |= files.keys()

    def _sources(self, among: tuple[int, int] | None) -> dict[str, Source]:
        if among not in self._found:
            reads = readable_files(self._connection, self._store)
            prefix = self._name if among is None else f"{self._name}{among[0]}"

            def named(name: str, files: list[TableFile], schema: pa.Schema) -> str:
                return reads(f"{prefix}{name}", files, schema)

            manifest = self.manifest if among is None else _of_bucket(self.manifest, among[0])
            self._found[among] = sources(self._store, manifest, named)
        return self._found[among]


def _of_bucket(manifest: Manifest, bucket: int) -> Manifest:
    """A release with those files of its base that may hold rows of a bucket, of as many or more."""

    def mine(entry: TableEntry) -> TableEntry:
        files = tuple(one for one in entry.files if one.bucket == bucket % manifest.base.buckets)
        return TableEntry(sum(file.rows for file in files), files)

    return msgspec.structs.replace(
        manifest,
        tables={name: mine(entry) for name, entry in manifest.tables.items()},
        base=msgspec.structs.replace(manifest.base, identity=mine(manifest.base.identity)),
    )
