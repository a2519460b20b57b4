"""A copy in PostgreSQL: by ``freg load`` beside plain ADBC, and what a sync costs it afterwards.

Plain ADBC is the floor: the same Arrow batches into new tables, one COPY each, without a position,
a state or a way to take them in again. CPU seconds are this process's, not the server's; the peak
of memory is the command's. BENCH_COPIED persons, 200,000 unless it is set.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import adbc_driver_postgresql.dbapi

from benchmarks.command import run
from benchmarks.keeping_current import FREG, happen, loaded, publish_slice
from benchmarks.results import Figure, say
from freg_pipeline.changes.difference import changes
from freg_pipeline.journal.releases import require_current
from freg_pipeline.load.destination import destination
from freg_pipeline.load.loading import load
from freg_pipeline.store import Store
from freg_pipeline_tests import services

PERSONS = int(os.environ.get("BENCH_COPIED", "200000"))
CHANGED = 1_000
ROUNDS = 3
Timed = tuple[float, float]  # seconds, and CPU seconds


def figures() -> list[Figure]:
    """Full copies by turns, then syncs."""
    if "postgresql" in services.missing():
        say("PostgreSQL isn't installed: nothing is measured")
        return []
    with (
        tempfile.TemporaryDirectory() as name,
        loaded(Path(name), PERSONS) as (base_url, store),
        services.postgres() as server,
    ):
        address = f"127.0.0.1:{server['DAGSTER_PG_PORT']}/postgres"
        os.environ["DESTINATION__POSTGRES__CREDENTIALS__PASSWORD"] = server["PGPASSWORD"]
        uri = f"postgresql://dagster:{server['PGPASSWORD']}@{address}"
        by_us: list[Timed] = []
        plain: list[Timed] = []
        rows = _rows(store)
        of_command = [*FREG, "load", f"postgresql://dagster@{address}"]
        _, peak = run(of_command, {"FREG_STORE": store.location})
        _drop(uri, "freg")
        for number in range(ROUNDS):
            copy = destination(f"postgresql://dagster@{address}", f"round_{number}")
            by_us.append(_timed(lambda copy=copy: load(store, copy)))
            say(f"freg load of {PERSONS:,}: {by_us[-1]}")
            plain.append(_timed(lambda: _plain(store, uri, "plain")))
            say(f"plain ADBC: {plain[-1]}")
            _drop(uri, "plain", *([copy.schema] if number + 1 < ROUNDS else []))
        syncs = []
        for _ in range(ROUNDS):
            happen(base_url, CHANGED)
            publish_slice(base_url, store)
            syncs.append(_timed(lambda: load(store, copy)))
            say(f"{CHANGED:,} events into it: {syncs[-1]}")
    title = f"a copy of {PERSONS:,} persons ({rows:,} rows) in PostgreSQL"
    return [
        *_speeds(title, "freg load", by_us, rows),
        Figure(title, "freg load", round(peak), "MB peak", 1),
        *_speeds(title, "plain ADBC COPY, the floor", plain, rows),
        *_costs(f"{CHANGED:,} events into that copy", "freg load", syncs),
    ]


def _timed(work: Callable[[], object]) -> Timed:
    started, used = time.perf_counter(), time.process_time()
    work()
    return round(time.perf_counter() - started, 2), round(time.process_time() - used, 2)


def _plain(store: Store, uri: str, schema: str) -> None:
    with (
        adbc_driver_postgresql.dbapi.connect(uri) as connection,
        connection.cursor() as cursor,
        changes(store, None, require_current(store)) as found,
    ):
        cursor.execute(f"CREATE SCHEMA {schema}")
        for table in found.of():
            for part in table.parts:
                cursor.adbc_ingest(table.name, part.upserts, mode="create", db_schema_name=schema)
        connection.commit()


def _drop(uri: str, *schemas: str) -> None:
    """Take away what was measured, so that disks don't fill."""
    with adbc_driver_postgresql.dbapi.connect(uri) as connection, connection.cursor() as cursor:
        for schema in schemas:
            cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            cursor.execute(f"DROP SCHEMA IF EXISTS {schema}_staging CASCADE")
        connection.commit()


def _rows(store: Store) -> int:
    with changes(store, None, require_current(store)) as found:
        return sum(
            len(rows) for table in found.of() for part in table.parts for rows in part.upserts
        )


def _speeds(title: str, subject: str, times: list[Timed], rows: int) -> list[Figure]:
    wall, cpu = _medians(times)
    return [
        Figure(title, subject, round(rows / wall), "rows/s", ROUNDS),
        Figure(title, subject, round(cpu, 1), "CPU s", ROUNDS),
    ]


def _costs(title: str, subject: str, times: list[Timed]) -> list[Figure]:
    wall, cpu = _medians(times)
    return [
        Figure(title, subject, round(wall, 1), "s", ROUNDS),
        Figure(title, subject, round(cpu, 1), "CPU s", ROUNDS),
    ]


def _medians(times: list[Timed]) -> Timed:
    walls, cpus = zip(*times, strict=True)
    return statistics.median(walls), statistics.median(cpus)
