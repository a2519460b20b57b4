"""The whole job: ``freg uttrekk komplett`` against the synthetic register in another process."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from benchmarks.command import run
from benchmarks.results import PERSONS, Figure

FREG = [sys.executable, "-m", "freg_pipeline.cli"]


def figures() -> list[Figure]:
    """One load of the register's whole content."""
    register = subprocess.Popen(
        [*FREG, "synthetic", "serve", "--persons", str(PERSONS), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert register.stdout is not None
    try:
        seconds, peak_mb = _load(register.stdout.readline().strip())
    finally:
        register.terminate()
        register.wait()
    title, subject = "whole job", "freg uttrekk komplett"
    return [
        Figure(title, subject, round(PERSONS / seconds), "persons/s", 1),
        Figure(title, subject, round(seconds, 1), "s", 1),
        Figure(title, subject, round(peak_mb), "MB peak", 1),
    ]


def _load(base_url: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as store:
        settings = {"FREG_BASE_URL": base_url, "FREG_STORE": store, "FREG_POLL_SECONDS": "0.1"}
        return run([*FREG, "uttrekk", "komplett"], settings)
