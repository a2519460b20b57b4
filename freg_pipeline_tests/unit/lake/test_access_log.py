"""Who has looked at persons is noted, before they do, and nothing of whom they looked at."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

import freg_pipeline
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.access_log import OTHER, LeftOut, entries, note_access, own_log
from freg_pipeline.lake.fingerprint import Fingerprints
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.living import Living
from freg_pipeline_tests.unprivileged import make_read_only, unprivileged

NUMBER = "41819077302"


def _noted(store: str, command: str) -> list[dict[str, Any]]:
    return [one for one in entries(LocalStore(Path(store))) if one["command"] == command]


def test_a_query_is_noted_by_who_its_tables_its_form_and_its_rows(
    freg: RunFreg, lived: Living
) -> None:
    before = _noted(lived.store.location, "sql")
    text = f"""SELECT count(*) AS "{NUMBER}" FROM person WHERE personidentifikator = '{NUMBER}'--Ola
    ; SELECT * FROM navn LIMIT 3; FROM person LIMIT {NUMBER}"""
    ended = freg("sql", text, FREG_STORE=lived.store.location)
    assert ended.code == 0, ended.stderr
    made = _noted(lived.store.location, "sql")[len(before) :]

    assert [one["tables"] for one in made] == [["person"], ["navn"], ["person"]]
    assert [one["rows"] for one in made][:2] == [1, 3]
    assert {one["user"] for one in made} == {pwd.getpwuid(os.geteuid()).pw_name}
    files = [lived.store.read(key) for key in lived.store.list("access/")]
    assert not any(NUMBER.encode() in one or b"Ola" in one for one in files)


def test_what_a_statement_lays_aside_for_the_next_is_noted(freg: RunFreg, lived: Living) -> None:
    before = _noted(lived.store.location, "sql")
    text = """CREATE TEMP TABLE t AS FROM person; SELECT count(*) FROM t;
    SET VARIABLE x = (SELECT min(fornavn) FROM navn); SELECT length(getvariable('x'))"""
    for form in ("table", "csv"):
        assert freg("sql", text, "--format", form, FREG_STORE=lived.store.location).code == 0
    made = _noted(lived.store.location, "sql")[len(before) :]
    assert [one["tables"] for one in made] == [["person"], [OTHER], ["navn"], []] * 2


def test_rows_that_cant_be_noted_any_more_dont_fail_what_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FREG_ACCESS_LOG_REQUIRED", "true")
    monkeypatch.setenv("FREG_ACCESS_LOG", str(tmp_path / "log"))
    access = note_access(LocalStore(tmp_path / "store"), "export")
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "log").write_text("no folder any more")
    access.gave(3)
    assert "couldn't be noted" in caplog.text
    with pytest.raises(ConfigurationError, match="it can't be noted who reads"):
        note_access(LocalStore(tmp_path / "store"), "export")


def test_what_stands_in_a_query_doesnt_change_its_digest(lived: Living) -> None:
    with freg_pipeline.open(lived.store.location) as lake:
        told = Fingerprints(lake.connection).told
        by_number = told(f"SELECT * FROM person WHERE personidentifikator = '{NUMBER}'")
        by_other = told('select *  from "PERSON" where personidentifikator=$$1$$ /* 2 */')
        assert by_number == by_other
        named = told(f'SELECT personidentifikator AS "{NUMBER}" FROM person')
        assert named == told("SELECT personidentifikator AS x FROM person")
        assert named != told("SELECT count(*) AS x FROM person")
        lake.connection.execute(f'CREATE TEMP TABLE "{NUMBER}" AS SELECT 1 AS "Ola"')
        for again in (told, Fingerprints(lake.connection).told):
            assert again(f'SELECT "Ola" FROM "{NUMBER}"')["tables"] == [OTHER]
            assert again(f'SELECT "Ola" FROM "{NUMBER}"') == again('SELECT "x" FROM "y"')


def test_python_is_noted_once_a_form(lived: Living) -> None:
    before = len(_noted(lived.store.location, "python"))
    with freg_pipeline.open(lived.store.location) as lake:
        for name in ("person", "navn", "person"):
            lake.table(name).limit(1).fetchall()
        lake.polars("person").head(1).collect()
    made = _noted(lived.store.location, "python")[before:]
    assert sorted(one["tables"] for one in made) == [[], ["navn"], ["person"]]


def test_a_question_to_the_register_makes_no_store_and_is_noted_among_the_users_own(
    freg: RunFreg, tmp_path: Path, small_register: str
) -> None:
    data = tmp_path / "mine"
    where = {"FREG_BASE_URL": small_register, "FREG_ACCESS_LOG": str(data)}
    assert freg("person", NUMBER, **where).code in {0, 3}
    assert not (tmp_path / "store").exists()
    told = freg("access-log", "--format", "json", **where)
    # Of another place only what is of this store.
    assert [json.loads(line)["command"] for line in told.stdout.splitlines()] == ["person"]
    assert NUMBER not in told.stdout
    assert (
        freg("access-log", FREG_STORE=str(tmp_path / "x"), FREG_ACCESS_LOG=str(data)).stdout == ""
    )


def test_who_may_not_write_reads_all_the_same_unless_it_is_required(
    tmp_path: Path, lived: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path / "store")
    store.write("contracts/x.xsd", b"")
    make_read_only(tmp_path / "store")
    code = (
        "from pathlib import Path; from freg_pipeline.store.local import LocalStore\n"
        "from freg_pipeline.journal.access_log import note_access\n"
        f"note_access(LocalStore(Path({str(tmp_path / 'store')!r})), 'sql')"
    )

    def noting(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*unprivileged(), sys.executable, "-c", code],
            env={**os.environ, **environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    (tmp_path / "closed").mkdir(mode=0o500)
    closed = {"FREG_ACCESS_LOG": str(tmp_path / "closed" / "log")}
    assert "couldn't be noted" in noting(**closed).stderr
    refused = noting(**closed, FREG_ACCESS_LOG_REQUIRED="true")
    assert refused.returncode != 0
    assert "it can't be noted who reads" in refused.stderr
    own = noting(XDG_DATA_HOME=str(tmp_path / "data"))
    assert (own.returncode, own.stderr) == (0, "")
    assert store.list("access/") == []


def test_nothing_is_noted_where_it_is_turned_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path)
    monkeypatch.setenv("FREG_ACCESS_LOG", "false")
    note_access(store, "sql").gave(3)
    assert store.list("") == []
    monkeypatch.setenv("FREG_ACCESS_LOG", "ftp://somewhere")
    with pytest.raises(ConfigurationError, match="FREG_ACCESS_LOG is wrong"):
        note_access(store, "sql")


def test_what_is_no_tables_name_isnt_noted(tmp_path: Path) -> None:
    """As somebody may have mistyped it on a command line."""
    store = LocalStore(tmp_path)
    note_access(store, "export", tables=["navn", NUMBER, "Ola Nordmann", "a.b"])
    assert [one["tables"] for one in entries(store)] == [[OTHER, "navn"]]


def test_a_damaged_entry_is_named_and_the_others_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = LocalStore(tmp_path)
    note_access(store, "sql")
    (tmp_path / "access" / "2026-01-01").mkdir(mode=0o700)
    (tmp_path / "access" / "2026-01-01" / "aaaaaaaaaaaaaaaa.json").write_text("[")
    assert [one["command"] for one in entries(store)] == ["sql"]
    assert "aaaaaaaaaaaaaaaa.json" in caplog.text


def test_among_the_users_own_only_this_stores_are_told_and_what_is_left_out_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, freg: RunFreg
) -> None:
    """Whoever may only read is noted there, of whichever store."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    mine, other = (LocalStore(tmp_path / name) for name in ("mine", "other"))
    for store, command in ((mine, "sql"), (other, "export"), (mine, "changes")):
        _note_among_own(store, command)
    _unseal(_note_among_own(other, "stored"))
    _unseal(_note_among_own(mine, "load"))
    mine.write("contracts/x.xsd", b"")
    (tmp_path / "link").symlink_to(tmp_path / "mine")

    for named in ("mine", "link"):
        told = freg("access-log", "--format", "json", FREG_STORE=str(tmp_path / named))
        assert told.code == 0
        assert [json.loads(one)["command"] for one in told.stdout.splitlines()] == [
            "sql", "changes"
        ]  # fmt: skip
        assert told.lines == [
            "Left out: 2 of other stores, 1 without the digest by which a change is seen"
        ]

    changed = _note_among_own(mine, "soek")
    changed.write_text(changed.read_text().replace('"soek"', '"feed"'))
    told = freg("access-log", FREG_STORE=mine.location)
    assert told.code == 4
    assert changed.name in told.lines[-1]


