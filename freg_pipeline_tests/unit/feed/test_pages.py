"""Pages of the event list: read to the end or to the slice's bound, each event kept once."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.feed.pages import MAX_PAGES, read_events
from freg_pipeline.feed.persons import persons_of
from freg_pipeline.feed.position import BeyondTheEndError
from freg_pipeline.journal.raw import RawMeta, pack
from freg_pipeline.journal.uttrekk import FeedEnd, Uttrekk
from freg_pipeline.store import write_record
from freg_pipeline_tests.unit.feed.made import ETTER, EventList, begun, event, register, store_in


def read(url: str, uttrekk: Uttrekk, max_pages: int = MAX_PAGES) -> list[FeedEntry]:
    async def run() -> list[FeedEntry]:
        async with register(url) as asked:
            return await read_events(asked, uttrekk)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("freg_pipeline.feed.pages.MAX_PAGES", max_pages)
        return asyncio.run(run())


def numbers(events: list[FeedEntry]) -> list[int]:
    return [one.sekvensnummer for one in events]


def test_pages_are_read_until_one_is_empty_whatever_their_size_and_gaps(tmp_path: Path) -> None:
    there = [103, 104, 110, 200, 201, 202, 5_000]
    uttrekk = begun(store_in(tmp_path))
    feed = EventList([event(number) for number in [50, ETTER, *there]], page=3)
    with feed.served() as url:
        assert numbers(read(url, uttrekk)) == there
    assert feed.asked == [101, 111, 203, 5_001], "each page begins after the last number"
    assert uttrekk.feed_end == FeedEnd(5_000, 7)
    assert uttrekk.sekvensnummer == 5_000


def test_a_slice_ends_after_so_many_pages_and_is_not_added_to_later(tmp_path: Path) -> None:
    uttrekk = begun(store_in(tmp_path))
    feed = EventList([event(number) for number in range(101, 120)], page=3)
    with feed.served() as url:
        assert numbers(read(url, uttrekk, max_pages=2)) == [101, 102, 103, 104, 105, 106]
        feed.asked.clear()
        assert numbers(read(url, uttrekk)) == [101, 102, 103, 104, 105, 106]
    assert feed.asked == []


def test_a_page_that_repeats_or_mixes_numbers_gives_each_event_once_and_in_order(
    tmp_path: Path,
) -> None:
    uttrekk = begun(store_in(tmp_path))
    feed = EventList([event(number) for number in (99, 105, 103, 103)])
    feed.ignores_seq = True
    with feed.served() as url:
        assert numbers(read(url, uttrekk)) == [103, 105]


def test_different_events_of_one_number_are_all_kept(tmp_path: Path) -> None:
    """Each tells of somebody who has to be looked up."""
    told = [event(101, "a"), event(102, "b"), event(102, "c"), event(102, "b"), event(103, "d")]
    uttrekk = begun(store_in(tmp_path))
    with EventList(told).served() as url:
        events = read(url, uttrekk)
        assert read(url, uttrekk) == events
    assert [(one.sekvensnummer, one.folkeregisteridentifikator) for one in events] == [
        (101, "a"), (102, "b"), (102, "c"), (103, "d")
    ]  # fmt: skip
    assert sorted(persons_of(events).by_number) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("number", [105, 10**17], ids=["a little", "absurdly"])
def test_an_event_beyond_the_registers_last_one_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("freg_pipeline.feed.position.FIRST_PAUSE", 0.01)
    feed = EventList([event(101), event(102), event(103), event(number)], page=2)
    feed.lasts = [103]
    uttrekk = begun(store_in(tmp_path))
    with feed.served() as url:
        with pytest.raises(BeyondTheEndError, match="nothing of that page was kept"):
            read(url, uttrekk)
        assert len(uttrekk.store.list(uttrekk.key("feed/"))) == 1
        assert uttrekk.feed_end is None
        feed.events.pop()  # it was a fault, and the next sync goes on
        assert numbers(read(url, uttrekk)) == [101, 102, 103]


def test_a_last_number_that_lags_behind_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freg_pipeline.feed.position.FIRST_PAUSE", 0.01)
    feed = EventList([event(101), event(102)])
    feed.lasts = [101, 101, 102]
    with feed.served() as url:
        assert numbers(read(url, begun(store_in(tmp_path)))) == [101, 102]


def test_a_page_with_nothing_later_is_the_end_and_not_a_loop(tmp_path: Path) -> None:
    uttrekk = begun(store_in(tmp_path))
    feed = EventList([event(101)])
    feed.ignores_seq = True
    with feed.served() as url:
        assert numbers(read(url, uttrekk)) == [101]
    assert feed.asked == [101, 102]


def test_another_worker_s_page_counts_and_the_next_one_begins_after_it(tmp_path: Path) -> None:
    """It saw a shorter list than we do; both must keep the same slice."""
    uttrekk = begun(store_in(tmp_path))
    feed = EventList([event(number) for number in (101, 102, 103, 104)])

    def other_worker(seq: int) -> None:
        if seq == 101:
            keep_page(uttrekk, 0, [101, 102])

    feed.after_page = other_worker
    with feed.served() as url:
        assert numbers(read(url, uttrekk)) == [101, 102, 103, 104]
    assert feed.asked == [101, 103, 105]


def test_another_worker_s_end_stands_and_pages_kept_after_it_belong_to_the_next_slice(
    tmp_path: Path,
) -> None:
    uttrekk = begun(store_in(tmp_path))
    feed = EventList([event(number) for number in (101, 102, 103, 104)], page=2)

    def other_worker(seq: int) -> None:
        if seq == 103:
            write_record(uttrekk.store, uttrekk.feed_end_key, {"siste": 102, "hendelser": 2})

    feed.after_page = other_worker
    with feed.served() as url:
        assert numbers(read(url, uttrekk)) == [101, 102]
        assert numbers(read(url, uttrekk)) == [101, 102]
    assert uttrekk.sekvensnummer == 102


def keep_page(uttrekk: Uttrekk, page: int, there: list[int]) -> None:
    body = json.dumps([event(number) for number in there]).encode()
    meta = RawMeta(len(body), uttrekk.request.created, "application/json", "test")
    key = uttrekk.key("feed", f"{page:06d}.json.zst")
    uttrekk.store.write(key, pack(key, body, meta))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[EventList, str]]:
    feed = EventList([])
    with feed.served() as url:
        yield feed, url


@settings(max_examples=25, deadline=None, database=None)
@given(
    st.lists(st.integers(ETTER + 1, ETTER + 400), unique=True, max_size=40).map(sorted),
    st.integers(2, 7),
    st.integers(1, 5),
    st.data(),
)
def test_slices_one_after_the_other_give_every_event_once(
    served: tuple[EventList, str], there: list[int], page: int, bound: int, data: st.DataObject
) -> None:
    """Also where reading stopped between two pages, and goes on later."""
    feed, url = served
    feed.events, feed.page = [event(number) for number in there], page
    found: list[int] = []
    position = ETTER
    with tempfile.TemporaryDirectory() as folder:
        while True:
            uttrekk = begun(store_in(Path(folder)), position)
            rest = [one for one in there if one > position]
            if rest and data.draw(st.booleans()):
                keep_page(uttrekk, 0, rest[:page])  # what a killed process left
            events = numbers(read(url, uttrekk, max_pages=bound))
            if not events:
                break
            found += events
            position = uttrekk.sekvensnummer
    assert found == there
