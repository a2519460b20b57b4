"""What a copy says that it has, and what therefore comes next; how a destination is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.releases import read_manifest, require_current
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.release import build_release
from freg_pipeline.load.destination import destination
from freg_pipeline.load.state import Point, State, steps
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    local_store,
    number,
)

A = number(0)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Three releases."""
    return made(tmp_path, 3)


def made(folder: Path, releases: int) -> LocalStore:
    store = local_store(folder)
    build_release(store, deliver(store, "one", [("d-a", document(A))]))
    for after in range(100, 100 * releases, 100):
        build_release(store, deliver_events(store, after, after + 100, [(A, document(A))]))
    return store


def point(store: Store, release: str) -> Point:
    return Point.of(read_manifest(store, release))


def todo(store: Store, state: State, *, anew: bool = False) -> list[tuple[str | None, str]]:
    found = steps(store, state, require_current(store), anew=anew)
    return [(one.before.number if one.before else None, one.after.number) for one in found]


def test_what_comes_next(store: LocalStore) -> None:
    one, two, three = (point(store, f"00000{release}") for release in (1, 2, 3))
    assert todo(store, State()) == [(None, "000003")]
    assert todo(store, State(one)) == [("000001", "000003")]
    assert todo(store, State(three)) == []
    assert todo(store, State(three), anew=True) == [(None, "000003")]
    assert todo(store, State(one, under_way=three)) == [("000001", "000003")]
    assert todo(store, State(one, under_way=two)) == [
        ("000001", "000002"),
        ("000002", "000003"),
    ]
    assert todo(store, State(None, under_way=two)) == [(None, "000003")]
    assert State.read(State(one, two).written()) == State(one, two)


def test_a_release_that_is_no_longer_kept(store: LocalStore) -> None:
    gone = point(store, "000001")
    purge(store, "000001")
    with pytest.raises(ConfigurationError, match=r"000001, which has been purged\. .*--full"):
        todo(store, State(gone))


def test_a_copy_of_another_store(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = made(tmp_path / "other", 4)
    for release in ("000002", "000004"):
        with pytest.raises(ConfigurationError, match="has never had"):
            todo(store, State(point(other, release)))
    assert todo(store, State(point(other, "000002")), anew=True) == [(None, "000003")]


def test_a_state_that_isnt_ours() -> None:
    with pytest.raises(ConfigurationError, match="isn't as this software writes it"):
        State.read({"copied": "000001"})


@pytest.mark.parametrize(
    "named",
    [
        "postgresql://etl:hemmelig@warehouse/db",
        "postgres://warehouse/db?password=hemmelig",
        "delta:s3://id:hemmelig@bucket/prefix",
        "snowflake://etl:hemmelig@account/db",
    ],
)
def test_no_password_on_the_command_line(named: str) -> None:
    with pytest.raises(ConfigurationError, match="holds a password") as raised:
        destination(named, "freg")
    assert "hemmelig" not in str(raised.value)
    assert "CREDENTIALS__PASSWORD" in str(raised.value)


@pytest.mark.parametrize("named", ["", "duckdb:", "mssql:server", "https://warehouse", "a b"])
def test_what_is_no_destination(named: str) -> None:
    with pytest.raises(ConfigurationError, match="no destination"):
        destination(named, "freg")


@pytest.mark.parametrize("schema", ["", "Freg", "freg; DROP", "x" * 41])
def test_what_is_no_schema(schema: str) -> None:
    with pytest.raises(ConfigurationError, match="schema is named by"):
        destination("duckdb:x", schema)


def test_addresses_keep_what_they_say() -> None:
    found = destination("postgresql://etl@warehouse:5433/db", "freg")
    assert (found.kind, found.where) == ("postgres", "postgresql://etl@warehouse:5433/db")
    assert destination("filesystem", "freg").kind == "delta"
