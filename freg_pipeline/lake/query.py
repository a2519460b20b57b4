"""Query a release: the same views as in the catalogue, in memory, over exactly one release.

Parquet is read where it lies. For a store on S3 pyarrow reads it, so that nothing has to be
installed into DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import duckdb
import pyarrow as pa

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.parts import entities
from freg_pipeline.foreseen import foreseen
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import delta_count, read_manifest, require_current
from freg_pipeline.lake.codes import add_codes, code_comments
from freg_pipeline.lake.database import reading_database
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.macros import Macros
from freg_pipeline.lake.norwegian import LOCAL_TIMES
from freg_pipeline.lake.people_described import VIEWS
from freg_pipeline.lake.protection import Protection
from freg_pipeline.lake.sources import Reads, replaced, replaced_files, replaced_schema, sources
from freg_pipeline.lake.sql import identifier, parquet, quoted
from freg_pipeline.lake.statement import relation_of
from freg_pipeline.lake.states import earlier, position_at, state_at
from freg_pipeline.lake.utgivelse import utgivelse, utgivelse_comments
from freg_pipeline.lake.views import (
    REPLACED_NUMBERS,
    REPLACED_PERSONS,
    comments,
    macro_comments,
    people_views,
    table_views,
)
from freg_pipeline.lake.whole import unreadable
from freg_pipeline.store import Store

PROTECTED_TODAY = "_vernet_i_dag"
# Where DuckDB shows comments, by name or among all columns of what it knows of its tables.
_ASKS_FOR_COMMENTS = re.compile(r"comment|duckdb_(columns|tables|views|databases)", re.IGNORECASE)
# Where a statement may have to do with macros over states: by name, or among all there are.
_ASKS_FOR_STATES = re.compile(r"_per\b|function|routine|macro", re.IGNORECASE)


def connect(
    store: Store, manifest: Manifest | None = None, *, states: bool = True
) -> duckdb.DuckDBPyConnection:
    """Return a connection with a view for each table of a release.

    Args:
        store: where it lies.
        manifest: which release; None: the current one.
        states: with the macros over states, as readers get them; they take most of the time.

    Raises:
        ConfigurationError: there is no release yet.
        StoreError: its files can't be read.
    """
    manifest = manifest or require_current(store)
    with ExitStack() as unfinished, reading(store, manifest):
        connection = unfinished.enter_context(reading_database())
        add_views(connection, store, manifest, readable_files(connection, store), states=states)
        unfinished.pop_all()
    return connection


@contextmanager
def reading(
    store: Store,
    *manifests: Manifest,
    failing: tuple[type[Exception], ...] = (duckdb.Error, OSError, pa.ArrowException),
) -> Iterator[None]:
    """Say so where a release's files can't be read, and which one is damaged.

    Args:
        store: where they lie.
        manifests: the release, or several that are read together.
        failing: what tells that they can't; without OSError where something is written, too.

    Raises:
        StoreError: they can't.
    """
    try:
        yield
    except failing as error:
        raise foreseen(error) or unreadable(store, *manifests) from None


def readable_files(connection: duckdb.DuckDBPyConnection, store: Store) -> Reads:
    """Reading files by a connection here: by DuckDB itself, or on S3 by pyarrow."""

    def duckdb_reads(name: str, files: list[TableFile], schema: pa.Schema) -> str:
        del name, schema
        paths = ", ".join(quoted(store.path(file.key)) for file in files)
        return parquet(f"[{paths}]")

    def pyarrow_reads(name: str, files: list[TableFile], schema: pa.Schema) -> str:
        from freg_pipeline.lake.far import dataset  # a local store needs none of what it takes

        connection.register(name, dataset(store, files, schema))
        return name

    return pyarrow_reads if store.location.startswith("s3://") else duckdb_reads


def add_views(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    manifest: Manifest,
    reads: Reads,
    *,
    states: bool = True,
) -> None:
    """Make the views and macros of a release, its codes, and the tables that hide replaced rows.

    Args:
        connection: where.
        store: where the release lies.
        manifest: the release.
        reads: the SQL that reads files.
        states: with the macros over states.
    """
    add_replaced(connection, store, manifest)
    plan = load_plan(store, manifest.contract)
    add_codes(connection, plan)
    tables = described(plan)
    found = sources(store, manifest, reads)
    protection = Protection(tables, manifest.parts)
    today = _add_protected_today(connection, store, manifest)
    hidden = replaced_files(manifest)
    relation = reads("_erstattet_filer", hidden, replaced_schema()) if hidden else None
    resident = "status" in found and "status" in entities(manifest.parts)
    macros = Macros(tables, found, relation, protection, today, status_is_told=resident)
    for statement in (
        *table_views(tables, found, protection, today),
        *people_views(found, status_is_told=resident),
        *(macros.earlier_states(manifest.base.sekvensnummer) if states else ()),
        *macros.of_days(),
        macros.current_number(),
        *LOCAL_TIMES,
        utgivelse(manifest),
    ):
        connection.execute(statement)


def add_comments(connection: duckdb.DuckDBPyConnection, store: Store, manifest: Manifest) -> None:
    """Say what each table and column is, where :func:`add_views` has made them."""
    tables = (*described(load_plan(store, manifest.contract)), *VIEWS)
    own = (*macro_comments(tables), *code_comments(), *utgivelse_comments(manifest))
    for statement in (*comments(tables), *own):
        connection.execute(statement)


def _add_protected_today(
    connection: duckdb.DuckDBPyConnection, store: Store, manifest: Manifest
) -> str | None:
    """Of an earlier state: make the table that tells who is protected now, and return its name."""
    number = current_number(store)
    if number is None or (
        manifest.number in {"", number} and len(manifest.deltas) >= delta_count(store, number)
    ):
        return None
    current = read_manifest(store, number)
    tables = described(load_plan(store, current.contract))
    protection = Protection(tables, current.parts)
    with connect(store, current, states=False) as now:
        rows = now.sql(f"FROM {protection.numbers(identifier, protection.graded)}").to_arrow_table()
    connection.register("protected", rows)
    connection.execute(f"CREATE TABLE {PROTECTED_TODAY} AS FROM protected")
    connection.unregister("protected")
    return PROTECTED_TODAY


def add_replaced(connection: duckdb.DuckDBPyConnection, store: Store, manifest: Manifest) -> None:
    """Make the tables that hide what deltas replace."""
    for name, persons in ((REPLACED_PERSONS, True), (REPLACED_NUMBERS, False)):
        connection.register("hidden", replaced(store, manifest, persons=persons))
        connection.execute(f"CREATE TABLE {name} AS FROM hidden")
        connection.unregister("hidden")


def release_at(store: Store, sekvensnummer: int | None) -> Manifest:
    """The release that shows the state at a position of the event list; None: the current one.

    That is the state of the latest position up to it that a release still kept can show, of those
    of the current one's kind: a list's release is no earlier state of everyone's.

    Raises:
        ConfigurationError: none can; tells which ones there are.
    """
    if sekvensnummer is None:
        return require_current(store)
    releases = earlier(store)
    return state_at(releases, position_at(releases, sekvensnummer))


def query(store: Store, statement: str, *, as_of: int | None = None) -> duckdb.DuckDBPyRelation:
    """Run one statement over the current release, or over an earlier state.

    Args:
        store: where the releases lie.
        statement: SQL that gives rows.
        as_of: the event list's position whose state is asked for; None: the current one.

    Raises:
        ConfigurationError: the statement is wrong; says what DuckDB says. Or there is no release.
    """
    manifest = release_at(store, as_of)
    if not (_ASKS_FOR_STATES.search(statement) or _ASKS_FOR_COMMENTS.search(statement)):
        with suppress(ConfigurationError):  # else DuckDB says which macro may have been meant
            return relation_of(connect(store, manifest, states=False), statement)
    return relation_of(connect_for(store, manifest, statement), statement)


def connect_for(store: Store, manifest: Manifest, statement: str) -> duckdb.DuckDBPyConnection:
    """A connection for one statement: with comments where it asks for them, as they take time."""
    connection = connect(store, manifest)
    if _ASKS_FOR_COMMENTS.search(statement):
        add_comments(connection, store, manifest)
    return connection
