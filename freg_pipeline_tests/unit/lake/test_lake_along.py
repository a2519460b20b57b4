"""A batch that lands while its answers come gives what it gives afterwards, in whatever order."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from freg_pipeline.contract import compile_contract
from freg_pipeline.journal.batches import ChunkAnswer
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.along import LandingAlong, one_behind
from freg_pipeline.lake.landing import LandedBatch, Landing, land_batch, load_landed
from freg_pipeline.normalize.batch import SpareColumns
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    Delivery,
    copy_of,
    deliver,
    document,
    local_store,
    navn,
    number,
)

PLAN = compile_contract(XSD)
SIZE = 3_100
GONE, ODD, NEW, NAMELESS = 17, 1_205, 2_500, 3_001


def delivery(index: int) -> Delivery:
    if index == GONE:
        return f"d-{index}", "slettet"
    if index == NAMELESS:
        return f"d-{index}", {"navn": [navn("Ingen")]}
    names = [navn(f"Ada {index}"), navn("Eva", gjeldende=False)][: 1 + index % 2]
    more = {"nytt": [{"felt": str(index)}]} if index in {NEW, NEW + 590} else {}
    time = {"ajourholdstidspunkt": "2026-05-01T08:00:00"} if index == ODD else {}  # no offset
    made = document(number(index), navn=[{**names[0], **time}, *names[1:]])
    return f"d-{index}", {**made, **more}


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = local_store(tmp_path_factory.mktemp("fetched"))
    deliver(store, "one", [delivery(index) for index in range(SIZE)], land=False)
    return store


@pytest.fixture(scope="module")
def answers(fetched: LocalStore) -> list[ChunkAnswer]:
    return list(Uttrekk(fetched, "one").answers(0))


@pytest.fixture(scope="module")
def afterwards(fetched: LocalStore, tmp_path_factory: pytest.TempPathFactory) -> LandedBatch:
    store = copy_of(fetched, tmp_path_factory.mktemp("afterwards"))
    return land_batch(store, Uttrekk(store, "one"), 0, PLAN)


@pytest.mark.parametrize("tried", [True, False])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3), (1,), ()])
def test_the_tables_are_the_same_in_whatever_order_answers_come(
    fetched: LocalStore,
    answers: list[ChunkAnswer],
    afterwards: LandedBatch,
    tmp_path: Path,
    order: tuple[int, ...],
    *,
    tried: bool,
) -> None:
    store = copy_of(fetched, tmp_path)
    with Landing(Uttrekk(store, "one"), 0, PLAN) as landing:
        for chunk in order:
            answer = answers[chunk]
            if tried:
                is_plain = chunk not in {ODD // 1_000, NEW // 1_000, (NEW + 590) // 1_000}
                assert landing.add_plain(chunk, answer.body, answer.meta.hentet) == is_plain
            landing.add(chunk, answer.meta, answer.body)
        landed = landing.finish()
    assert (landed.tables, landed.file, landed.outcomes) == (
        afterwards.tables,
        afterwards.file,
        afterwards.outcomes,
    )


def whole(answer: ChunkAnswer) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = json.loads(answer.body)["oppslag"]
    return entries


def other_forms(answer: ChunkAnswer) -> dict[str, bytes]:
    """What has to be looked at before it is kept, by what is wrong with it."""
    entries = whole(answer)
    fault = {
        "dokumentidentifikator": "d-5",
        "feilmelding": {"feilmelding": "Teknisk feil, prøv igjen senere"},
    }
    forms = {
        "one is missing": [*entries[:5], *entries[6:]],
        "another order": entries[::-1],
        "a fault": [*entries[:5], fault, *entries[6:]],
        "nothing told": [*entries[:5], {"dokumentidentifikator": "d-5"}, *entries[6:]],
        "one twice": [*entries[:5], entries[4], *entries[6:]],
    }
    made = {name: json.dumps({"oppslag": form}).encode() for name, form in forms.items()}
    cut = {f"cut at {place}": answer.body[:place] for place in (0, 9, 5_000, len(answer.body) - 1)}
    return {**made, **cut, "a page": b"<html></html>"}


def test_an_answer_that_leaves_something_open_is_not_read(
    fetched: LocalStore, answers: list[ChunkAnswer], afterwards: LandedBatch, tmp_path: Path
) -> None:
    store, first = copy_of(fetched, tmp_path), answers[0]
    with Landing(Uttrekk(store, "one"), 0, PLAN) as landing:
        for name, body in other_forms(first).items():
            assert not landing.add_plain(0, body, first.meta.hentet), name
        assert landing.add_plain(0, first.body, first.meta.hentet)
        assert landing.finish().file == afterwards.file, "nothing of the others is there"


def test_another_workers_answer_that_is_kept_is_the_one_that_lands(
    fetched: LocalStore, answers: list[ChunkAnswer], tmp_path: Path
) -> None:
    store = copy_of(fetched, tmp_path)
    uttrekk, first = Uttrekk(store, "one"), answers[0]

    async def read() -> None:
        async with one_behind() as landings, landings.along(uttrekk, 0) as along:
            assert await along.read_plain(0, first.body, first.meta.hentet)
            along.give_up()

    asyncio.run(read())
    assert not uttrekk.has_landed(0)


def test_what_goes_wrong_along_is_left_to_whoever_lands_it_afterwards(
    fetched: LocalStore, answers: list[ChunkAnswer], tmp_path: Path
) -> None:
    store = copy_of(fetched, tmp_path)
    uttrekk = Uttrekk(store, "one")
    contract = f"contracts/{PLAN.fingerprint}.xsd"
    xsd = store.read(contract)
    store.delete(contract)

    async def read() -> None:
        along = LandingAlong(uttrekk, 0, SpareColumns())
        assert not await along.read_plain(0, answers[0].body, answers[0].meta.hentet)
        await along.kept(0, answers[0].meta, answers[0].body)
        await along.finish()

    asyncio.run(read())
    assert not uttrekk.has_landed(0)
    store.write(contract, xsd)
    land_batch(store, uttrekk, 0, PLAN)
    assert load_landed(store, "one", 0).outcomes["dokument"] == SIZE - 2


def test_batches_that_use_each_others_columns_land_as_each_by_itself(tmp_path: Path) -> None:
    store = local_store(tmp_path / "apart")
    many = [delivery(index) for index in range(1_500)]
    bare = [(f"e-{index}", document(number(index))) for index in range(900)]
    deliver(store, "one", many, bare, many[100:300], bare + many[:50])
    apart = [load_landed(store, "one", batch) for batch in range(4)]
    for batch in range(4):
        store.delete_all(store.list(f"uttrekk/one/tables/{batch:06d}/"))
    spare, uttrekk = SpareColumns(), Uttrekk(store, "one")
    for batch in range(4):
        with Landing(uttrekk, batch, PLAN, spare=spare) as landing:
            landed = landing.finish()
        assert (landed.tables, landed.file) == (apart[batch].tables, apart[batch].file)
    assert len(spare) == 1, "all of them used the same"


def test_columns_of_a_landing_that_was_given_up_are_nobody_elses(
    fetched: LocalStore, answers: list[ChunkAnswer], tmp_path: Path
) -> None:
    store, spare = copy_of(fetched, tmp_path), SpareColumns()
    with Landing(Uttrekk(store, "one"), 0, PLAN, spare=spare) as landing:
        landing.add(0, answers[0].meta, answers[0].body)
    assert not len(spare)
