"""dbt reads the tables by the sources that are generated for it; examples/dbt builds on them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from lxml import etree

from docs.examples import FOLDER
from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.codes import KODE
from freg_pipeline.lake.dbt_sources import Naming, dbt_sources
from freg_pipeline.lake.described import Described, described
from freg_pipeline.lake.people_described import VIEWS
from freg_pipeline.lake.sql import identifier
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.contracts import entity, field, small_contract
from freg_pipeline_tests.living import Living

EXAMPLE = FOLDER.parent / "examples" / "dbt"
# One process for several commands: what dbt reads is read once.
_RUN = """
import json, sys
from dbt.cli.main import dbtRunner
runner = dbtRunner()
sys.exit(not all([runner.invoke(command.split()).success for command in sys.argv[1:]]))
"""

TEXT = "Prøver {{ 1 / 0 }}, {% raw %}, {{{ og {# ikke #}: 'slik'."
CODES = ("{{ 1 / 0 }}", "d'Arc", "1e5", "0301", "æ")


def dbt(
    project: Path, *commands: str, catalogue: Path, succeeds: bool = True
) -> dict[str, Mapping[str, Any]]:
    """Run commands of dbt; the last one's results, by the node's own id."""
    folder = {"DBT_PROFILES_DIR": str(project), "DBT_PROJECT_DIR": str(project)}
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, *commands],
        cwd=project,
        env={**os.environ, **folder, "FREG_DUCKDB": str(catalogue)},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode == 0) is succeeds, ended.stdout + ended.stderr
    results = json.loads((project / "target" / "run_results.json").read_text())["results"]
    return {one["unique_id"]: one for one in results}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The example, in a folder of the test's own."""
    left_out = shutil.ignore_patterns("target", "logs", "*.duckdb")
    return shutil.copytree(EXAMPLE, tmp_path / "dbt", ignore=left_out)


def test_the_example_builds_on_a_release_kept_current(lived: Living, project: Path) -> None:
    """Every test that is generated passes, and the models count as the documents do."""
    catalogue = refresh_catalogue(lived.store)
    before = catalogue.read_bytes()
    found = dbt(project, "source freshness --select source:freg.person", "build",
                catalogue=catalogue)  # fmt: skip
    assert {one["status"] for one in found.values()} == {"pass", "success"}
    assert catalogue.read_bytes() == before
    fresh = json.loads((project / "target" / "sources.json").read_text())["results"]
    assert [one["status"] for one in fresh] == ["pass"]
    with duckdb.connect(str(project / "statistikk.duckdb"), read_only=True) as made:
        by_sex = made.sql("SELECT kjoenn, sum(antall) FROM befolkning_per_kommune GROUP BY ALL")
        status, sex = lived.one("status", "status"), lived.one("kjoenn", "kjoenn")
        residents = Counter(sex[person] for person, told in status.items() if told == "bosatt")
        assert dict(by_sex.fetchall()) == residents
        moves = made.sql("SELECT sum(inn) - sum(ut), sum(innen) > 0 FROM flyttinger_per_maaned")
        with duckdb.connect(str(catalogue), read_only=True) as freg:
            abroad = freg.sql(
                "SELECT count(*) FILTER (type = 'innvandring' AND til_kommunenummer IS NOT NULL)"
                " - count(*) FILTER (type = 'utvandring' AND fra_kommunenummer IS NOT NULL)"
                " FROM flytting WHERE dato IS NOT NULL"
            ).fetchall()[0][0]
        assert moves.fetchall() == [(abroad, True)]


def _hostile() -> Plan:
    codes = "".join(f'<xs:enumeration value="{code}"/>' for code in CODES)
    kind = (
        f'<xs:simpleType name="Kode"><xs:restriction base="xs:string">{codes}</xs:restriction>'
        "</xs:simpleType>"
    )
    fields = field("from", "t:Kode") + field("relatertPerson") + field("Æ")
    contract = small_contract(entity("select", fields), kind)
    document = etree.fromstring(contract)
    xs = "{http://www.w3.org/2001/XMLSchema}"
    for element in document.iter(f"{xs}element"):
        if element.get("name") in {"select", "from"}:
            note = etree.SubElement(etree.Element(f"{xs}annotation"), f"{xs}documentation")
            note.text = TEXT
            element.insert(0, note.getparent())
    return compile_contract(etree.tostring(document))


