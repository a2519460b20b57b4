"""Copies that ``freg load`` keeps: in PostgreSQL, a DuckDB file and folders of Delta tables."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from freg_pipeline.journal.releases import read_if_there, require_current
from freg_pipeline.lake.described import Described, described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.load.destination import destination
from freg_pipeline.load.loading import Loaded, load
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.copies import Copy

PASSWORD = "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD"

# Ends its process as kill -9 does: when so many tables have come, or all, but not the position.
_KILLED = """
import os, signal, sys
from dlt.load import load as dlt_load
left = int(sys.argv[1])
def end(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
completed = dlt_load.Load.complete_jobs
def complete(self, load_id, jobs, schema):
    global left
    found = completed(self, load_id, jobs, schema)
    left -= sum(job.job_file_info().table_name[0] not in "_f" for job in found[1])
    if left < 0:
        end()
    return found
if left:
    dlt_load.Load.complete_jobs = complete
else:
    whole = dlt_load.Load.complete_package
    def complete_package(self, load_id, schema, **more):
        jobs = self.load_storage.normalized_packages.list_all_jobs_with_states(load_id)
        end() if len(jobs) > 3 else whole(self, load_id, schema, **more)
    dlt_load.Load.complete_package = complete_package
from freg_pipeline.cli import main
sys.argv = ["freg", *sys.argv[2:]]
main()
"""


class Warehouse(Copy):
    """A copy.

    Attributes:
        named: where, as the command takes it.
        schema: which schema there.
    """

    def __init__(self, folder: Path, named: str, schema: str = "freg") -> None:
        super().__init__(folder)
        self.named = named
        self.schema = schema

    def load(self, store: Store, *, anew: bool = False) -> Loaded:
        """Bring it to the current release."""
        loaded = load(store, destination(self.named, self.schema), anew=anew)
        if loaded.since is None:
            self.kept = {name: set() for name in self.kept}
            self._shown = {name: set() for name in self._shown}
        before = read_if_there(store, loaded.since)
        self._expect(store, before, require_current(store))
        return loaded

    def command(self, store: LocalStore, *more: str) -> list[str]:
        """What does the same on the command line."""
        return ["load", self.named, "--schema", self.schema, "--store", store.location, *more]

    def load_killed(self, store: LocalStore, after: int) -> None:
        """The same in another process, which is killed after so many tables.

        Args:
            store: what it is a copy of.
            after: 0: when all are there, but not the position.
        """
        command = [sys.executable, "-c", _KILLED, str(after), *self.command(store)]
        ended = subprocess.run(command, env=dict(os.environ), capture_output=True, timeout=600)
        assert ended.returncode == -9, ended.stderr.decode()

    def wrong(self, store: Store) -> dict[str, tuple[int, int]]:
        """As of any copy: by table that isn't as its view how many rows are here or there only."""
        manifest = require_current(store)
        for table in described(load_plan(store, manifest.contract)):
            columns = ", ".join(_typed(name, kind) for name, kind, _ in table.shown)
            rows = self.rows(table)
            self.connection.register("rows", rows)
            self.connection.execute(
                f'CREATE OR REPLACE TABLE "{table.name}" AS SELECT {columns} FROM rows'
            )
            self.connection.unregister("rows")
        return super().wrong(store)

    def _unlike(self, store: Store) -> dict[str, tuple[int, int]]:
        return {}  # no file tells what it is to be: its views do

    def rows(self, table: Described) -> pa.Table:
        """A table's, as they lie there; lists may be JSON."""
        raise NotImplementedError

    def has(self, table: str) -> bool:
        """Whether a table is there."""
        raise NotImplementedError

    def position(self) -> list[tuple[str, int]]:
        """As docs/warehouse.md asks for it: the release, and the event list's position."""
        raise NotImplementedError


def _typed(name: str, kind: str) -> str:
    text = f'"{name}"::JSON' if kind.endswith("[]") else f'"{name}"'
    return f'CAST({text} AS {kind}) AS "{name}"'


POSITION = """
SELECT release, sekvensnummer FROM freg.freg_copied
JOIN freg._dlt_loads ON load_id = _dlt_load_id
ORDER BY load_id DESC LIMIT 1
"""


class InDuckDB(Warehouse):
    """In a file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "warehouse.duckdb"
        super().__init__(folder, f"duckdb:{self._file}")

    def rows(self, table: Described) -> pa.Table:
        return self.asked(f'FROM {self.schema}."{table.name}"')

    def has(self, table: str) -> bool:
        return len(self.asked(f"FROM duckdb_tables() WHERE table_name = '{table}'")) > 0

    def position(self) -> list[tuple[str, int]]:
        return [tuple(row.values()) for row in self.asked(POSITION).to_pylist()]

    def asked(self, statement: str) -> pa.Table:
        with duckdb.connect(self._file, read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.sql(statement).to_arrow_table()


class InPostgres(Warehouse):
    """In a server of :func:`freg_pipeline_tests.services.postgres`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], schema: str = "freg") -> None:
        where = f"127.0.0.1:{environment['DAGSTER_PG_PORT']}/postgres"
        super().__init__(folder, f"postgresql://dagster@{where}", schema)
        self._uri = f"postgresql://dagster:{environment['PGPASSWORD']}@{where}"

    def rows(self, table: Described) -> pa.Table:
        columns = [
            f'"{name}"::text AS "{name}"' if kind.endswith("[]") else f'"{name}"'
            for name, kind, _ in table.shown
        ]
        return self.asked(f'SELECT {", ".join(columns)} FROM {self.schema}."{table.name}"')

    def position(self) -> list[tuple[str, int]]:
        return [tuple(row.values()) for row in self.asked(POSITION).to_pylist()]

    def asked(self, statement: str) -> pa.Table:
        with (
            adbc_driver_postgresql.dbapi.connect(self._uri) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return cursor.fetch_arrow_table()

    def told(self, statement: str) -> None:
        """Do something there."""
        with (
            adbc_driver_postgresql.dbapi.connect(self._uri) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            connection.commit()


class InDelta(Warehouse):
    """In folders."""

    def __init__(self, folder: Path) -> None:
        self._lake = folder / "lake"
        super().__init__(folder, f"delta:{self._lake}")

    def rows(self, table: Described) -> pa.Table:
        found = self._table(table.name)
        lists = [field.name for field in found.schema if pa.types.is_list(field.type)]
        for name in lists:
            texts = [None if one is None else repr(one) for one in found[name].to_pylist()]
            texts = [one and one.replace("'", '"') for one in texts]
            place = found.column_names.index(name)
            found = found.set_column(place, name, pa.array(texts, pa.string()))
        return found

    def position(self) -> list[tuple[str, int]]:
        ended = [one.name for one in (self._lake / self.schema / "_dlt_loads").iterdir()]
        every: Sequence[dict[str, Any]] = self._table("freg_copied").to_pylist()
        rows = [row for row in every if any(row["_dlt_load_id"] in name for name in ended)]
        newest = max(rows, key=lambda row: row["_dlt_load_id"])
        return [(newest["release"], newest["sekvensnummer"])]

    def has(self, table: str) -> bool:
        return any(one.is_file() for one in (self._lake / self.schema / table).rglob("*"))

    def _table(self, name: str) -> pa.Table:
        return DeltaTable(self._lake / self.schema / name).to_pyarrow_table()
