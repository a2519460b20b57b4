"""What analysts see: views over one release, in freg.duckdb and in memory; what stays hidden."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from freg_pipeline.contract import compile_contract
from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.journal.releases import read_manifest
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.described import described
from freg_pipeline.lake.export import render
from freg_pipeline.lake.people_described import OVERVIEW, VIEWS
from freg_pipeline.lake.query import connect, query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.tables import OWN_TABLES
from freg_pipeline.lake.utgivelse import UTGIVELSE
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.contracts import entity, field, small_contract
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    copy_of,
    deliver,
    document,
    local_store,
    navn,
    number,
)

A, B, C, D, E, F = (number(index) for index in range(6))
HOME = {"adressenavn": "Storgata", "kommunenummer": "0301"}
VEGADRESSE = """<xs:complexType name="Vegadresse"><xs:sequence>
<xs:element name="adressenavn" type="xs:string"/>
<xs:element name="kommunenummer" type="xs:string"/></xs:sequence></xs:complexType>"""
ADDRESSES = entity(
    "bostedsadresse", field("adressegradering") + field("vegadresse", "t:Vegadresse")
)
ADDRESS_COLUMNS = "adressenavn, husnummer, husbokstav, postnummer, poststed, kommunenummer"


def home(gradering: str | None = "ugradert", *, gjeldende: bool = True) -> dict[str, object]:
    graded = {} if gradering is None else {"adressegradering": gradering}
    return {"erGjeldende": gjeldende, "vegadresse": HOME, **graded}


def protection(level: str | None, *, gjeldende: bool = True) -> dict[str, object]:
    told = {} if level is None else {"graderingsnivaa": level}
    return {"erGjeldende": gjeldende, **told}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with a release; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    names = [navn("Ada"), navn("Ana", gjeldende=False)]
    documents = [
        ("d-a", document(A, B, navn=names, bostedsadresse=[home()])),
        ("d-c", document(C, navn=[navn("Cato")])),
        ("gone", "slettet"),
    ]
    build_release(store, deliver(store, "one", documents))
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


@pytest.fixture
def catalogue(store: LocalStore) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(refresh_catalogue(store)), read_only=True) as connection:
        yield connection


# -- freg.duckdb -----------------------------------------------------------------------------------


def test_every_table_is_a_view_with_its_full_schema_and_comments(
    catalogue: duckdb.DuckDBPyConnection,
) -> None:
    tables = described(compile_contract(XSD))
    views = dict(
        catalogue.sql("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall()
    )
    assert set(views) == {table.name for table in tables} | {view.name for view in VIEWS} | {
        UTGIVELSE
    }
    for table in (*tables, *VIEWS):
        columns = catalogue.sql(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = $name"
            " ORDER BY column_index",
            params={"name": table.name},
        ).fetchall()
        assert columns == [(name, text or None) for name, _, text in table.shown]
        catalogue.sql(f'FROM "{table.name}"').fetchall()
    for own in OWN_TABLES:
        assert views[own.name] == own.comment
        assert own.comment
        assert all(field.metadata[b"comment"] for field in own.schema)


def test_tables_without_rows_have_their_types(catalogue: duckdb.DuckDBPyConnection) -> None:
    types = {
        name: kind for name, kind, *_ in catalogue.sql("DESCRIBE bruk_av_samisk_spraak").fetchall()
    }
    assert types == {
        "personidentifikator": "VARCHAR",
        "rad_nr": "INTEGER",
        "ajourholdstidspunkt": "TIMESTAMP WITH TIME ZONE",
        "er_gjeldende": "BOOLEAN",
        "spraak": "VARCHAR[]",
    }
    below = [name for name, *_ in catalogue.sql("DESCRIBE vergemaal__kontakt").fetchall()]
    assert below == ["personidentifikator", "rad_nr", "element_nr", "linje"]


def test_a_number_that_was_is_turned_into_the_one_that_is(
    catalogue: duckdb.DuckDBPyConnection,
) -> None:
    told = catalogue.sql(
        "SELECT gjeldende_identifikator(n) FROM (SELECT unnest($numbers) AS n)",
        params={"numbers": [B, A, F, None]},
    ).fetchall()
    assert told == [(A,), (A,), (F,), (None,)]


def test_the_catalogue_is_private_and_works_from_any_folder(
    store: LocalStore, tmp_path: Path
) -> None:
    path = refresh_catalogue(store)
    assert path == Path(store.location) / "freg.duckdb"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / "elsewhere").mkdir()
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True);"
        "print(c.sql('SELECT count(*) FROM person').fetchall())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=tmp_path / "elsewhere",
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "[(2,)]\n"


def test_the_catalogue_is_written_so_that_duckdb_1_5_opens_it(store: LocalStore) -> None:
    head = refresh_catalogue(store).read_bytes()[:64]
    assert head[8:12] == b"DUCK"
    # Versions of the storage: 64 is that of DuckDB 1.0 and 1.1, 65 of 1.2, 66 of 1.3 and so on.
    assert int.from_bytes(head[12:20], "little") <= 65


def test_refreshing_swaps_the_file_under_readers(
    store: LocalStore, catalogue: duckdb.DuckDBPyConnection
) -> None:
    build_release(store, deliver(store, "two", [("d-d", document(D, navn=[navn("Dina")]))]))
    # Under another name: one process opens one file once, and shares it between connections.
    again = Path(store.location).parent / "again.duckdb"
    again.hardlink_to(refresh_catalogue(store))
    with duckdb.connect(str(again), read_only=True) as fresh:
        fresh.execute(f"SET VARIABLE freg_store = '{store.location}'")
        assert fresh.sql("SELECT fornavn FROM navn").fetchall() == [("Dina",)]
    assert len(catalogue.sql("FROM person").fetchall()) == 2, "who has the old one open keeps it"
    folder = Path(store.location)
    assert [path.name for path in folder.glob("*.duckdb*")] == ["freg.duckdb"]
    assert not list(folder.glob(".freg*"))


def test_what_someone_wrote_into_the_old_catalogue_never_meets_the_new_one(
    store: LocalStore,
) -> None:
    path = refresh_catalogue(store)
    killed = (
        "import duckdb, os, sys; writing = duckdb.connect(sys.argv[1]);"
        "writing.execute('CREATE OR REPLACE VIEW person AS SELECT 1 AS mine'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", killed, str(path)], check=True)
    assert path.with_name("freg.duckdb.wal").exists()
    refresh_catalogue(store)
    with duckdb.connect(str(path), read_only=True) as fresh:
        assert "mine" not in fresh.sql("FROM person").columns


def test_without_a_release_there_is_no_catalogue(tmp_path: Path) -> None:
    empty = local_store(tmp_path / "empty")
    with pytest.raises(ConfigurationError, match="freg uttrekk komplett"):
        refresh_catalogue(empty)
    assert not Path(empty.location, "freg.duckdb").exists()


def test_a_release_with_a_lost_file_says_how_to_look(store: LocalStore) -> None:
    before = refresh_catalogue(store).read_bytes()
    manifest = read_manifest(store, "1")
    store.delete(manifest.tables["navn"].files[0].key)
    for ask in (refresh_catalogue, connect):
        with pytest.raises(StoreError, match=r"bases/one/navn/0000\.parquet .* is gone"):
            ask(store)
    assert Path(store.location, "freg.duckdb").read_bytes() == before


def test_a_catalogue_that_cannot_be_written_is_named(store: LocalStore) -> None:
    Path(store.location, "freg.duckdb").mkdir()
    with pytest.raises(StoreError, match=r"freg\.duckdb can't be written"):
        refresh_catalogue(store)
    assert not list(Path(store.location).glob(".freg*"))


# -- person_oversikt -------------------------------------------------------------------------------

HIDDEN = {
    "fortrolig": ([protection("fortrolig")], home()),
    "strengt fortrolig": ([protection("strengtFortrolig")], home()),
    "klientadresse": ([protection("klientadresse")], home()),
    "a level that no contract lists": ([protection("hemmelig")], home()),
    "no level told": ([protection(None)], home()),
    "one of two rows": ([protection("ugradert"), protection("fortrolig")], home()),
    "the address itself is graded": ([], home("klientadresse")),
    "the address is graded strictly": ([], home("strengtFortrolig")),
    "the address tells no grade": ([], home(None)),
    "the address has ended": ([], home(gjeldende=False)),
}
SHOWN = {
    "nothing told": ([], home()),
    "told to be open": ([protection("ugradert")], home()),
    "was protected once": ([protection("fortrolig", gjeldende=False)], home()),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with a person for each case."""
    store = local_store(tmp_path_factory.mktemp("graded"))
    documents = [
        (
            f"d-{place}",
            document(
                number(place),
                navn=[navn(case)],
                bostedsadresse=[address],
                adressebeskyttelse=levels,
            ),
        )
        for place, (case, (levels, address)) in enumerate({**HIDDEN, **SHOWN}.items())
    ]
    build_release(store, deliver(store, "one", documents))
    return store


