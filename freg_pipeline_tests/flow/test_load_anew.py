"""Tables of a copy that can't take what comes: made anew, or said so before anything is changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from freg_pipeline.erasure.course import erase
from freg_pipeline.erasure.lifting import lift
from freg_pipeline.erasure.persons import Persons
from freg_pipeline.erasure.survey import survey
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.contracts import field
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)
from freg_pipeline_tests.warehouses import InDelta, InDuckDB, Warehouse

PEOPLE = [number(index) for index in range(5)]
# A column of another type, and an entity that has gone.
_OTHER_TYPE = XSD.replace(
    field("etternavn").encode(), field("etternavn", "xs:boolean").encode()
).replace(b'name="familierelasjon"', b'name="familie_relasjon"')


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> list[LocalStore]:
    """A full load; a sync; a full load by a contract that has another type for a column."""
    folder = tmp_path_factory.mktemp("states")
    store, kept = local_store(folder), []
    documents = [(f"d-{one}", document(one, navn=[navn("Ola")])) for one in PEOPLE]
    build_release(store, deliver(store, "one", documents))
    kept.append(_kept(store, folder / "1"))
    changed = document(PEOPLE[0], day=2, navn=[navn("Ada")])
    build_release(store, deliver_events(store, 100, 200, [(PEOPLE[0], changed)]))
    kept.append(_kept(store, folder / "2"))
    others = [{**navn("Ola"), "etternavn": True}]
    documents = [(f"e-{one}", document(one, day=3, navn=others)) for one in PEOPLE]
    uttrekk = deliver(store, "two", documents, xsd=_OTHER_TYPE, sekvensnummer=200)
    build_release(store, uttrekk, policy=Policy(accept_contract=True))
    kept.append(_kept(store, folder / "3"))
    return kept


def _kept(store: LocalStore, folder: Path) -> LocalStore:
    shutil.copytree(store.location, folder)
    return LocalStore(folder)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


def told(file: Path, statement: str) -> None:
    with duckdb.connect(file) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("kind", [InDuckDB, InDelta])
def test_a_table_with_a_column_of_another_type_is_made_anew(
    kind: type[Warehouse], states: list[LocalStore], tmp_path: Path
) -> None:
    first, _, other = states
    copy = kind(tmp_path)
    copy.load(first)
    loaded = copy.load(other)
    assert loaded.since == "000001"
    assert copy.wrong(other) == {}
    assert copy.position() == [("000003", 200)]
    assert copy.has("familie_relasjon")
    assert not copy.has("familierelasjon")


def test_whoever_is_killed_meanwhile_goes_on(
    states: list[LocalStore], tmp_path: Path, file: Path
) -> None:
    first, _, other = states
    copy = InDuckDB(tmp_path)
    copy.load(first)
    copy.load_killed(other, after=1)
    # Where dropping isn't of one transaction with it, dlt's idea of the tables may be missing.
    told(file, "DROP TABLE freg.navn; DELETE FROM freg._dlt_version")
    copy.load(other)
    assert copy.wrong(other) == {}


@pytest.mark.parametrize(
    "done", ["DROP TABLE freg.navn", "ALTER TABLE freg.navn DROP COLUMN etternavn"]
)
def test_what_somebody_took_away_there_is_told_and_comes_back_with_all(
    done: str, states: list[LocalStore], tmp_path: Path, file: Path
) -> None:
    first, changed, _ = states
    copy = InDuckDB(tmp_path)
    copy.load(first)
    told(file, done)
    with pytest.raises(ConfigurationError, match=r"table navn isn't as it was made.*--full"):
        copy.load(changed)
    assert copy.position() == [("000001", 100)]
    copy.load(changed, anew=True)
    assert copy.wrong(changed) == {}


def test_who_is_erased_leaves_with_the_next_load_and_comes_back_when_it_is_lifted(
    states: list[LocalStore], tmp_path: Path
) -> None:
    _, changed, _ = states
    gone = PEOPLE[0]
    store, copy = _kept(changed, tmp_path / "store"), InDuckDB(tmp_path)
    copy.load(store)
    assert gone in everything(copy)
    persons = Persons({gone: 0}, (1,))
    erase(store, survey(store, persons))
    loaded = copy.load(store)
    assert (loaded.since, loaded.erased) == (None, True)
    assert copy.wrong(store) == {}
    assert gone not in everything(copy)
    assert PEOPLE[1] in everything(copy)
    again = copy.load(store)
    assert (again.since, again.rows, again.erased) == (again.release, 0, False)

    changed_since = document(PEOPLE[1], day=4, navn=[navn("Eva")])
    build_release(store, deliver_events(store, 200, 300, [(PEOPLE[1], changed_since)]))
    assert copy.load(store).since is not None
    assert gone not in everything(copy)

    lift(store, persons)
    documents = [(f"f-{one}", document(one, day=5)) for one in PEOPLE]
    build_release(store, deliver(store, "three", documents, sekvensnummer=300))
    copy.load(store)
    assert copy.wrong(store) == {}
    assert gone in everything(copy)


def everything(copy: InDuckDB) -> str:
    """All that the copy's tables hold, those among them in which rows come."""
    names = "SELECT schema_name || '.' || table_name AS name FROM duckdb_tables()"
    tables = copy.asked(names)["name"].to_pylist()
    return " ".join(str(copy.asked(f"FROM {name}").to_pydict()) for name in tables)
