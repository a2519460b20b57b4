"""Protected persons' addresses: the stricter of the protection then and today's, in every view."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from freg_pipeline.journal.releases import read_manifest, require_current
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.people_described import OVERVIEW
from freg_pipeline.lake.query import connect, query
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.contracts import entity, field, small_contract
from freg_pipeline_tests.unit.lake.delivered import (
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

OPEN, SECRET, MOVED, CLIENT, ODD, SAFE_NOW, D_NUMBER, SINCE = (number(n) for n in range(8))
STREETS = {OPEN: "Aapen vei", SECRET: "Hemmelig vei", MOVED: "Gammel vei", CLIENT: "Klientens vei",
           ODD: "Odd vei", SAFE_NOW: "Trygg vei", D_NUMBER: "D-vei"}  # fmt: skip
WAY_OUT = "Ny vei"


def home(street: str, grade: str | None = "ugradert", *, gjeldende: bool = True) -> dict[str, Any]:
    address = {"adressenavn": street, "kommunenummer": "0301"}
    graded = {} if grade is None else {"adressegradering": grade}
    return {"erGjeldende": gjeldende, **graded, "vegadresse": address}


def level(nivaa: str | None) -> list[dict[str, Any]]:
    return [{"erGjeldende": True, **({"graderingsnivaa": nivaa} if nivaa else {})}]


def content(street: str, grade: str | None = "ugradert") -> str:
    return json.dumps(home(street, grade))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Everyone's address is open at 100 (but SAFE_NOW's); at 200 it is as it is today."""
    store = local_store(tmp_path_factory.mktemp("made"))
    first = [
        (f"d-{who}", document(who, navn=[navn(street)], bostedsadresse=[home(street)],
                              adressebeskyttelse=level("fortrolig") if who == SAFE_NOW else []))
        for who, street in STREETS.items()
    ]  # fmt: skip
    build_release(store, deliver(store, "one", first))
    today = [
        (SECRET, document(SECRET, day=5, bostedsadresse=[home(STREETS[SECRET])],
                          adressebeskyttelse=level("strengtFortrolig"))),
        (MOVED, document(MOVED, day=5, adressebeskyttelse=level(None), bostedsadresse=[
            home(STREETS[MOVED], gjeldende=False), home(WAY_OUT, "fortrolig")])),
        (CLIENT, document(CLIENT, day=5, bostedsadresse=[home(STREETS[CLIENT], "klientadresse")])),
        (ODD, document(ODD, day=5, bostedsadresse=[home(STREETS[ODD], "superhemmelig")])),
        (SAFE_NOW, document(SAFE_NOW, day=5, bostedsadresse=[home(STREETS[SAFE_NOW])])),
        (SINCE, document(SINCE, D_NUMBER, day=5, bostedsadresse=[home(STREETS[D_NUMBER])],
                         adressebeskyttelse=level("fortrolig"))),
    ]  # fmt: skip
    changed = [
        (195 + place, "bostedsadresse", content(STREETS[who]))
        for place, who in enumerate([SECRET, MOVED, CLIENT, ODD, SAFE_NOW, D_NUMBER])
    ]
    changed[5] = (200, "Bostedsadresse", changed[5][2])  # however it is spelt
    build_release(store, deliver_events(store, 100, 200, today, changed=changed))
    opened = [(OPEN, document(OPEN, day=6, bostedsadresse=[home(STREETS[OPEN])]))]
    more = [
        (300, "bostedsadresse", content(STREETS[OPEN])),
        (300, "navn", json.dumps(navn("Ada"))),
        (300, "nyAdresse", content("Skjult", "klientadresse")),
        (300, "nyAdresse", content("Synlig")),
        (299, "bostedsadresse", content("Ingens vei")),  # an event that nobody has
    ]
    build_release(store, deliver_events(store, 200, 300, opened, changed=more))
    return store


def overview(connection: duckdb.DuckDBPyConnection) -> dict[str, str | None]:
    rows = connection.sql(f"SELECT personidentifikator, adressenavn FROM {OVERVIEW}").fetchall()
    return dict(rows)


def test_the_overview_of_an_earlier_state_hides_whom_today_protects(made: LocalStore) -> None:
    now = overview(connect(made))
    assert now == {
        OPEN: STREETS[OPEN], SAFE_NOW: STREETS[SAFE_NOW], SECRET: None, MOVED: None, CLIENT: None,
        ODD: None, SINCE: None,
    }  # fmt: skip
    rows = f"SELECT personidentifikator, adressenavn FROM {OVERVIEW}"
    then = dict(query(made, rows, as_of=100).fetchall())
    assert then.keys() == STREETS.keys()
    assert {who: street for who, street in then.items() if street} == {OPEN: STREETS[OPEN]}
    assert overview(connect(made, read_manifest(made, "1"))) == then


