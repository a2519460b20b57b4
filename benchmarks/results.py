"""What a benchmark gives, and how all of it is kept: as a table, as JSON and as a page."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PERSONS = 20_000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PACKAGES = ("pyarrow", "polars", "orjson", "dlt", "pysimdjson", "msgspec", "duckdb", "dagster")


@dataclass(frozen=True)
class Figure:
    """One line of the results."""

    benchmark: str
    subject: str
    figure: float
    unit: str
    rounds: int


def say(line: str) -> None:
    """Progress, beside the results."""
    sys.stderr.write(f"{line}\n")


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table in Markdown."""
    lines = [
        "| benchmark | subject | figure | unit | rounds |",
        "| --- | --- | ---: | --- | ---: |",
    ]
    lines += [
        f"| {one.benchmark} | {one.subject} | {one.figure:,} | {one.unit} | {one.rounds} |"
        for one in figures
    ]
    return "\n".join(lines)


def keep(found: Mapping[str, Sequence[Figure]], order: Sequence[str], *, whole: bool) -> None:
    """Write ``results.json`` and ``RESULTS.md``.

    Args:
        found: what each benchmark of this run gave.
        order: all benchmarks, as the page has them.
        whole: nothing else is kept; else what the others gave before.
    """
    versions = {name: version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    new = [
        {"module": name, **vars(figure), "versions": versions}
        for name, figures in found.items()
        for figure in figures
    ]
    path = HERE / "results.json"
    kept = [] if whole else json.loads(path.read_text())
    results = [one for one in kept if one.get("module") not in found] + new
    places = {name: place for place, name in enumerate(order)}
    results.sort(key=lambda one: places.get(one.get("module"), -1))
    path.write_text(json.dumps(results, indent=1) + "\n")
    names = Figure.__dataclass_fields__
    shown = table([Figure(**{name: one[name] for name in names}) for one in results])
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {versions['python']}"
    used = ", ".join(f"{name} {versions[name]}" for name in PACKAGES)
    page = PAGE.format(table=shown, machine=machine, used=used, persons=f"{PERSONS:,}")
    (HERE / "RESULTS.md").write_text(page)


PAGE = """# Results

Written by `make bench`; medians, subjects interleaved in one run, each in a process of its own on
one core. The documents are {persons} of the synthetic register, with history and all entities.

{table}

Machine: {machine}. Versions: {used}.

The subjects do not all do the same: only freg_pipeline types dates, times and years by a contract,
tells unknown fields and accounts for every identifier. The floor parses and produces nothing from
it, and writes tables that were finished before.
"""
