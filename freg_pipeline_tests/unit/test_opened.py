"""A release in Python: three libraries show the same current rows, of one release, in batches."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import freg_pipeline
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.release import build_release
from freg_pipeline.opened import Lake
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

A, B, C, D = (number(index) for index in range(4))
NOW = [(A, "Ada"), (A, "Ane"), (C, "Cato"), (D, "Dag")]
BEFORE = [(A, "Ada"), (B, "Berit"), (C, "Carl")]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store whose deltas change C, add D and take B away, without a catalogue."""
    store = local_store(tmp_path_factory.mktemp("synced"))
    first = [
        ("d-a", document(A, day=1, navn=[navn("Ada")])),
        ("d-b", document(B, day=1, navn=[navn("Berit")])),
        ("d-c", document(C, day=1, navn=[navn("Carl")])),
    ]
    build_release(store, deliver(store, "one", first))
    changed = [
        ("d-a2", document(A, B, day=2, navn=[navn("Ada"), navn("Ane", gjeldende=False)])),
        ("d-c2", document(C, day=2, navn=[navn("Cato")])),
        ("d-d", document(D, day=2, navn=[navn("Dag")])),
    ]
    build_release(store, deliver_events(store, 100, 200, changed))
    return store


@pytest.fixture(params=["views", "catalogue"])
def lake(request: pytest.FixtureRequest, synced: LocalStore) -> Iterator[Lake]:
    if request.param == "catalogue":
        refresh_catalogue(synced)
    else:
        Path(synced.location, "freg.duckdb").unlink(missing_ok=True)
    with freg_pipeline.open(synced.location) as opened:
        yield opened


READS: dict[str, Callable[[Lake], list[tuple[str, str]]]] = {
    "duckdb": lambda lake: lake.table("navn").select("personidentifikator, fornavn").fetchall(),
    "polars": lambda lake: (
        lake.polars("navn").select("personidentifikator", "fornavn").collect().rows()
    ),
    "arrow": lambda lake: [
        (row["personidentifikator"], row["fornavn"])
        for row in lake.arrow("navn", rows=1).read_all().to_pylist()
    ],
}


@pytest.mark.parametrize("by", READS)
def test_current_rows_are_those_that_no_delta_has_replaced(by: str, lake: Lake) -> None:
    assert sorted(READS[by](lake)) == NOW


@pytest.mark.parametrize("by", READS)
@pytest.mark.parametrize("as_of", [100, "199"])
def test_an_earlier_state_is_shown_in_the_same_way(
    by: str, as_of: int | str, synced: LocalStore
) -> None:
    with freg_pipeline.open(synced.location, as_of=as_of) as lake:
        assert sorted(READS[by](lake)) == BEFORE
        assert lake.release["sekvensnummer"] == 100


def test_a_release_tells_which_one_it_is_and_what_it_holds(lake: Lake) -> None:
    assert {"person", "navn", "utgivelse", "avvik", "kode"} <= set(lake.tables)
    assert not any(name.startswith("_") for name in lake.tables)
    assert lake.release["sekvensnummer"] == 200
    assert repr(lake) == f"<Lake: release {lake.release['nummer']}, good to 200>"
    for name in lake.tables:
        frame = lake.polars(name)
        assert frame.collect_schema().names() == lake.table(name).columns
        assert (
            frame.collect().height == len(lake.table(name)) == lake.arrow(name).read_all().num_rows
        )


def test_a_frame_may_be_used_in_many_ways_and_more_than_once(lake: Lake) -> None:
    names = lake.polars("navn")
    persons = lake.polars("person").select("personidentifikator")
    joined = names.join(names, on="rad_nr").join(persons, on="personidentifikator")
    assert joined.select(pl.len()).collect().item() == 3 * 3 + 1
    assert joined.select(pl.len()).collect().item() == 3 * 3 + 1
    assert names.select(pl.len()).collect().item() == 4
    assert names.filter(pl.col("fornavn") > "B").head(1).collect().height == 1
    assert names.filter(pl.col("fornavn") == "Dag").select("er_gjeldende").collect().rows() == [
        (True,)
    ]


def test_a_query_may_end_with_a_semicolon_and_a_comment(lake: Lake) -> None:
    relation = lake.sql("SELECT 'a;' AS a -- ;\n; -- b;")
    assert relation.limit(1).fetchall() == [("a;",)]


def test_rows_come_in_batches_and_outlast_what_was_asked_for_meanwhile(lake: Lake) -> None:
    reader = lake.arrow("navn", rows=1)
    assert isinstance(reader, pa.RecordBatchReader)
    first = reader.read_next_batch()
    gc.collect()
    assert len(lake.table("person")) == 3
    assert [first.num_rows, *(batch.num_rows for batch in reader)] == [1, 1, 1, 1]


def test_what_is_published_later_is_not_seen(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    build_release(store, deliver(store, "one", [("d-a", document(A, navn=[navn("Ada")]))]))
    refresh_catalogue(store)
    with freg_pipeline.open(tmp_path / "store") as lake:
        build_release(
            store, deliver_events(store, 100, 200, [("d-d", document(D, navn=[navn("Dag")]))])
        )
        refresh_catalogue(store)
        assert [READS[by](lake) for by in READS] == [[(A, "Ada")]] * 3
    with freg_pipeline.open(tmp_path / "store") as lake:
        assert len(READS["polars"](lake)) == 2


def test_what_is_wrong_is_told(lake: Lake, tmp_path: Path) -> None:
    for read in (lake.table, lake.polars, lake.arrow):
        with pytest.raises(ConfigurationError, match='Did you mean "navn"'):
            read("navm")
    with pytest.raises(ConfigurationError, match="holds no release yet"):
        freg_pipeline.open(tmp_path)
    with pytest.raises(ConfigurationError, match="neither a sequence number nor a date"):
        freg_pipeline.open(tmp_path, as_of="yesterday")
    with pytest.raises(ConfigurationError):
        freg_pipeline.open(tmp_path, as_of=date(1999, 1, 1))


def test_importing_the_package_costs_nothing() -> None:
    script = (
        "import sys; before = set(sys.modules); import freg_pipeline; "
        "print(sorted(set(sys.modules) - before - {'typing', '__future__'}))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(eval(told.stdout))
    assert "freg_pipeline" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"duckdb", "polars", "pyarrow"}
    assert [name for name in loaded if name.startswith("freg_pipeline.")] == []
