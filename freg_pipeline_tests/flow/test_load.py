"""``freg load``: whatever has happened, a copy's tables are the views', wherever it lies."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from freg_pipeline.commands.root import run
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests import services
from freg_pipeline_tests.contracts import entity, field, small_contract
from freg_pipeline_tests.unit.lake.delivered import (
    TYPES,
    XSD,
    Delivery,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)
from freg_pipeline_tests.warehouses import PASSWORD, InDelta, InDuckDB, InPostgres, Warehouse

PEOPLE = [number(index) for index in range(30)]
A, B, C, D, *_ = PEOPLE
_LATER = XSD.replace(
    field("etternavn").encode(), (field("etternavn") + field("mellomnavn")).encode()
)


def person(one: str, fornavn: str, day: int = 1, *earlier: str) -> Delivery:
    entities = {
        "navn": [navn(fornavn), navn("Før", gjeldende=False)],
        "brukAvSamiskSpraak": [{"spraak": ["nordsamisk", "lulesamisk"], "erGjeldende": True}],
        "bostedsadresse": [{"erGjeldende": True, "adressegradering": "strengtFortrolig"}],
    }
    return one, document(one, *earlier, day=day, **entities)


class Course:
    """What happens to a store, one after the other; each state is kept as a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = local_store(folder)
        self._at = 100
        self.states: list[LocalStore] = []

    def full(self, people: Sequence[Delivery], xsd: bytes = XSD) -> None:
        """Everyone anew."""
        name = f"full-{self._at}"
        documents = [(f"d-{name}-{one}", answer) for one, answer in people]
        build_release(
            self._store, deliver(self._store, name, documents, sekvensnummer=self._at, xsd=xsd)
        )
        self._keep()

    def sync(self, *people: Delivery, xsd: bytes = XSD) -> None:
        """What has happened to some."""
        build_release(
            self._store, deliver_events(self._store, self._at, self._at + 100, people, xsd=xsd)
        )
        self._at += 100
        self._keep()

    def compact(self) -> None:
        """A new base, and its deltas gone."""
        compaction = begin_compaction(self._store)
        assert compaction is not None
        compact(self._store, compaction, lambda _: None)
        self._keep()

    def _keep(self) -> None:
        kept = self._folder / f"state-{len(self.states)}"
        shutil.copytree(self._store.location, kept)
        self.states.append(LocalStore(kept))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("course"))
    made.full([person(one, "Ola") for one in PEOPLE])
    made.sync(person(A, "Ada", 2), person(B, "Berit", 2))
    made.sync(person(C, "Cato", 3, B))  # B is merged into C
    made.sync(person(A, "Ola", 4))
    made.sync(*[person(one, "Endret", 4) for one in PEOPLE[4:20]])
    made.compact()
    made.sync(person(number(98), "Innflyttet", 5))
    made.sync((D, document(D, day=5)))  # has neither name nor address any more
    made.sync(person(A, "Ada", 5), person(D, "David", 6))
    made.sync(person(C, "Cato", 6, B), person(A, "Ola", 6))
    made.sync(*[person(one, "Endret", 7) for one in (A, D, *PEOPLE[10:20])])
    again = [person(A, "Ola", 6), person(C, "Cato", 6, B), person(number(99), "Ny")]
    made.full([*again, *(person(one, "Ola") for one in PEOPLE[3:25])], _LATER)
    made.sync(person(A, "Anna", 8), xsd=_LATER)
    made.sync(person(number(99), "Eldre", 9), person(A, "Ada", 9), xsd=_LATER)
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    if "postgresql" in services.missing():
        pytest.skip("PostgreSQL isn't installed")
    with services.postgres() as environment, pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSWORD, environment["PGPASSWORD"])
        yield environment


