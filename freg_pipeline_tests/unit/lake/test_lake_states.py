"""Which release it is, which earlier states there are, and how many rows readers see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.query import connect, connect_for, query, release_at
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.states import asked_for, earlier, position_at, told
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.unit.lake.delivered import (
    HENTET,
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

A, B, C = (number(index) for index in range(3))
JUNE = datetime(2026, 6, 10, 22, 30, tzinfo=UTC)  # past midnight in Norway
JULY = datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = local_store(tmp_path_factory.mktemp("states"))
    documents = [(f"d-{who}", document(who, navn=[navn("Ada")])) for who in (A, B)]
    build_release(store, deliver(store, "one", documents))
    first = [(A, document(A, day=5, navn=[navn("Adele"), navn("Ada", gjeldende=False)]))]
    build_release(store, deliver_events(store, 100, 200, first, recorded=JUNE))
    second = [(A, document(A, B, day=6, navn=[navn("Adele")]))]
    build_release(store, deliver_events(store, 200, 300, second, recorded=JULY))
    refresh_catalogue(store)
    return store


@pytest.fixture
def catalogue(made: LocalStore) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(f"{made.location}/freg.duckdb", read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def test_a_view_and_its_comment_tell_which_release_it_is(
    made: LocalStore, catalogue: duckdb.DuckDBPyConnection
) -> None:
    relation = catalogue.sql("FROM utgivelse")
    (row,) = relation.fetchall()
    manifest = require_current(made)
    assert dict(zip(relation.columns, row, strict=True)) == {
        "nummer": "000003",
        "sekvensnummer": 300,
        "sekvensnummer_tidspunkt": JULY,
        "type": "komplett",
        "rettighetspakke": "offentlig-med-hjemmel",
        "deler": ["person-basis", "historikk"],
        "deler_nektet": [],
        "er_ufullstendig": False,
        "kontrakt": manifest.contract,
        "utgitt": manifest.created,
        "fullt_uttrekk_bestilt": HENTET,
        "miljoe": "syntetisk",
        "personer": 1,
    }
    comments = "SELECT comment FROM {} WHERE {} = 'utgivelse'"
    ((comment,),) = catalogue.sql(comments.format("duckdb_views()", "view_name")).fetchall()
    assert "000003" in comment
    assert "300" in comment
    columns = catalogue.sql(comments.format("duckdb_columns()", "table_name")).fetchall()
    assert all(text for (text,) in columns)


def test_of_an_earlier_state_it_tells_the_state_s(made: LocalStore) -> None:
    asked = "SELECT sekvensnummer, sekvensnummer_tidspunkt FROM utgivelse"
    assert query(made, asked, as_of=250).fetchall()[0][0] == 200
    with connect(made, release_at(made, 100)) as connection:
        ((_, recorded),) = connection.sql(asked).fetchall()
        assert recorded == HENTET


@pytest.mark.parametrize(
    ("asked", "position"),
    [
        ("150", 100),
        ("200", 200),
        ("9999", 300),
        ("2026-06-10", 100),  # where it was the 11th already
        ("2026-06-11", 200),
        ("2026-06-10T22:30Z", 200),
        ("2026-06-11T00:30", 200),
        ("2026-06-11 00:29", 100),
        ("2026-07-01T09:59:59+00:00", 200),
        ("2027-01-01", 300),
    ],
)
def test_a_number_or_a_date_asks_for_a_state(made: LocalStore, asked: str, position: int) -> None:
    found = position_at(earlier(made), asked_for(asked))
    assert found.sekvensnummer == position
    line = told(asked_for(asked), found)
    assert (line is None) == (asked == "200")
    assert line is None or f"sequence number {position}," in line


@pytest.mark.parametrize("asked", ["0001-01-01T00:00+05:00", "9999-12-31T23:00-05:00"])
def test_a_time_that_is_none_in_norway_is_wrong(asked: str) -> None:
    with pytest.raises(ValueError, match=re.escape(asked)):
        asked_for(asked)


def test_dates_hold_when_deltas_have_become_a_base(made: LocalStore, tmp_path: Any) -> None:
    store = copy_of(made, tmp_path)
    compaction = begin_compaction(store)
    assert compaction is not None
    compacted = compact(store, compaction, lambda _: None)
    assert compacted.base.ordered == HENTET
    assert compacted.recorded() == [JULY]
    assert [one.recorded()[-1] for one in list_releases(store)] == [HENTET, JUNE, JULY, JULY]


def test_the_command_takes_dates_and_tells_which_state_it_shows(
    made: LocalStore, freg: RunFreg
) -> None:
    def ask(as_of: str) -> Any:
        statement = "SELECT count(*) FROM navn"
        return freg("sql", statement, "--format", "csv", "--as-of", as_of, FREG_STORE=made.location)

    ended = ask("2026-06-11")
    assert ended.code == 0, ended.stderr
    assert ended.stdout.split() == ["count_star()", "3"]
    assert "sequence number 200," in ended.stderr
    assert "2026-06-11 00:30" in ended.stderr
    assert ask("200").stderr == ""
    for wrong in ("yesterday", "2026-13-01", "-5"):
        ended = ask(wrong)
        assert (ended.code, len(ended.lines)) == (2, 1), wrong
    ended = ask("2025-01-01")
    assert (ended.code, len(ended.lines)) == (2, 1)
    assert "2026-06-01" in ended.stderr


def test_a_release_is_told_as_json_with_the_rows_that_readers_see(
    made: LocalStore, catalogue: duckdb.DuckDBPyConnection, freg: RunFreg
) -> None:
    def ask(*arguments: str) -> Any:
        ended = freg("release", *arguments, "--format", "json", FREG_STORE=made.location)
        assert ended.code == 0, ended.stderr
        return json.loads(ended.stdout)

    shown = ask("show")
    counted = {
        one["table"]: catalogue.sql(f'SELECT count(*) FROM "{one["table"]}"').fetchall()[0][0]
        for one in shown["tables"]
    }
    assert {one["table"]: one["rows"] for one in shown["tables"]} == counted
    assert counted["person"] == 1
    assert counted["navn"] == 1
    base = {one["table"]: one for one in ask("show", "1")["tables"]}
    assert (base["navn"]["rows"], base["navn"]["delta_rows"]) == (2, 0)
    listed = ask("list")
    assert [(one["number"], one["current"], one["deltas"]) for one in listed] == [
        ("000001", False, 0),
        ("000002", False, 1),
        ("000003", True, 2),
    ]
    assert {**shown, "tables": None} == {**listed[-1], "tables": None}


# -- freg catalogue --------------------------------------------------------------------------------


def test_the_command_writes_the_catalogue_for_another_place(
    made: LocalStore, freg: RunFreg, tmp_path: Path
) -> None:
    store = copy_of(made, tmp_path)
    moved = tmp_path / "mounted"
    ended = freg(
        "catalogue", "--root", str(moved), "--output", str(tmp_path / "share"),
        FREG_STORE=store.location,
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    assert str(tmp_path / "share" / "freg.duckdb") in ended.stdout
    Path(store.location).rename(moved)
    with duckdb.connect(str(tmp_path / "share" / "freg.duckdb"), read_only=True) as connection:
        assert connection.sql("SELECT fornavn FROM navn").fetchall() == [("Adele",)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--root", "somewhere"), "FREG_CATALOGUE_ROOT"),
        (("--root", "/mnt/fr*g"), "FREG_CATALOGUE_ROOT"),
        (("--output", "/dev/null/freg.duckdb"), "FREG_CATALOGUE"),
        (("--output", ""), "FREG_CATALOGUE"),
    ],
)
def test_a_place_that_cannot_be_is_told_in_a_line(
    arguments: tuple[str, str], said: str, made: LocalStore, freg: RunFreg
) -> None:
    ended = freg("catalogue", *arguments, FREG_STORE=made.location)
    assert (ended.code, len(ended.lines)) == (2, 1)
    assert said in ended.stderr


def test_the_command_tells_folders_that_readers_cannot_enter(
    made: LocalStore, freg: RunFreg, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    store = copy_of(made, closed)
    ended = freg("catalogue", FREG_STORE=store.location, FREG_READERS="everyone")
    assert ended.code == 0, ended.stderr
    assert str(closed) in ended.stderr
    assert Path(store.location, "freg.duckdb").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM navn_per(200)",
        'SELECT count(*) FROM "NAVN_PER"(200)',
        "SELECT count(*) FROM befolkning_per(DATE '2026-06-30')",
        "SELECT count(*) FROM duckdb_functions() WHERE function_name = 'navn' || '_' || 'per'",
        "SELECT comment FROM duckdb_functions() WHERE function_name = 'na' || 'vn_' || 'per'",
    ],
)
def test_a_query_finds_every_macro_whatever_it_is_called_by(
    statement: str, made: LocalStore
) -> None:
    """Macros over states are made only where a query may have to do with them."""
    found = query(made, statement).fetchall()
    assert (
        found == connect_for(made, require_current(made), statement).execute(statement).fetchall()
    )
    assert found


def test_a_misspelt_macro_is_told_what_may_have_been_meant(made: LocalStore) -> None:
    with pytest.raises(ConfigurationError, match="navn_per"):
        query(made, "SELECT * FROM navn_pe(200)")