def test_an_entry_without_its_digest_is_damaged_where_a_log_is_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, left_out = LocalStore(tmp_path / "store"), LeftOut()
    store.write("contracts/x.xsd", b"")
    note_access(store, "sql")
    (entry,) = (tmp_path / "store" / "access").rglob("*.json")
    _unseal(entry)
    assert list(entries(store, left_out=left_out)) == []
    assert len(left_out.damaged) == 1
    monkeypatch.setenv("FREG_ACCESS_LOG", str(tmp_path / "log"))
    note_access(store, "sql")
    (entry,) = (tmp_path / "log").rglob("*.json")
    _unseal(entry)
    assert list(entries(store, left_out=left_out)) == []
    assert (len(left_out.damaged), left_out.unsealed) == (2, 0)


def _note_among_own(store: LocalStore, command: str) -> Path:
    """Note an access as of a store that can't be written; the entry's file."""
    before = {*_files(own_log())}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FREG_ACCESS_LOG", own_log().location)
        note_access(store, command).gave(1)
    entry, _ = sorted({*_files(own_log())} - before)  # the rows follow
    return entry


def _files(log: Store) -> list[Path]:
    return [Path(log.path(key)) for key in log.list("access/")]


def _unseal(entry: Path) -> None:
    """As entries were before they held a digest, or as somebody may have made them."""
    for file in (entry, entry.with_suffix(".rows.json")):
        if file.exists():
            told = json.loads(file.read_text())
            del told["digest"]
            file.write_text(json.dumps(told))


def test_macros_and_files_are_told_apart_from_tables() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE person (i INT); CREATE MACRO naa(x) AS TABLE SELECT 1")
    told = Fingerprints(connection).told
    assert told("SELECT * FROM naa(3)")["tables"] == ["naa"]
    assert told("FROM 'x/41819077302.parquet'")["tables"] == [OTHER]
    assert told("EXPLAIN FROM person")["tables"] == ["person"]
    assert told("WITH a AS (FROM person) FROM a")["tables"] == ["person"]
