"""``make bench``: all measurements in one run, interleaved, as a table, as JSON and as a page."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.documents import make_documents
from benchmarks.measure import Measured, finish, measure, start
from benchmarks.whole_job import whole_job

HERE = Path(__file__).parent
PERSONS = 20_000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SUBJECTS = ("freg", "floor", "polars_json", "orjson_loops", "dlt_parquet")
NAMES = {
    "freg": "freg_pipeline",
    "floor": "floor: simdjson parse + Parquet of the finished tables",
    "polars_json": "polars read_json",
    "orjson_loops": "orjson and loops",
    "dlt_parquet": "dlt, normal settings",
}
PACKAGES = ("pyarrow", "polars", "orjson", "dlt", "pysimdjson", "msgspec", "duckdb", "dagster")


@dataclass(frozen=True)
class Figure:
    """One line of the results."""

    benchmark: str
    subject: str
    figure: float
    unit: str
    rounds: int


def main() -> None:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        documents = Path(name)
        say(f"making {PERSONS:,} documents")
        make_documents(documents, PERSONS)
        size = sum(path.stat().st_size for path in documents.glob("*.json"))
        figures.append(Figure("documents", "mean size", round(size / PERSONS), "bytes", 1))
        figures += normalising(documents)
        figures += two_cores(documents)
        figures += growth(documents)
    figures += [Figure("whole job", *line, 1) for line in whole_job(PERSONS)]
    write(figures)


def normalising(documents: Path) -> list[Figure]:
    """Every subject on the same documents, one core, interleaved."""
    runs: dict[str, list[Measured]] = defaultdict(list)
    for number in range(ROUNDS):
        for subject in SUBJECTS:
            runs[subject].append(measure(subject, documents))
            last = runs[subject][-1]
            say(f"round {number + 1}: {subject} {last.seconds:.2f} s, {last.peak_mb:.0f} MB")
    seconds = {name: statistics.median(run.seconds for run in runs[name]) for name in SUBJECTS}
    title = "normalising, one core"
    figures = []
    for name in SUBJECTS:
        persons = runs[name][0].persons
        peak = max(run.peak_mb for run in runs[name])
        figures += [
            Figure(title, NAMES[name], round(persons / seconds[name]), "persons/s", ROUNDS),
            Figure(title, NAMES[name], round(peak), "MB peak", ROUNDS),
        ]
    for name in SUBJECTS[1:]:
        ratio = (
            seconds["freg"] / seconds[name] if name == "floor" else seconds[name] / seconds["freg"]
        )
        what = "times the floor's time" if name == "floor" else "times as fast as it"
        figures.append(
            Figure(title, f"freg_pipeline to {NAMES[name]}", round(ratio, 2), what, ROUNDS)
        )
    return figures


def two_cores(documents: Path) -> list[Figure]:
    """Two workers side by side, as two batches run, against one."""
    if (os.cpu_count() or 1) < 2:
        return []
    ratios = []
    for number in range(ROUNDS):
        alone = measure("freg", documents).seconds
        both = [start("freg", documents, core) for core in (0, 1)]
        together = max(finish(process).seconds for process in both)
        ratios.append(2 * alone / together)
        say(f"round {number + 1}: two workers {ratios[-1]:.2f} times one")
    ratio = round(statistics.median(ratios), 2)
    return [Figure("two cores", "two workers to one", ratio, "times the persons/s", ROUNDS)]


def growth(documents: Path) -> list[Figure]:
    """Ten times the documents in one batch."""
    one = [measure("freg", documents) for _ in range(3)]
    ten = [measure("freg", documents, repeat=10) for _ in range(3)]
    ratio = statistics.median(run.seconds for run in ten) / statistics.median(
        run.seconds for run in one
    )
    peak = max(run.peak_mb for run in ten)
    return [
        Figure("growth", "200,000 documents to 20,000", round(ratio, 2), "times the time", 3),
        Figure("growth", "a batch of 200,000", round(peak), "MB peak", 3),
    ]


def write(figures: list[Figure]) -> None:
    """Print the table, and keep it as JSON and as a page."""
    versions = {name: version(name) for name in PACKAGES}
    versions["python"] = platform.python_version()
    results = [{**vars(figure), "versions": versions} for figure in figures]
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    lines = [
        "| benchmark | subject | figure | unit | rounds |",
        "| --- | --- | ---: | --- | ---: |",
    ]
    lines += [
        f"| {one.benchmark} | {one.subject} | {one.figure:,} | {one.unit} | {one.rounds} |"
        for one in figures
    ]
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {versions['python']}"
    used = ", ".join(f"{name} {versions[name]}" for name in PACKAGES)
    page = PAGE.format(table="\n".join(lines), machine=machine, used=used, persons=f"{PERSONS:,}")
    (HERE / "RESULTS.md").write_text(page)
    print("\n".join(lines))


PAGE = """# Results

Written by `make bench`; medians, subjects interleaved in one run, each in a process of its own on
one core. The documents are {persons} of the synthetic register, with history and all entities.

{table}

Machine: {machine}. Versions: {used}.

The subjects do not all do the same: only freg_pipeline types dates, times and years by a contract,
tells unknown fields and accounts for every identifier. The floor parses and produces nothing from
it, and writes tables that were finished before.
"""


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
