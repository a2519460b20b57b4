"""What was measured of a small and a large register, as a table, as JSON, and as pages."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks.large import sizing
from benchmarks.large.floor import PARTS
from benchmarks.large.stages import LOAD, Measured, Stage
from benchmarks.results import PACKAGES

HERE = Path(__file__).parent.parent
RESULTS = HERE / "results-large.json"
LINEAR = 10.3  # ten times the persons may take so many times as long, in each stage
_NOTHING = 0.05  # CPU seconds: less tells nothing about growth


def table(small: Measured, large: Measured) -> str:
    """The figures as a table in Markdown."""
    floor = sum(large.floor.values())
    lines = [
        f"| {large.persons:,} persons | CPU s | to the floor | CPU s of {small.persons:,} | growth "
        "| MB, largest process | s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, stage in large.stages.items():
        before = small.stages.get(name, Stage(0.0, 0.0))
        clock = "" if stage.seconds is None else f"{stage.seconds:.1f}"
        lines.append(
            f"| {name} | {stage.cpu:.1f} | {stage.cpu / floor:.2f} | {before.cpu:.1f} "
            f"| {growth(before.cpu, stage.cpu)} | {stage.memory:.0f} | {clock} |"
        )
    for part in PARTS:
        here, before_there = large.floor[part], small.floor[part]
        lines.append(
            f"| floor: {part} | {here:.1f} | {here / floor:.2f} | {before_there:.1f} "
            f"| {growth(before_there, here)} | | |"
        )
    lines.append(
        f"| floor | {floor:.1f} | 1.00 | {sum(small.floor.values()):.1f} "
        f"| {growth(sum(small.floor.values()), floor)} | | |"
    )
    load = large.stages[LOAD]
    per_second = "" if not load.seconds else f"{large.persons / load.seconds:,.0f}"
    per_million = load.cpu * 1e6 / large.persons
    lines += ["", f"{per_second} persons a second from order to catalogue; {per_million:.0f} CPU "
              f"seconds a million; {load.cpu / floor:.2f} times the floor."]  # fmt: skip
    return "\n".join(lines)


def growth(small: float, large: float) -> str:
    """How many times the CPU time ten times the persons take."""
    return f"{large / small:.1f}" if small > _NOTHING else ""


def keep(small: Measured, large: Measured) -> None:
    """Write ``results-large.json``, ``RESULTS-large.md`` and ``docs/sizing.md``."""
    versions = {name: version(name) for name in PACKAGES if name not in {"dlt", "orjson"}}
    results = {
        "versions": {**versions, "python": platform.python_version()},
        "measured": [asdict(small), asdict(large)],
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    used = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    page = PAGE.format(table=table(small, large), machine=machine, used=used, linear=LINEAR)
    (HERE / "RESULTS-large.md").write_text(page)
    sizing.write(small, large)


def kept() -> tuple[Measured, Measured]:
    """What the last whole run gave: the small register and the large one."""
    small, large = json.loads(RESULTS.read_text())["measured"]
    return read(small), read(large)


def read(found: dict[str, object]) -> Measured:
    """A register's figures as they were written."""
    stages = found["stages"]
    assert isinstance(stages, dict)
    of_stages = {name: Stage(**stage) for name, stage in stages.items()}
    return Measured(**{**found, "stages": of_stages})  # type: ignore[arg-type]


PAGE = """# A million persons

Written by `make bench-large`, by one run on one machine, register included: a full load of the
synthetic register, then a day of events, a sync that finds nothing, and a compaction. A stage's
CPU time is that of all processes while Dagster had it down as under way; where two overlap, each
has half. *The floor* is what nobody can do without on the same data, measured in the same run:
to receive the answers, to pack them as they are kept, to parse them without output, and to write
the finished rows as the Parquet files that they lie in. *Growth* is to a tenth of the persons:
{linear} and less is linear.

{table}

Machine: {machine}. Versions: {used}. What follows from it for other sizes:
[sizing](../docs/sizing.md).
"""
