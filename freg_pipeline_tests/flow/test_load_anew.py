"""Tables of a copy that can't take what comes: made anew, or said so before anything is changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

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
_OTHER_TYPE = XSD.replace(field("etternavn").encode(), field("etternavn", "xs:boolean").encode())


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
