"""Whom a sync looks up, and by what."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from freg_pipeline.extract.batches import close_batches
from freg_pipeline.extract.crowd import for_each
from freg_pipeline.feed.persons import (
    SYNC_BATCH_SIZE,
    Persons,
    persons_of,
    write_batches,
)
from freg_pipeline_tests.unit.feed.made import begun, entry, store_in

A, B, C = "99000000001", "99000000002", "99000000003"


def test_each_person_once_by_the_document_of_the_last_event() -> None:
    events = [
        entry(1, A, persondokument="a1"),
        entry(2, B, persondokument="b1"),
        entry(3, A, persondokument="a2", hendelsetype="neverHeardOf"),
    ]
    assert persons_of(events) == Persons({"a2": [A], "b1": [B]}, ())


def test_by_number_where_the_last_event_points_nowhere() -> None:
    events = [entry(1, A, persondokument="a1"), entry(2, A), entry(3, B)]
    assert persons_of(events) == Persons({}, (A, B))


def test_a_document_that_two_numbers_point_to_is_looked_up_once() -> None:
    events = [entry(1, A, persondokument="one"), entry(2, B, persondokument="one")]
    assert persons_of(events) == Persons({"one": [A, B]}, ())


def test_an_event_without_a_number_is_followed_by_its_document() -> None:
    events = [entry(1), entry(2, None, persondokument="b1"), entry(3, A, persondokument="a1")]
    assert persons_of(events) == Persons({"b1": [], "a1": [A]}, ())
    both = [entry(1, A, persondokument="a1"), entry(2, None, persondokument="a1")]
    assert persons_of(both) == Persons({"a1": [A]}, ())


def test_documents_and_numbers_are_batches_of_their_own(tmp_path: Path) -> None:
    uttrekk = begun(store_in(tmp_path))
    documents = {f"d{place}": [A] for place in range(SYNC_BATCH_SIZE + 1)}
    assert write_batches(uttrekk, Persons(documents, (B, C))) == 3
    close_batches(uttrekk, 3)
    assert [len(uttrekk.identifiers(batch)) for batch in uttrekk.batches()] == [
        SYNC_BATCH_SIZE,
        1,
        2,
    ]
    assert [uttrekk.identifier_kind(batch) for batch in range(3)] == [
        "dokumentidentifikator", "dokumentidentifikator", "foedselsEllerDNummer",
    ]  # fmt: skip
    assert uttrekk.end == 3


def test_numbers_are_not_disclosed_by_repr() -> None:
    assert A not in repr(persons_of([entry(1, A)]))


def test_the_first_failure_of_a_crowd_is_told_and_no_more_than_so_many_work_at_once() -> None:
    under_way, most, done = 0, 0, []

    async def work(thing: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        if thing == 7:
            raise ValueError(thing)
        done.append(thing)

    asyncio.run(for_each(range(7), work, 3))
    assert (sorted(done), most) == (list(range(7)), 3)
    with pytest.raises(ValueError, match="7"):
        asyncio.run(for_each(range(100), work, 3))
    assert len(done) < 30