def _write_catalogue(path: Path, plan: Plan, *rows: tuple[Any, ...]) -> None:
    """Empty tables as described, but for one person, their earlier number, and rows of select."""
    with duckdb.connect(str(path)) as made:
        for table in (*described(plan), *VIEWS, KODE):
            columns = ", ".join(f"{identifier(name)} {kind}" for name, kind, _ in table.shown)
            made.execute(f"CREATE TABLE {identifier(table.name)} ({columns})")
        made.execute("INSERT INTO person (personidentifikator) VALUES ('nå')")
        made.execute("INSERT INTO tidligere_identifikator VALUES ('før', 'nå')")
        made.executemany('INSERT INTO "select" VALUES (?, ?, ?, ?, ?)', rows)


def _tables(plan: Plan) -> dict[str, Described]:
    return {table.name: table for table in described(plan)}


def test_whatever_a_contract_says_stays_what_it_is_and_what_is_wrong_is_found(
    project: Path, tmp_path: Path
) -> None:
    """Texts that look like Jinja, codes with quotes, names that are SQL's; and each test."""
    plan = _hostile()
    for other in (*(project / "tests").iterdir(), *(project / "models").iterdir()):
        other.unlink()
    (project / "models" / "sources.yml").write_text(dbt_sources(plan, Naming(), everyone=True))
    good = [("nå", nr, code, "før", None) for nr, code in enumerate(CODES)]
    catalogue = tmp_path / "good.duckdb"
    _write_catalogue(catalogue, plan, *good)
    found = dbt(project, "test", catalogue=catalogue)
    assert {one["status"] for one in found.values()} == {"pass"}
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    told = manifest["sources"]["source.folkeregisteret.freg.select"]
    table = _tables(plan)["select"]
    assert TEXT in table.comment
    assert told["description"] == table.comment
    texts = {name: text for name, _, text in table.shown}
    assert {name: one["description"] for name, one in told["columns"].items()} == texts

    wrong = [("borte", 0, "ny", "ingen", None)] * 2 + [("nå", None, None, None, None)]
    catalogue = tmp_path / "wrong.duckdb"
    _write_catalogue(catalogue, plan, *good, *wrong)
    failed = set()
    for node, one in dbt(project, "test", catalogue=catalogue, succeeds=False).items():
        if one["status"] != "pass":
            test = manifest["nodes"][node]
            kind, column = test["test_metadata"]["name"], test["column_name"]
            failed.add((kind, column, one["status"]))
    assert failed == {
        ("unique", None, "fail"),
        ("relationships", "personidentifikator", "fail"),
        ("not_null", "rad_nr", "fail"),
        ("accepted_values", '"from"', "warn"),
        ("relationships", "relatert_person", "warn"),
    }


def test_a_selection_points_to_persons_that_it_does_not_hold() -> None:
    plan = compile_contract(xsd())
    naming = Naming("oslo", ("oslo",))
    (source,) = yaml.safe_load(dbt_sources(plan, naming, everyone=False))["sources"]
    assert (source["name"], source["database"]) == ("oslo", "oslo")
    tables = {table["name"]: table for table in source["tables"]}
    assert set(tables) >= {table.name for table in (*described(plan), *VIEWS)}
    pointing = {}
    for name, table in tables.items():
        assert table["config"]["meta"]["dagster"]["asset_key"] == ["oslo", "freg", name]
        for column in table["columns"]:
            for test in column.get("data_tests", []):
                if "relationships" in test:
                    pointing.setdefault(name, set()).add(column["name"])
    assert set(pointing) == {table.name for table in plan.tables} | {"person_naa"}
    assert set.union(*pointing.values()) == {"personidentifikator"}


def test_the_command_describes_the_release_that_is_there(
    lived: Living, freg: RunFreg, tmp_path: Path
) -> None:
    store = lived.store.location
    shown = freg("dbt-sources", FREG_STORE=store)
    assert shown.code == 0, shown.stderr
    assert shown.stdout == (EXAMPLE / "models" / "sources.yml").read_text()
    named = freg("dbt-sources", "--key-prefix", "a/b", "--source", "min", "--output", "s.yml",
                 FREG_STORE=store)  # fmt: skip
    assert named.code == 0, named.stderr
    (source,) = yaml.safe_load((tmp_path / "s.yml").read_text())["sources"]
    assert source["name"] == "min"
    assert source["tables"][0]["config"]["meta"]["dagster"]["asset_key"] == [
        "a", "b", "freg", "person",
    ]  # fmt: skip
    for arguments, line in (
        (("--key-prefix", "a b"), "key prefix"),
        (("--source", "a'b"), "source's name"),
        (("--store", str(tmp_path / "none")), "no release yet"),
        (("--output", "none/s.yml"), "no folder none"),
    ):
        ended = freg("dbt-sources", *arguments, FREG_STORE=store)
        assert ended.code == 2, ended.stderr
        assert line in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
