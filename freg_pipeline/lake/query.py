"""Query a release: the same views as in the catalogue, in memory, over exactly one release.

Parquet is read where it lies. For a store on S3 pyarrow reads it, so that nothing has to be
installed into DuckDB.
"""

from __future__ import annotations

import atexit
import os
import re
import tempfile
from functools import cache
from pathlib import Path

import duckdb
import pyarrow.dataset as ds

from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.identifiers import mask_within
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.release import Manifest, require_current
from freg_pipeline.lake.tables import described
from freg_pipeline.lake.views import CURRENT_NUMBER, overview, quoted, table_views
from freg_pipeline.store import Store

_QUOTED = re.compile(r"""(['"])(?:.*\1|.*)""")  # from the first quote to the last, or to the end
_COPY = {
    "csv": "(FORMAT csv, HEADER)",
    "json": "(FORMAT json, ARRAY true)",
    "parquet": "(FORMAT parquet, COMPRESSION zstd)",
}


def connect(store: Store, manifest: Manifest | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection with a view for each table of a release.

    Args:
        store: where it lies.
        manifest: which release; None: the current one.

    Raises:
        ConfigurationError: there is no release yet.
        StoreError: its files can't be read.
    """
    manifest = manifest or require_current(store)
    connection = duckdb.connect(config={"temp_directory": _spill_folder()})
    connection.execute("SET TimeZone = 'Europe/Oslo'")
    try:
        _fill(connection, store, manifest)
    except (duckdb.Error, OSError):
        connection.close()
        raise StoreError(
            f"the files of release {manifest.number} can't be read",
            f"See which ones: freg release verify {manifest.number}",
        ) from None
    return connection


def _fill(connection: duckdb.DuckDBPyConnection, store: Store, manifest: Manifest) -> None:
    if store.location.startswith("s3://"):
        for name, entry in manifest.tables.items():
            paths = [store.path(file.key) for file in entry.files]
            dataset = ds.dataset(paths, filesystem=store.filesystem, format="parquet")
            connection.register(name, dataset)
    else:
        for statement in table_views(parquet_sources(store, manifest)):
            connection.execute(statement)
    view = overview(described(load_plan(store, manifest.contract)), manifest.parts)
    connection.execute(CURRENT_NUMBER)
    if view is not None:
        connection.execute(view)


@cache
def _spill_folder() -> str:
    """Where queries put what doesn't fit into memory: rows of persons, so private, and gone after.

    DuckDB's own choice is a folder in the one where the command runs, open to everyone.
    """
    folder = tempfile.TemporaryDirectory(prefix="freg-")  # mode 0700
    atexit.register(folder.cleanup)
    return folder.name


def parquet_sources(store: Store, manifest: Manifest) -> dict[str, str]:
    """For each table the SQL that reads its files."""
    scheme = "s3://" if store.location.startswith("s3://") else ""
    return {
        name: "read_parquet(["
        + ", ".join(quoted(scheme + store.path(file.key)) for file in entry.files)
        + "])"
        for name, entry in manifest.tables.items()
    }


def query(store: Store, statement: str) -> duckdb.DuckDBPyRelation:
    """Run one statement over the current release.

    Raises:
        ConfigurationError: the statement is wrong; says what DuckDB says. Or there is no release.
    """
    return _relation(connect(store), statement)


def render(store: Store, statement: str, *, rows: int = 40) -> str:
    """A statement's rows as a table of text; the first ``rows`` of them."""
    relation = query(store, statement)
    try:
        return str(relation.limit(rows)).rstrip()
    except duckdb.Error as error:
        raise _wrong(error) from None


def export(store: Store, statement: str, form: str, output: Path | None) -> None:
    """Write a statement's rows to a file, or to stdout.

    A file is there when it is whole, and private to its owner; one that was there before stays if
    the statement fails.

    Args:
        store: where the release lies.
        statement: SQL that gives rows.
        form: csv, json or parquet.
        output: the file; None: stdout.

    Raises:
        ConfigurationError: the statement is wrong, or the file can't be written.
    """
    connection = connect(store)
    _relation(connection, statement)
    if output is None or (output.exists() and not output.is_file()):  # a pipe, a terminal
        _copy(connection, statement, form, output or Path("/dev/stdout"))
        return
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        _copy(connection, statement, form, temporary)
        temporary.chmod(0o600)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)


def _copy(connection: duckdb.DuckDBPyConnection, statement: str, form: str, target: Path) -> None:
    inner = statement.strip().rstrip(";")
    try:
        connection.execute(f"COPY ({inner}\n) TO {quoted(str(target))} {_COPY[form]}")
    except duckdb.Error as error:
        raise _wrong(error) from None


def _relation(connection: duckdb.DuckDBPyConnection, statement: str) -> duckdb.DuckDBPyRelation:
    try:
        relation = connection.sql(statement)
    except duckdb.Error as error:
        raise _wrong(error) from None
    if relation is None:
        raise ConfigurationError("that statement gives no rows", "Write a SELECT")
    return relation


def _wrong(error: duckdb.Error) -> ConfigurationError:
    """What DuckDB says, in one line. A value that it quotes is a person's: it is left out."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    said = mask_within(lines[0] if lines else type(error).__name__)
    if isinstance(error, duckdb.DataError | duckdb.InvalidInputException):
        said = _QUOTED.sub("…", said)
    remedy = "Correct the SQL"
    if isinstance(error, duckdb.OperationalError):
        remedy += ", or see whether the release is whole: freg release verify"
    return ConfigurationError(said.rstrip("."), remedy)
