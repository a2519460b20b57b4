"""The catalogue opens with DuckDB 1.4 and 1.5 too, as it is and attached to a reader's database."""

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
from freg_pipeline_tests.waiting import STUCK_SECONDS

A, B, C = (number(index) for index in range(3))
# Opened itself, or attached under any name to a database that has tables of the same names.
READ = f"""
import duckdb, json, sys
path, name = sys.argv[1:]
if name:
    freg = duckdb.connect()
    freg.execute(f"ATTACH '{{path}}' AS {{name}} (READ_ONLY)")
    freg.execute("CREATE TABLE tidligere_identifikator (identifikator VARCHAR,"
                 " personidentifikator VARCHAR)")
    freg.execute("CREATE TABLE navn AS SELECT 'mine' AS fornavn")
    freg.execute("CREATE TABLE _erstattet (mine VARCHAR)")
    freg.execute("CREATE TABLE kode (mine VARCHAR)")
    freg.execute("SET TimeZone = 'America/New_York'")
    name += "."
else:
    freg = duckdb.connect(path, read_only=True)
ask = lambda sql: freg.execute(sql).fetchall()
print(json.dumps({{
    "version": duckdb.__version__,
    "now": ask(f"SELECT fornavn FROM {{name}}navn ORDER BY 1"),
    "then": ask(f"SELECT fornavn FROM {{name}}navn_per(100) ORDER BY 1"),
    "at the end": ask(f"SELECT fornavn FROM {{name}}navn_per(200) ORDER BY 1"),
    "earlier then": ask(f"SELECT count(*) FROM {{name}}tidligere_identifikator_per(100)"),
    "homes then": ask(f"SELECT adressegradering FROM {{name}}bostedsadresse_per(100)"),
    "changes then": ask(f"SELECT count(*) FROM {{name}}hendelse_egenskap_per(200)"),
    "earlier": ask(f"SELECT {{name}}gjeldende_identifikator('{B}')"),
    "of many": ask(f"SELECT {{name}}gjeldende_identifikator(who)"
                   f" FROM (VALUES ('{B}'), ('{C}'), ('x')) AS t(who)"),
    "in Oslo": ask(f"SELECT {{name}}norsk_dato(TIMESTAMPTZ '2020-06-30 22:30:00+00')::VARCHAR,"
                   f" {{name}}norsk_tid(TIMESTAMPTZ '2020-12-31 23:30:00+00')::VARCHAR"),
    "codes": ask(f"SELECT count(*) FROM {{name}}kode WHERE kolonne = 'adressegradering'"),
    "persons": ask(f"SELECT count(*) FROM {{name}}{OVERVIEW}"),
}}))
"""


@pytest.fixture(scope="module", params=["1.4", "1.5", "2"])
def duckdb_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The version, and the folder where it lies: none for the one that the project uses."""
    version: str = request.param
    if version == "2":
        return f"{version}:"
    folder = tmp_path_factory.mktemp("duckdb")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "--no-deps", "--only-binary=:all:", "--target", str(folder), f"duckdb=={version}.*"],
        capture_output=True,
        timeout=STUCK_SECONDS,
    )
    if done.returncode:
        pytest.skip(f"DuckDB {version} can't be installed here")
    return f"{version}:{folder}"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = local_store(tmp_path_factory.mktemp("made"))
    home = {"erGjeldende": True, "adressegradering": "ugradert", "vegadresse": {
        "adressenavn": "Storgata", "kommunenummer": "0301"}}  # fmt: skip
    documents = [
        ("d-a", document(A, navn=[navn("Ada")], bostedsadresse=[home])),
        ("d-b", document(B, navn=[navn("Bo")])),
        ("d-c", document(C, navn=[navn("Cato")])),
    ]
    build_release(store, deliver(store, "one", documents))
    secret = [{"erGjeldende": True, "graderingsnivaa": "fortrolig"}]
    merged = document(A, B, day=5, navn=[navn("Adele")], adressebeskyttelse=secret)
    build_release(store, deliver_events(store, 100, 200, [(A, merged)]))
    return refresh_catalogue(store)


@pytest.mark.parametrize("attached_as", ["", "freg", "folk"])
def test_the_catalogue_tells_the_same_whatever_reads_it(
    duckdb_of: str, catalogue: Path, attached_as: str
) -> None:
    version, folder = duckdb_of.split(":", 1)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(catalogue), attached_as],
        env={**os.environ, **({"PYTHONPATH": folder} if folder else {})},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("version").startswith(version)
    assert found == {
        "now": [["Adele"], ["Cato"]],
        "then": [["Ada"], ["Bo"], ["Cato"]],
        "at the end": [["Adele"], ["Cato"]],
        "earlier then": [[0]],
        "homes then": [["fortrolig"]],
        "changes then": [[0]],
        "earlier": [[A]],
        "of many": [[A], [C], ["x"]],
        "in Oslo": [["2020-07-01", "2021-01-01 00:30:00"]],
        "codes": [[4]],
        "persons": [[2]],
    }
