"""The wave: from 100,000 events of one kind to published releases, by ``freg hendelser sync``.

The synthetic register runs in another process of the same machine. Each event concerns a person of
its own and carries a code that the contract doesn't list, as the wave of 2027-02-01 will.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from benchmarks.command import run
from benchmarks.results import Figure

EVENTS = 100_000
FREG = [sys.executable, "-m", "freg_pipeline.cli"]


def figures() -> list[Figure]:
    """One full load, not measured, and the sync of one wave."""
    serve = ["synthetic", "serve", "--persons", str(EVENTS), "--port", "0", "--no-auth"]
    register = subprocess.Popen([*FREG, *serve], stdout=subprocess.PIPE, text=True)
    assert register.stdout is not None
    try:
        base_url = register.stdout.readline().strip()
        with tempfile.TemporaryDirectory() as store:
            _run(base_url, store, "uttrekk", "komplett")
            _wave(base_url)
            seconds, peak_mb = _run(base_url, store, "hendelser", "sync")
            _require_synced(store)
    finally:
        register.terminate()
        register.wait()
    title, subject = f"wave of {EVENTS:,} events", "freg hendelser sync"
    return [
        Figure(title, subject, round(EVENTS / seconds), "events/s", 1),
        Figure(title, subject, round(seconds, 1), "s", 1),
        Figure(title, subject, round(peak_mb), "MB peak", 1),
    ]


def _wave(base_url: str) -> None:
    root = base_url.split("/folkeregisteret/")[0]
    order = urllib.request.Request(f"{root}/_synthetic/boelge?antall={EVENTS}", method="POST")
    with urllib.request.urlopen(order) as answer:
        answer.read()


def _run(base_url: str, store: str, *command: str) -> tuple[float, float]:
    """Seconds and peak memory of a command."""
    settings = {"FREG_BASE_URL": base_url, "FREG_STORE": store, "FREG_POLL_SECONDS": "0.1"}
    return run([*FREG, *command], settings)


def _require_synced(store: str) -> None:
    """See that the releases hold the whole wave."""
    import duckdb

    with duckdb.connect(str(Path(store) / "freg.duckdb"), read_only=True) as catalogue:
        (events,) = catalogue.execute("SELECT count(*) FROM hendelse").fetchall()[0]
        (changed,) = catalogue.execute(
            "SELECT count(DISTINCT personidentifikator) FROM identitetsgrunnlag"
            " WHERE er_gjeldende AND identitetsgrunnlagstatus = 'unik'"
        ).fetchall()[0]
    if events < EVENTS or not changed:
        msg = f"the releases hold {events} events, and {changed} persons are unik"
        raise RuntimeError(msg)