@pytest.mark.parametrize("case", [*HIDDEN, *SHOWN])
def test_the_overview_shows_addresses_of_the_unprotected_only(
    case: str, graded: LocalStore
) -> None:
    overview_of = f"SELECT {ADDRESS_COLUMNS} FROM {OVERVIEW} WHERE fornavn = '{case}'"
    (row,) = query(graded, overview_of).fetchall()
    street = "Storgata" if case in SHOWN else None
    kommune = None if case == "the address has ended" else "0301"
    assert row == (street, None, None, None, None, kommune)
    (told,) = query(graded, f"SELECT beskyttet FROM person_naa WHERE fornavn = '{case}'").fetchall()
    assert told == (case not in SHOWN and case != "the address has ended",)


def test_the_tables_themselves_hold_all_addresses(graded: LocalStore) -> None:
    assert query(graded, "SELECT count(vegadresse_adressenavn) FROM bostedsadresse").fetchall() == [
        (len(HIDDEN) + len(SHOWN),)
    ]


def test_the_overview_is_one_row_a_person_of_what_is_current(made: LocalStore) -> None:
    rows = query(made, f"SELECT personidentifikator, fornavn FROM {OVERVIEW} ORDER BY 1")
    assert rows.fetchall() == [(A, "Ada"), (C, "Cato")]