GRADES = {
    OPEN: "ugradert", SAFE_NOW: "ugradert", SECRET: "strengtFortrolig", CLIENT: "klientadresse",
    MOVED: "strengtFortrolig", ODD: "superhemmelig", D_NUMBER: "fortrolig",
}  # fmt: skip


def test_addresses_of_an_earlier_state_carry_todays_grade_where_it_is_stricter(
    made: LocalStore,
) -> None:
    rows = "SELECT personidentifikator, adressegradering FROM bostedsadresse"
    assert dict(query(made, rows, as_of=100).fetchall()) == GRADES
    assert (
        dict(query(made, rows.replace("adresse", "adresse", 1) + "_per(100)").fetchall()) == GRADES
    )
    with duckdb.connect(str(refresh_catalogue(made)), read_only=True) as catalogue:
        assert dict(catalogue.sql(f"{rows}_per(100)").fetchall()) == GRADES
    now = dict(query(made, rows).fetchall())
    assert now[SECRET] == "ugradert", "the tables of today are as they were delivered"


SEEN = [(299, "bostedsadresse", None), (300, "navn", "Ada"), (300, "nyAdresse", None),
        (300, "nyAdresse", "Synlig"), (300, "bostedsadresse", STREETS[OPEN])]  # fmt: skip


def seen(rows: list[Any]) -> list[tuple[int, str, str | None]]:
    """What an event's content tells: a street, a first name."""
    told = []
    for event, entitet, innhold in rows:
        inner = json.loads(innhold) if innhold else {}
        told.append((event, entitet, inner.get("vegadresse", inner).get("adressenavn")
                     or inner.get("fornavn")))  # fmt: skip
    return sorted(told, key=str)


def test_no_event_tells_a_protected_persons_address(made: LocalStore) -> None:
    rows = "SELECT sekvensnummer, entitet, innhold FROM hendelse_egenskap"
    mine = [(195, "bostedsadresse", None), (196, "bostedsadresse", None),
            (197, "bostedsadresse", None), (198, "bostedsadresse", None),
            (199, "bostedsadresse", STREETS[SAFE_NOW]), (200, "Bostedsadresse", None)]  # fmt: skip
    assert seen(query(made, rows).fetchall()) == sorted([*mine, *SEEN], key=str)
    assert seen(query(made, rows, as_of=200).fetchall()) == mine
    for position, expected in ((200, mine), (300, sorted([*mine, *SEEN], key=str))):
        per = query(made, f"{rows}_per({position})").fetchall()
        assert seen(per) == expected


def test_compacting_loses_nothing_of_what_views_leave_out(made: LocalStore, tmp_path: Path) -> None:
    store = copy_of(made, tmp_path)
    compaction = begin_compaction(store)
    assert compaction is not None
    manifest = compact(store, compaction, lambda _: None)
    files = [store.path(file.key) for file in manifest.tables["hendelse_egenskap"].files]
    with duckdb.connect() as connection:
        rows = connection.sql(f"SELECT count(innhold), count(*) FROM read_parquet({files})")
        assert rows.fetchall() == [(11, 11)]


def test_where_nothing_tells_who_is_protected_no_event_tells_an_address(tmp_path: Path) -> None:
    xsd = small_contract(
        entity("identifikasjonsnummer", field("foedselsEllerDNummer"))
        + entity("navn", field("fornavn"))
    )
    store = local_store(tmp_path)
    build_release(store, deliver(store, "one", [("d", document(OPEN))], xsd=xsd))
    changed = [(200, "bostedsadresse", content("Aapen vei")), (200, "navn", '{"fornavn": "Ada"}')]
    events = deliver_events(store, 100, 200, [(OPEN, document(OPEN))], xsd=xsd, changed=changed)
    build_release(store, events)
    told = query(store, "SELECT entitet, innhold IS NOT NULL FROM hendelse_egenskap ORDER BY 1")
    assert told.fetchall() == [("bostedsadresse", False), ("navn", True)]


def test_a_macro_is_told_once_whom_deltas_hide_however_many_tables_it_reads(
    made: LocalStore,
) -> None:
    connection = connect(made)
    macros = connection.sql(
        "SELECT function_name, macro_definition FROM duckdb_functions() "
        "WHERE ends_with(function_name, '_per')"
    ).fetchall()
    told = {name: sql.count("/_erstattet.parquet") for name, sql in macros}
    deltas = len(require_current(made).deltas)
    assert told["hendelse_egenskap_per"] == 2 * deltas  # of persons, and of numbers
    assert told["navn_per"] == deltas
    assert max(told.values()) == 2 * deltas
