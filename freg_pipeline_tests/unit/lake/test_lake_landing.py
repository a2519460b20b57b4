"""Landing a batch: staging tables written once and whole, whoever does it and however often."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from freg_pipeline.contract import compile_contract
from freg_pipeline.errors import FregError, ObjectMissingError
from freg_pipeline.lake.landing import (
    LandedBatch,
    land_batch,
    load_landed,
    load_plan,
    packed_key,
    staging_key,
)
from freg_pipeline.lake.packed import PackedFile
from freg_pipeline.lake.staging import Staging
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    Delivery,
    deliver,
    document,
    local_store,
    navn,
    number,
)

PLAN = compile_contract(XSD)
BATCH: list[Delivery] = [
    *[(f"d-{index}", document(number(index), navn=[navn("Ada")])) for index in range(1_200)],
    ("gone", "slettet"),
    ("odd", {"navn": []}),
]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return local_store(tmp_path)


def test_a_batch_lands_with_a_count_of_everything(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", BATCH, land=False)
    told: list[int] = []
    landed = land_batch(store, uttrekk, 0, PLAN, progress=told.append)

    assert landed.outcomes == {"dokument": 1_200, "borte": 1, "feilet": 1}
    assert told == [1_000, 202]
    assert landed.contract == PLAN.fingerprint
    assert {name: file.rows for name, file in landed.tables.items()} == {
        "dokument": 1_202,
        "identifikasjonsnummer": 1_200,
        "navn": 1_200,
        "person_naa": 1_200,
    }
    data = store.read(packed_key("one", 0))
    assert landed.file == PackedFile(len(data), hashlib.sha256(data).hexdigest())
    assert load_landed(store, "one", 0) == landed
    assert uttrekk.landed() == {0}


def test_what_has_landed_is_not_landed_again(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", BATCH[:3])
    before = {key: store.read(key) for key in store.list("uttrekk/one/tables/")}
    for key in store.list("uttrekk/one/answers/"):
        store.delete(key)  # nothing is read from them any more
    assert land_batch(store, uttrekk, 0, PLAN) == load_landed(store, "one", 0)
    assert {key: store.read(key) for key in store.list("uttrekk/one/tables/")} == before


def test_a_batch_that_is_not_fetched_in_full_does_not_land(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", BATCH, land=False)
    store.delete(uttrekk.answer_key(0, 1))
    with pytest.raises(FregError, match=r"lacks the answers to 1 look-ups.*resume one"):
        land_batch(store, uttrekk, 0, PLAN)
    assert uttrekk.landed() == set()
    with pytest.raises(ObjectMissingError):
        load_landed(store, "one", 0)


def test_what_a_killed_worker_left_is_gone_on_with(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", BATCH)
    landed = load_landed(store, "one", 0)
    store.delete(staging_key("one", 0, "done.json"))  # killed before it
    again = land_batch(store, uttrekk, 0, PLAN)
    assert (again.tables, again.file) == (landed.tables, landed.file)
    assert sum(len(piece) for _, piece in Staging(store, "one", [0]).read("navn")) == 1_200


def test_two_workers_land_a_batch_once(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", BATCH, land=False)
    done: list[LandedBatch] = []
    threads = [
        threading.Thread(target=lambda: done.append(land_batch(store, uttrekk, 0, PLAN)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [load_landed(store, "one", 0)] * 2


def test_staging_reads_batches_in_order_and_only_the_columns_asked_for(store: LocalStore) -> None:
    deliver(store, "one", BATCH[:3], BATCH[5:6], BATCH[1200:1201])
    staging = Staging(store, "one", [2, 0, 1])
    read = [
        (batch, piece.column_names, len(piece))
        for batch, piece in staging.read("navn", ["fornavn"])
    ]
    assert read == [(0, ["fornavn"], 3), (1, ["fornavn"], 1)]
    assert [batch for batch, _ in staging.read("dokument")] == [0, 1, 2]
    assert list(staging.read("familierelasjon")) == []
    assert staging.batches == [0, 1, 2]
    assert (staging.rows("navn"), staging.rows("dokument"), staging.rows("nothing")) == (4, 5, 0)


def test_the_plan_is_that_of_the_contract_kept(store: LocalStore) -> None:
    uttrekk = deliver(store, "one", BATCH[:1])
    assert load_plan(store, uttrekk.request.contract).tables == PLAN.tables
    with pytest.raises(ObjectMissingError):
        load_plan(store, "0123456789abcdef")
