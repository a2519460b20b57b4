"""A base's tally says what its files say, and is made again when it is gone or damaged."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.counts import all_rows_of
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.tables import PERSON_KEY
from freg_pipeline.lake.tally import tally_of
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    navn,
    number,
)

A, B, C = (number(index) for index in range(3))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    documents = [
        ("d-a", document(A, navn=[navn("Ada"), navn("Adele")])),
        ("d-b", document(B, navn=[navn("Bo")])),
        ("d-c", document(C)),
    ]
    build_release(store, deliver(store, "one", documents))
    return store


def _files(store: LocalStore, manifest: Manifest) -> list[Path]:
    return [Path(store.path(file.key)) for file in tally_of(store, manifest).files]


def _agrees(store: LocalStore, manifest: Manifest) -> None:
    told = pq.read_table(_files(store, manifest))
    assert told[PERSON_KEY].to_pylist() == sorted(told[PERSON_KEY].to_pylist())
    for name in tally_of(store, manifest).tables:
        assert pc.sum(told[name]).as_py() == manifest.tables[name].rows, name


def test_a_release_has_one(store: LocalStore) -> None:
    manifest = require_current(store)
    assert store.exists(f"{manifest.base.folder}/_antall.json")
    _agrees(store, manifest)


@pytest.mark.parametrize("loss", ["gone", "a file", "damaged", "the record"])
def test_a_sync_counts_whatever_became_of_it(store: LocalStore, loss: str) -> None:
    before = require_current(store)
    record = Path(store.path(f"{before.base.folder}/_antall.json"))
    (file,) = _files(store, before)
    if loss == "gone":
        record.unlink()
        file.unlink()
    elif loss == "a file":
        file.unlink()
    elif loss == "damaged":
        file.write_bytes(file.read_bytes()[:-20] + bytes(20))
    else:
        record.write_text("{")
    changed = (A, document(A, day=5, navn=[navn("Ada")]))
    after = build_release(store, deliver_events(store, 100, 200, [changed]))
    assert all_rows_of(store, after)["navn"] == 2
    with connect(store, after) as connection:
        for name, rows in all_rows_of(store, after).items():
            assert connection.sql(f"FROM {name}").count("*").fetchall() == [(rows,)], name
    _agrees(store, before)
