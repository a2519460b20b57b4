"""Answers to Parquet: this software beside others, on one core, on two, and ten times as much."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.documents import make_documents
from benchmarks.measure import Measured, finish, measure, start
from benchmarks.results import PERSONS, ROUNDS, Figure, say

SUBJECTS = ("freg", "floor", "polars_json", "orjson_loops", "dlt_parquet")
NAMES = {
    "freg": "freg_pipeline",
    "floor": "floor: simdjson parse + Parquet of the finished tables",
    "polars_json": "polars read_json",
    "orjson_loops": "orjson and loops",
    "dlt_parquet": "dlt, normal settings",
}


def figures() -> list[Figure]:
    """All measurements of normalising, on the same documents."""
    with tempfile.TemporaryDirectory() as name:
        documents = Path(name)
        say(f"making {PERSONS:,} documents")
        make_documents(documents, PERSONS)
        size = sum(path.stat().st_size for path in documents.glob("*.json"))
        mean = Figure("documents", "mean size", round(size / PERSONS), "bytes", 1)
        return [mean, *one_core(documents), *two_cores(documents), *growth(documents)]


def one_core(documents: Path) -> list[Figure]:
    """Every subject on the same documents, interleaved."""
    runs: dict[str, list[Measured]] = defaultdict(list)
    for number in range(ROUNDS):
        for subject in SUBJECTS:
            runs[subject].append(measure(subject, documents))
            last = runs[subject][-1]
            say(f"round {number + 1}: {subject} {last.seconds:.2f} s, {last.peak_mb:.0f} MB")
    seconds = {name: statistics.median(run.seconds for run in runs[name]) for name in SUBJECTS}
    title = "normalising, one core"
    found = []
    for name in SUBJECTS:
        persons = runs[name][0].persons
        peak = max(run.peak_mb for run in runs[name])
        found += [
            Figure(title, NAMES[name], round(persons / seconds[name]), "persons/s", ROUNDS),
            Figure(title, NAMES[name], round(peak), "MB peak", ROUNDS),
        ]
    for name in SUBJECTS[1:]:
        ratio = (
            seconds["freg"] / seconds[name] if name == "floor" else seconds[name] / seconds["freg"]
        )
        what = "times the floor's time" if name == "floor" else "times as fast as it"
        found.append(
            Figure(title, f"freg_pipeline to {NAMES[name]}", round(ratio, 2), what, ROUNDS)
        )
    return found


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
    one, ten = [], []
    for number in range(ROUNDS):
        one.append(measure("freg", documents))
        ten.append(measure("freg", documents, repeat=10))
        say(f"round {number + 1}: ten times the documents {ten[-1].seconds:.2f} s")
    ratio = statistics.median(run.seconds for run in ten) / statistics.median(
        run.seconds for run in one
    )
    peak = max(run.peak_mb for run in ten)
    return [
        Figure("growth", "200,000 documents to 20,000", round(ratio, 2), "times the time", ROUNDS),
        Figure("growth", "a batch of 200,000", round(peak), "MB peak", ROUNDS),
    ]
