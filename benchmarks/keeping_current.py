"""Keeping current: what a sync costs on a small and a large register, and what deltas cost readers.

Registers run in other processes; each is loaded once. Syncs are timed from the first question for
events to the catalogue of the new release, in this process; queries on the same connection form,
before and after a compaction of the same content.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import httpx

from benchmarks.results import Figure, say
from freg_pipeline.client import Register
from freg_pipeline.course import collect
from freg_pipeline.feed.sync import Slice
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.settings import load
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore

SMALL, LARGE = 20_000, 200_000
CHANGED = 1_000  # persons a sync
SYNCS = 5
ROUNDS = 15
FREG = [sys.executable, "-m", "freg_pipeline.cli"]
QUERIES = {
    "who lives where, by kommune": (
        "SELECT vegadresse_kommunenummer, count(*) FROM bostedsadresse "
        "WHERE er_gjeldende GROUP BY 1"
    ),
    "surnames by kommune, of two tables": (
        "SELECT b.vegadresse_kommunenummer, count(DISTINCT n.etternavn) FROM navn AS n "
        "JOIN bostedsadresse AS b USING (personidentifikator) "
        "WHERE n.er_gjeldende AND b.er_gjeldende GROUP BY 1"
    ),
    "person_oversikt by kommune": (
        "SELECT kommunenummer, count(*), max(etternavn) FROM person_oversikt GROUP BY 1"
    ),
    "rows by one short code (no more than one column read)": (
        "SELECT adressegradering, count(*) FROM bostedsadresse GROUP BY 1"
    ),
}


def figures() -> list[Figure]:
    """Syncs on both registers in turn; then queries on the large one."""
    with (
        tempfile.TemporaryDirectory() as name,
        loaded(Path(name), SMALL) as small,
        loaded(Path(name), LARGE) as large,
    ):
        seconds: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(SYNCS):
            for persons, (base_url, store) in ((SMALL, small), (LARGE, large)):
                seconds[persons].append(_sync(base_url, store))
                whole, publishing = seconds[persons][-1]
                say(f"sync of {persons:,}: {whole:.2f} s, {publishing:.2f} of it the delta")
        base_url, store = large
        many = _queries(store, f"{SYNCS} deltas")
        _sync(base_url, store, SYNCS * CHANGED)
        return [*_syncs(seconds), *many, *_queries(store, "one delta")]


def _syncs(seconds: dict[int, list[tuple[float, float]]]) -> list[Figure]:
    title = f"sync of {CHANGED:,} events"
    found = []
    for part, what in enumerate(("events to catalogue", "delta and release only")):
        times = {
            persons: statistics.median(run[part] for run in seconds[persons])
            for persons in (SMALL, LARGE)
        }
        found += [
            Figure(title, f"{what}, register of {persons:,}", round(times[persons], 2), "s", SYNCS)
            for persons in times
        ]
        ratio = round(times[LARGE] / times[SMALL], 2)
        found.append(
            Figure(title, f"{what}, {LARGE:,} to {SMALL:,}", ratio, "times the time", SYNCS)
        )
    return found


def _sync(base_url: str, store: Store, events: int = CHANGED) -> tuple[float, float]:
    """Let things happen, and take them over: seconds in all, and of those for the delta."""
    happen(base_url, events)
    started = time.perf_counter()
    publishing = publish_slice(base_url, store)
    refresh_catalogue(store)
    return time.perf_counter() - started, publishing


def happen(base_url: str, events: int) -> None:
    """Let so many things happen at the register."""
    address = f"{base_url.split('/folkeregisteret')[0]}/_synthetic/hendelser"
    httpx.post(address, params={"antall": events}, timeout=60).raise_for_status()


def publish_slice(base_url: str, store: Store) -> float:
    """Take what has happened into a release; the seconds that publishing took."""
    settings = load(base_url=base_url, store=store.location)

    async def landed() -> Slice | None:
        async with Register.from_settings(settings) as register:
            return await collect(store, register, settings, lambda *_: lambda _: None)

    collected = asyncio.run(landed())
    assert collected is not None
    between = time.perf_counter()
    build_release(store, collected.uttrekk)
    return time.perf_counter() - between


def _queries(store: Store, deltas_are: str) -> list[Figure]:
    """Each query on the release with deltas and on the compacted one, in turn."""
    before = require_current(store)
    share = sum(delta.replaced for delta in before.deltas) / before.persons
    compaction = begin_compaction(store)
    assert compaction is not None
    started = time.perf_counter()
    after = compact(store, compaction, lambda _: None)
    seconds = time.perf_counter() - started
    title = f"query with {share:.1%} of persons replaced by {deltas_are}"
    found = [Figure("compaction", f"{before.persons:,} persons", round(seconds, 1), "s", 1)]
    with connect(store, before) as deltas, connect(store, after) as compacted:
        for what, statement in QUERIES.items():
            ratio, of_cpu, milliseconds = _ratio(statement, deltas, compacted)
            found += [
                Figure(title, f"{what}, to compacted", ratio, "times the time", ROUNDS),
                Figure(title, f"{what}, to compacted", of_cpu, "times the CPU time", ROUNDS),
                Figure(title, what, milliseconds, "ms", ROUNDS),
            ]
    return found


def _ratio(
    statement: str, deltas: duckdb.DuckDBPyConnection, compacted: duckdb.DuckDBPyConnection
) -> tuple[float, float, float]:
    """Time and CPU time with deltas to those without, and milliseconds with deltas; medians."""
    wall: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, connection in (("deltas", deltas), ("compacted", compacted)):
            began, started = time.process_time(), time.perf_counter()
            connection.execute(statement).fetchall()
            wall[name].append(time.perf_counter() - started)
            cpu[name].append(time.process_time() - began)
    times, used = ({name: statistics.median(runs) for name, runs in all_runs.items()}
                   for all_runs in (wall, cpu))  # fmt: skip
    return (
        round(times["deltas"] / times["compacted"], 2),
        round(used["deltas"] / used["compacted"], 2),
        round(1_000 * times["deltas"], 1),
    )


@contextmanager
def loaded(folder: Path, persons: int) -> Iterator[tuple[str, Store]]:
    """A register of so many persons, and a store with a full load of it."""
    register = subprocess.Popen(
        [*FREG, "synthetic", "serve", "--persons", str(persons), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert register.stdout is not None
    try:
        base_url = register.stdout.readline().strip()
        store = folder / str(persons)
        settings = {"FREG_BASE_URL": base_url, "FREG_STORE": str(store), "FREG_POLL_SECONDS": "0.1"}
        say(f"loading {persons:,} persons")
        subprocess.run(
            [*FREG, "uttrekk", "komplett"], env={**os.environ, **settings},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        yield base_url, LocalStore(store)
    finally:
        register.terminate()
        register.wait()


@contextmanager
def kept_current(folder: Path, persons: int, events: int) -> Iterator[Store]:
    """A store with a full load of so many persons, and a sync of so many events on top of it."""
    with loaded(folder, persons) as (base_url, store):
        happen(base_url, events)
        publish_slice(base_url, store)
        yield store