@pytest.fixture(params=["duckdb", "delta", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    if request.param == "postgres":
        return InPostgres(tmp_path, request.getfixturevalue("server"))
    return {"duckdb": InDuckDB, "delta": InDelta}[request.param](tmp_path)


def test_a_copy_is_as_the_views_are_whatever_happens(warehouse: Warehouse, course: Course) -> None:
    """Of ten syncs; a database file takes each, the others several at once."""
    first, *steps, killed, anew, later, last = course.states
    warehouse.load_killed(first, after=2)
    loaded = warehouse.load(first)
    assert loaded.since is None
    assert warehouse.wrong(first) == {}
    for store in steps if isinstance(warehouse, InDuckDB) else steps[1::3]:
        since = loaded.release
        loaded = warehouse.load(store)
        assert loaded.since == since
        assert warehouse.wrong(store) == {}
        assert warehouse.position() == [position(store)]
    again = warehouse.load(store)
    assert (again.since, again.rows) == (again.release, 0)

    # Some tables have come to a state in which A has changed; then A is as before.
    warehouse.load_killed(killed, after=3)
    loaded = warehouse.load(anew)
    assert loaded.since is not None
    assert warehouse.wrong(anew) == {}
    warehouse.load(later)
    assert warehouse.wrong(later) == {}
    warehouse.load_killed(last, after=0)
    assert warehouse.position() == [position(later)]
    warehouse.load(last)
    assert warehouse.wrong(last) == {}
    assert warehouse.position() == [position(last)]

    warehouse.load(last, anew=True)
    assert warehouse.wrong(last) == {}


def position(store: LocalStore) -> tuple[str, int]:
    release = require_current(store)
    return release.number, release.positions()[-1]


# Alike for longer than PostgreSQL's names are, spelled with other letters, or with underscores.
_LONG = "enhet" + "Lang" * 20
_ODD = [f"{_LONG}Først", f"{_LONG}Sist", "årsak", "ørsak", "kode_", "kode", "ja__nei"]


def odd_contract() -> bytes:
    fields = "".join(map(field, _ODD))
    inner = entity(f"{_LONG}Barn", fields) + entity(f"{_LONG}Barna", fields)
    return small_contract(
        entity("identifikasjonsnummer", field("foedselsEllerDNummer") + field("status", "t:Status"))
        + entity(f"{_LONG}A", fields + inner)
        + entity(f"{_LONG}B", fields + inner),
        TYPES,
    )


@pytest.mark.parametrize("warehouse", ["postgres", "delta"], indirect=True)
def test_long_and_odd_names_stay_apart(warehouse: Warehouse, tmp_path: Path) -> None:
    def told(of: str) -> dict[str, str]:
        return {name: f"{of} {name}" for name in _ODD}

    warehouse.schema = "odd"
    store = local_store(tmp_path)
    both = {
        f"{_LONG}{one}": [
            {**told(one), f"{_LONG}Barn": [told(f"{one} barn")], f"{_LONG}Barna": [told("barna")]}
        ]
        for one in "AB"
    }
    answer = {"identifikasjonsnummer": document(A)["identifikasjonsnummer"], **both}
    build_release(store, deliver(store, "odd", [("d-a", answer)], xsd=odd_contract()))
    warehouse.load(store)
    assert warehouse.wrong(store) == {}


def test_what_a_database_says_of_a_row_is_not_repeated(
    server: dict[str, str],
    course: Course,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    first, changed, *_ = course.states
    copy = InPostgres(tmp_path, server, "refusing")
    copy.load(first)
    kinds = copy.asked(
        "SELECT DISTINCT data_type::text FROM information_schema.columns "
        "WHERE table_schema = 'refusing' AND table_name IN ('person', 'navn', 'avvik')"
    )
    assert {"character varying", "bigint", "integer", "timestamp with time zone", "boolean"} == {
        *kinds["data_type"].to_pylist()
    }
    copy.told("ALTER TABLE refusing.navn ADD CONSTRAINT ours CHECK (fornavn <> 'Ada')")
    assert run(copy.command(changed)) == 1
    told = capfd.readouterr()
    assert "refused a load (CheckViolation, 23514)" in told.err
    assert not {*PEOPLE} & {*re.findall(r"[0-9]{11}", told.err + told.out)}
    assert [*(Path(changed.location) / ".tmp").iterdir()] == []
    copy.told("ALTER TABLE refusing.navn DROP CONSTRAINT ours")
    copy.load(changed)
    assert copy.wrong(changed) == {}


def test_a_user_who_may_not_write_there(
    server: dict[str, str],
    course: Course,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = InPostgres(tmp_path, server, "closed")
    copy.told("CREATE ROLE leser LOGIN PASSWORD 'hemmelig'")
    copy.named = copy.named.replace("dagster@", "leser@")
    monkeypatch.setenv(PASSWORD, "hemmelig")
    assert run(copy.command(course.states[0])) == 1
    told = capfd.readouterr().err
    assert "can't be written by this user (InsufficientPrivilege, 42501). Let it make" in told
    assert "hemmelig" not in told
