"""A register, a load of it, a day of events, and a compaction: what each of these takes.

Commands as their users run them, each a process that is watched from outside. When a stage of the
load was is what Dagster recorded of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from benchmarks.large.watch import Use, Watch, used
from benchmarks.results import say

FREG = [sys.executable, "-m", "freg_pipeline.cli"]
EVENTS_SHARE = 50  # a day of 20,000 events on a million persons, and so many fewer on fewer
PARTS = ("receive", "zstd", "simdjson", "parquet")  # of the floor
_AT_ONCE = 2_000  # events a request, so that none takes too long
_STEPS = {
    "uttrekk": "order and batches",
    "batch_identifikatorer": "order and batches",
    "bulkoppslag": "look-ups",
    "batch_tabeller": "tables",
    "release": "release",
    "release_checks": "checks",
    "duckdb_katalog": "catalogue",
}
REST = "start, Dagster, and what is between"
LOAD = "whole load"
STAGES = (*dict.fromkeys(_STEPS.values()), REST, LOAD)
AFTER = ("sync of 2% events", "sync, nothing new", "compact")
_AFTER_COMMANDS = (["hendelser", "sync"], ["hendelser", "sync"], ["compact", "--force"])
REGISTER = "the register, meanwhile"


@dataclass(frozen=True)
class Stage:
    """What a stage took.

    Attributes:
        cpu: seconds of CPU time, of all its processes.
        memory: most resident memory of any of them, in MB.
        seconds: by the clock; None where it is a part of something.
    """

    cpu: float
    memory: float
    seconds: float | None = None


@dataclass(frozen=True)
class Measured:
    """Everything of one register.

    Attributes:
        persons: registrations.
        stages: by name.
        floor: CPU seconds by part.
        disk: bytes in the store by kind of object, after all of it.
        looked_up: bytes of answers, decompressed.
    """

    persons: int
    stages: dict[str, Stage]
    floor: dict[str, float]
    disk: dict[str, int]
    looked_up: int


def measure(persons: int, folder: Path) -> Measured:
    """Measure a register of so many persons; the store goes under a folder."""
    store = folder / "store"
    stages: dict[str, Stage] = {}
    with register(persons) as (process, base_url):
        settings = {"FREG_BASE_URL": base_url, "FREG_STORE": str(store), "FREG_POLL_SECONDS": "0.2"}
        before = used(process)[0]
        load = run(["uttrekk", "komplett"], settings)
        cpu, memory = used(process)
        stages |= _of_load(load, store)
        stages[REGISTER] = Stage(cpu - before, memory)
        disk, looked_up = taken(store), _looked_up(settings)
        happen(base_url, persons // EVENTS_SHARE)
        for name, command in zip(AFTER, _AFTER_COMMANDS, strict=True):
            use = run(command, settings)
            stages[name] = Stage(use.cpu[-1], max(use.memory), use.seconds)
    for name, stage in stages.items():
        say(f"{name}: {stage.cpu:.1f} CPU s, {stage.memory:.0f} MB")
    say("the floor")
    floor = subprocess.run(
        [sys.executable, "-m", "benchmarks.large.floor", str(store)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return Measured(persons, stages, json.loads(floor.stdout), disk, looked_up)


@contextmanager
def register(persons: int) -> Iterator[tuple[int, str]]:
    """A register in a process of its own, ready; its process and base URL."""
    say(f"a register of {persons:,} persons")
    process = subprocess.Popen(
        [*FREG, "synthetic", "serve", "--persons", str(persons), "--no-auth", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.pid, process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def run(command: list[str], settings: dict[str, str]) -> Use:
    """Run a command of this software, watched."""
    say(f"freg {' '.join(command)}")
    process = subprocess.Popen(
        [*FREG, *command],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = Watch(process.pid)
    _, lines = process.communicate()
    use = watch.stop()
    if process.returncode:
        sys.exit(f"freg {' '.join(command)} ended with exit code {process.returncode}:\n{lines}")
    return use


def _of_load(load: Use, store: Path) -> dict[str, Stage]:
    found = load.shared_out(steps(store))
    stages = {_STEPS.get(step, REST): Stage(*used_by) for step, used_by in _merged(found).items()}
    stages[LOAD] = Stage(load.cpu[-1], max(load.memory), load.seconds)
    return {name: stages[name] for name in STAGES if name in stages}


def _merged(found: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """By one step for each stage."""
    first = {stage: step for step, stage in reversed(_STEPS.items())}
    merged: dict[str, tuple[float, float]] = {}
    for step, (cpu, memory) in found.items():
        key = first.get(_STEPS.get(step, ""), "")
        so_far, most = merged.get(key, (0.0, 0.0))
        merged[key] = so_far + cpu, max(most, memory)
    return merged


def steps(store: Path) -> list[tuple[str, float, float]]:
    """When each step of each run was, as Dagster recorded it."""
    home = str(store / "dagster")
    with DagsterInstance.from_ref(InstanceRef.from_dir(home)) as instance:
        return [
            (one.step_key, one.start_time, one.end_time)
            for record in instance.get_run_records()
            for one in instance.get_run_step_stats(record.dagster_run.run_id)
            if one.start_time is not None and one.end_time is not None
        ]


def taken(store: Path) -> dict[str, int]:
    """Bytes on disk, by what a store's folders hold."""
    kinds = {"answers": 0, "tables": 0, "bases": 0, "other": 0}
    for path in store.rglob("*"):
        if path.is_file():
            parts = path.relative_to(store).parts
            kind = next((name for name in ("answers", "tables", "bases") if name in parts), "other")
            kinds[kind] += path.stat().st_size
    return kinds


def _looked_up(settings: dict[str, str]) -> int:
    shown = subprocess.run(
        [*FREG, "release", "show", "--format", "json"],
        env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return int(json.loads(shown.stdout)["measures"]["bytes"])


def happen(base_url: str, events: int) -> None:
    """Let so many events happen."""
    root = base_url.split("/folkeregisteret/")[0]
    with httpx.Client(timeout=600) as client:
        for first in range(0, events, _AT_ONCE):
            count = min(_AT_ONCE, events - first)
            client.post(f"{root}/_synthetic/hendelser?antall={count}").raise_for_status()


def ready() -> None:
    """See that the decoder is compiled: that is no part of any load."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import freg_pipeline.normalize.machine"], check=True)
    say(f"the decoder is ready ({time.perf_counter() - began:.0f} s)")


__all__ = ["AFTER", "LOAD", "PARTS", "REGISTER", "STAGES", "Measured", "Stage", "measure", "ready"]
