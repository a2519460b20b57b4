"""One measurement: a subject in a process of its own, on given cores; seconds and peak memory.

Run as ``python -m benchmarks.measure SUBJECT FOLDER REPEAT``: prints one JSON line.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """What one run gave.

    Attributes:
        seconds: wall time of the measured part.
        persons: documents read.
        peak_mb: most memory that the process ever held, its imports and preparation included.
    """

    seconds: float
    persons: int
    peak_mb: float


def start(subject: str, documents: Path, core: int, repeat: int = 1) -> subprocess.Popen[str]:
    """Begin a measurement on one core."""
    environment = {**os.environ, "BENCH_CORE": str(core), "POLARS_MAX_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.measure", subject, str(documents), str(repeat)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def finish(process: subprocess.Popen[str]) -> Measured:
    """Wait for it."""
    out, _ = process.communicate()
    if process.returncode:
        msg = f"a measurement failed with exit code {process.returncode}"
        raise RuntimeError(msg)
    return Measured(**json.loads(out.strip().splitlines()[-1]))


def measure(subject: str, documents: Path, *, core: int = 0, repeat: int = 1) -> Measured:
    """Measure once."""
    return finish(start(subject, documents, core, repeat))


def _main() -> None:
    name, documents, repeat = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(os.environ["BENCH_CORE"])})
    import pyarrow as pa

    pa.set_cpu_count(1)
    subject = importlib.import_module(f"benchmarks.subjects.{name}")
    answers = sorted(documents.glob("*.json")) * repeat
    prepared = subject.prepare(answers)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        persons = subject.run(answers, Path(folder), prepared)
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "persons": persons, "peak_mb": peak}))


if __name__ == "__main__":
    _main()