@pytest.mark.parametrize(
    "entities",
    [
        entity("navn", field("fornavn")),
        entity("navn", field("fornavn")) + ADDRESSES,
        ADDRESSES + entity("adressebeskyttelse", field("nivaa")),
    ],
)
def test_where_nothing_tells_who_is_protected_no_address_is_shown(
    entities: str, tmp_path: Path
) -> None:
    own = entity("identifikasjonsnummer", field("foedselsEllerDNummer"))
    store = local_store(tmp_path)
    person = document(A, bostedsadresse=[home()], navn=[navn("Ada")])
    small = small_contract(own + entities, VEGADRESSE)
    build_release(store, deliver(store, "one", [("d", person)], xsd=small))
    refresh_catalogue(store)
    (row,) = query(store, f"SELECT adressenavn, poststed FROM {OVERVIEW}").fetchall()
    assert row == (None, None)
    assert query(store, "SELECT beskyttet FROM person_naa").fetchall() == [(None,)]


@pytest.mark.parametrize("parts", [("person-basis",), ("bostedsadresse", "adressebeskyttelse")])
def test_who_asked_for_protection_sees_open_addresses(
    parts: tuple[str, ...], tmp_path: Path
) -> None:
    assert _street(tmp_path, parts) == ("Storgata", "0301", False)


def test_who_did_not_ask_for_protection_sees_the_kommune_only(tmp_path: Path) -> None:
    assert _street(tmp_path, ("bostedsadresse", "historikk")) == (None, "0301", None)


def _street(folder: Path, parts: tuple[str, ...]) -> tuple[Any, ...]:
    store = local_store(folder)
    person = document(A, bostedsadresse=[home()])
    build_release(store, deliver(store, "one", [("d", person)], parts=parts))
    statement = "SELECT adresselinje, kommunenummer, beskyttet FROM person_naa"
    (row,) = query(store, statement).fetchall()
    return tuple(row)


# -- queries ---------------------------------------------------------------------------------------


def test_an_earlier_release_can_be_queried_while_it_is_there(store: LocalStore) -> None:
    build_release(store, deliver(store, "two", [("d-d", document(D))]))
    assert query(store, "SELECT count(*) FROM person").fetchall() == [(1,)]
    with connect(store, read_manifest(store, "1")) as earlier:
        assert earlier.sql("SELECT count(*) FROM person").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT nothing FROM person", "nothing"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELEKT 1", "syntax error"),
        ("", "SELECT"),
    ],
)
def test_wrong_sql_is_said_in_one_line(statement: str, said: str, made: LocalStore) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        query(made, statement)
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert wrong.value.exit_code == 2


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT personidentifikator::DATE FROM person",
        "SELECT etternavn::INTEGER FROM navn",
        "SELECT etternavn::INTEGER[] FROM navn",
        "SELECT strptime(etternavn, '%Y') FROM navn",
        "SELECT json_extract('{' || etternavn, '$.a') FROM navn",
        "SELECT personidentifikator::BIGINT::TINYINT FROM person",
        "SELECT etternavn::BOOLEAN FROM navn",
        "SELECT date_trunc(etternavn, current_date) FROM navn",
    ],
)
def test_what_duckdb_says_of_a_value_is_not_passed_on(statement: str, made: LocalStore) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        render(made, statement)
    assert "Nordmann" not in str(wrong.value)
    assert A not in str(wrong.value)
    assert C not in str(wrong.value)


def test_what_does_not_fit_into_memory_is_spilled_privately(
    made: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with connect(made) as connection:
        folder = Path(connection.sql("SELECT current_setting('temp_directory')").fetchall()[0][0])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        connection.execute("SET memory_limit = '50MB'; SET threads = 1")
        big = "SELECT count(*) FROM (SELECT DISTINCT range || 'x' FROM range(1_500_000))"
        assert connection.sql(big).fetchall() == [(1_500_000,)]
    assert not (tmp_path / ".tmp").exists()
