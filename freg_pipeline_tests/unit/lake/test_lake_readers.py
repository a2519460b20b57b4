"""The catalogue opens with DuckDB 1.4, 1.5 and 2, attached, moved, copied and mounted elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.people_described import OVERVIEW
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.readers import Reading
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


def run(duckdb_of: str, code: str, *arguments: str, cwd: Path | None = None) -> Any:
    """What a script prints as JSON, run with that DuckDB."""
    folder = duckdb_of.split(":", 1)[1]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **({"PYTHONPATH": folder} if folder else {})},
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


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
    found = run(duckdb_of, READ, str(catalogue), attached_as)
    assert found.pop("version").startswith(duckdb_of.split(":")[0])
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


# -- places ----------------------------------------------------------------------------------------

# Each step is a name, a file to open ("" for none) and statements; what the last one gives is told.
STEPS = """
import duckdb, json, sys
found = {}
for name, opened, *statements in json.loads(sys.argv[1]):
    with duckdb.connect(opened or ":memory:", read_only=bool(opened)) as connection:
        try:
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            found[name] = rows
        except duckdb.Error as error:
            found[name] = str(error).split("\\n")[0]
print(json.dumps(found))
"""
WHO = "SELECT max(fornavn) FROM {}navn WHERE personidentifikator = '{}'"
MINE = WHO.format("", A)


@pytest.fixture(scope="module")
def places(catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and copies of it, whose files tell their own names."""
    folder = tmp_path_factory.mktemp("places")
    shutil.copytree(catalogue.parent, folder / "original")
    refresh_catalogue(LocalStore(folder / "original"))
    for name in ("copy", "moved to", "it's here", "fornavn=x", "renewed"):
        shutil.copytree(folder / "original", folder / name)
        for file in folder.glob(f"{name}/**/*.parquet"):
            _rename_all(file, name)
    shutil.copytree(folder / "fornavn=x", folder / "fornavn=y")
    for name in ("renewed", "fornavn=y"):
        refresh_catalogue(LocalStore(folder / name))
    (folder / "link").symlink_to(folder / "original")
    alone = Reading(catalogue=folder / "alone.duckdb")
    for_moved = Reading(catalogue=folder / "for moved.duckdb", root=str(folder / "moved to"))
    for reading in (alone, for_moved):
        refresh_catalogue(LocalStore(folder / "original", reading))
    return folder


def _rename_all(file: Path, name: str) -> None:
    """Rewrite a table file with names, so that it tells which copy it is of."""
    rows = pq.read_table(file)
    if "fornavn" not in rows.schema.names:
        return
    named = pa.array([name] * len(rows), pa.string())
    column = rows.schema.get_field_index("fornavn")
    pq.write_table(rows.set_column(column, "fornavn", named), file)


def test_a_catalogue_that_is_opened_finds_the_files_beside_it(duckdb_of: str, places: Path) -> None:
    steps = [(name, str(places / name / "freg.duckdb"), MINE) for name in HERE]
    steps += [("relative", "it's here/freg.duckdb", MINE)]
    steps += [("then", str(places / "copy/freg.duckdb"), "SELECT fornavn FROM navn_per(200)")]
    found = run(duckdb_of, STEPS, json.dumps(steps), cwd=places)
    assert {name: rows[0][0] for name, rows in found.items()} == {
        **HERE, "relative": "it's here", "then": "copy"
    }  # fmt: skip


HERE = {
    "original": "Adele",
    "copy": "copy",
    "moved to": "moved to",
    "it's here": "it's here",
    "fornavn=x": "fornavn=x",  # which isn't a partition's name
    "fornavn=y": "fornavn=x",
    "renewed": "renewed",
    "link": "Adele",
}


