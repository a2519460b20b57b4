"""The catalogue opens with DuckDB 1.5 too, where that can be had: views, macros, earlier states."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.views import OVERVIEW
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

A, B, C = (number(index) for index in range(3))
READ = f"""
import duckdb, json, sys
freg = duckdb.connect(sys.argv[1], read_only=True)
ask = lambda sql: freg.execute(sql).fetchall()
print(json.dumps({{
    "version": duckdb.__version__,
    "now": ask("SELECT fornavn FROM navn ORDER BY 1"),
    "then": ask("SELECT fornavn FROM navn_per(100) ORDER BY 1"),
    "earlier": ask("SELECT gjeldende_identifikator('{B}')"),
    "persons": ask("SELECT count(*) FROM {OVERVIEW}"),
}}))
"""


@pytest.fixture(scope="module")
def older_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with DuckDB 1.5, beside the one that the project uses."""
    folder = tmp_path_factory.mktemp("duckdb")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "--no-deps", "--only-binary=:all:", "--target", str(folder), "duckdb>=1.5,<2"],
        capture_output=True,
        timeout=120,
    )
    if done.returncode:
        pytest.skip("DuckDB 1.5 can't be installed here")
    return folder


def test_the_catalogue_opens_with_duckdb_1_5(older_duckdb: Path, tmp_path: Path) -> None:
    store = local_store(tmp_path)
    documents = [
        ("d-a", document(A, navn=[navn("Ada")])),
        ("d-b", document(B, navn=[navn("Bo")])),
        ("d-c", document(C, navn=[navn("Cato")])),
    ]
    build_release(store, deliver(store, "one", documents))
    merged = document(A, B, day=5, navn=[navn("Adele")])
    build_release(store, deliver_events(store, 100, 200, [(A, merged)]))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(refresh_catalogue(store))],
        env={**os.environ, "PYTHONPATH": str(older_duckdb)},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("version").startswith("1.5")
    assert found == {
        "now": [["Adele"], ["Cato"]],
        "then": [["Ada"], ["Bo"], ["Cato"]],
        "earlier": [[A]],
        "persons": [[2]],
    }