def test_a_copy_that_is_attached_never_reads_the_files_of_the_original(
    duckdb_of: str, places: Path
) -> None:
    attach = f"ATTACH '{places}/copy/freg.duckdb' AS folk (READ_ONLY)"
    told = f"SET VARIABLE freg_store = '{places}/copy/'"
    asked = {
        "filtered": WHO.format("folk.", A),
        "first": "SELECT fornavn FROM folk.navn LIMIT 1",
        "none": "SELECT count(*) FROM folk.navn WHERE rad_nr = 77",
        "joined": "SELECT any_value(fornavn) FROM folk.person JOIN folk.navn USING "
        "(personidentifikator)",
        "then": "SELECT fornavn FROM folk.navn_per(150)",
        "who": f"SELECT folk.gjeldende_identifikator('{B}')",
        "overview": f"SELECT any_value(fornavn) FROM folk.{OVERVIEW}",
        "used": "SELECT any_value(fornavn) FROM navn",
    }
    steps = [(name, "", attach, "USE folk", sql) for name, sql in asked.items()]
    steps += [(f"told: {name}", "", attach, told, "USE folk", sql) for name, sql in asked.items()]
    found = run(duckdb_of, STEPS, json.dumps(steps))
    for name in asked:
        assert "SET VARIABLE freg_store" in found[name], (name, found[name])
        assert f"{places}/copy/freg.duckdb" in found[name]
    answers = {"none": 0, "who": A}
    assert {name: found[f"told: {name}"][0][0] for name in asked} == {
        name: answers.get(name, "copy") for name in asked
    }


def test_several_catalogues_at_once_each_tell_their_own_or_fail(
    duckdb_of: str, places: Path
) -> None:
    original, renewed = (places / name / "freg.duckdb" for name in ("original", "renewed"))
    attach = "ATTACH '{}' AS {} (READ_ONLY)"
    both = [attach.format(original, "a"), attach.format(renewed, "b")]
    a, b = (WHO.format(f"{name}.", A) for name in "ab")
    steps = [
        ("a of both", "", *both, a),
        ("b of both", "", *both, b),
        ("opened", str(original), both[1], MINE),
        ("beside the one opened", str(original), both[1], b),
        ("beside a copy", str(places / "copy/freg.duckdb"), both[0], a),
        ("told", "", *both, f"SET VARIABLE freg_store = '{places}/original'", b),
        ("alone", "", attach.format(places / "alone.duckdb", "a"), both[1], a),
        ("and b", "", attach.format(places / "alone.duckdb", "a"), both[1], b),
        ("by its link", "", attach.format(places / "link/freg.duckdb", "a"), a),
    ]
    found = run(duckdb_of, STEPS, json.dumps(steps))
    by_link = found.pop("by its link")  # which DuckDB follows from 1.5 on
    assert by_link == [["Adele"]] or "SET VARIABLE freg_store" in by_link
    assert {name: rows[0][0] for name, rows in found.items() if isinstance(rows, list)} == {
        "a of both": "Adele",
        "b of both": "renewed",
        "opened": "Adele",
        "alone": "Adele",
        "and b": "renewed",
    }
    assert "DETACH" in found["told"]
    for name in ("beside the one opened", "beside a copy"):
        assert "SET VARIABLE freg_store" in found[name]


def test_a_catalogue_may_lie_alone_and_be_written_for_another_root(
    duckdb_of: str, places: Path
) -> None:
    alone, other = str(places / "alone.duckdb"), str(places / "for moved.duckdb")
    steps = [
        ("alone", alone, MINE),
        ("another root", other, MINE),
        ("attached", "", f"ATTACH '{other}' AS folk (READ_ONLY)", WHO.format("folk.", A)),
        ("told", alone, f"SET VARIABLE freg_store = '{places}/it''s here'", MINE),
    ]
    found = run(duckdb_of, STEPS, json.dumps(steps))
    assert {name: rows[0][0] for name, rows in found.items()} == {
        "alone": "Adele",
        "another root": "moved to",
        "attached": "moved to",
        "told": "it's here",
    }
