"""A release piece by piece: the rows of the slow way, whoever makes which piece, and when."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freg_pipeline.errors import DamagedError, FregError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import list_releases
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake import files, keys, packed, room
from freg_pipeline.lake.base import pieces_left, plan_key, read_plan
from freg_pipeline.lake.heal import drop_tables, healing
from freg_pipeline.lake.landing import land_batch, load_plan
from freg_pipeline.lake.release import build_release, plan_release, release_piece
from freg_pipeline.lake.room import Room
from freg_pipeline.lake.staging import Staging
from freg_pipeline.lake.tables import PERSON_KEY
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    Delivery,
    deliver,
    document,
    local_store,
    navn,
    number,
)

TABLES = ("navn", "vergemaal", "vergemaal__kontakt", "identifikasjonsnummer", "person_naa")


def split(monkeypatch: pytest.MonkeyPatch, *, persons: int, rows_a_part: int = 2) -> None:
    """Buckets of few persons, parts of few rows, and no memory to speak of."""
    monkeypatch.setattr(keys, "PERSONS_A_BUCKET", persons)
    monkeypatch.setattr(packed, "ROWS_A_PART", rows_a_part)
    monkeypatch.setattr(room, "MERGED_BYTES", 1)
    monkeypatch.setattr(files, "BUFFER_BYTES", 500)


def person(place: int, day: int) -> Delivery:
    told = document(
        number(place),
        *([number(1_000 + place)] if place % 5 == 0 else []),
        day=day,
        navn=[navn(f"N{place}-{day}-{row}") for row in range(place % 4)],
        vergemaal=[{"kontakt": [{"linje": f"{place}.{row}"} for row in range(place % 3)]}],
    )
    return (f"d-{place}-{day}", told)


# -- the slow way ----------------------------------------------------------------------------------


def by_hand(store: Store, place: str, came: list[list[tuple[int, int]]], table: str) -> list[Any]:
    """A table's rows in order, from the staged ones: of each person the newest, latest document."""
    newest: dict[int, tuple[int, int, int]] = {}
    for batch, ones in enumerate(came):
        for at, (who, day) in enumerate(ones):
            newest[who] = max(newest.get(who, (0, 0, 0)), (day, batch, at))
    landed = {(batch, at) for _, batch, at in newest.values()}
    rows = [
        row
        for batch, piece in Staging(store, place, list(range(len(came)))).read(table)
        for row in piece.to_pylist()
        if (batch, row.pop("dok_nr")) in landed
    ]
    return sorted(rows, key=_in_order)


def _in_order(row: dict[str, Any]) -> tuple[int, ...]:
    return (int(row["personidentifikator"]), row.get("rad_nr", 0), row.get("element_nr", 0))


def in_files(store: Store, manifest: Manifest, table: str) -> list[Any]:
    """A table's rows, bucket by bucket; within each as they lie in its file."""
    found: list[Any] = []
    for file in manifest.tables[table].files:
        rows = pq.read_table(store.path(file.key), partitioning=None).to_pylist()
        assert [_in_order(row) for row in rows] == sorted(_in_order(row) for row in rows)
        assert {row.pop(PERSON_KEY) % 9973 % manifest.base.buckets for row in rows} <= {file.bucket}
        found += rows
    return sorted(found, key=_in_order)


def test_by_pieces_it_holds_what_the_slow_way_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = st.lists(
        st.lists(st.tuples(st.integers(0, 25), st.integers(1, 3)), max_size=12),
        min_size=1, max_size=4,
    )  # fmt: skip

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(came, st.sampled_from([1, 2, 7, 100]), st.sampled_from([1, 3, 50]))
    def holds(came: list[list[tuple[int, int]]], persons: int, rows_a_part: int) -> None:
        split(monkeypatch, persons=persons, rows_a_part=rows_a_part)
        store = local_store(tmp_path / f"{len(list(tmp_path.iterdir()))}")
        batches = [[person(who, day) for who, day in ones] for ones in came]
        if not any(batches):
            return
        manifest = build_release(store, deliver(store, "one", *batches))
        for table in TABLES:
            assert in_files(store, manifest, table) == by_hand(store, "one", came, table)
        assert manifest.accounting.unexplained == 0

    holds()


# -- by several workers ----------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    split(monkeypatch, persons=3)
    return local_store(tmp_path)


def everyone(store: LocalStore, name: str = "one") -> Uttrekk:
    people = [person(place, 1) for place in range(20)]
    return deliver(store, name, people[:9], people[9:10], people[10:])


def _content(store: Store, manifest: Manifest) -> Any:
    return manifest.tables, manifest.base.identity, manifest.accounting, store.list("bases/")


@pytest.fixture
def expected(tmp_path: Path, store: LocalStore) -> Any:
    plain = local_store(tmp_path / "plain")
    return _content(plain, build_release(plain, everyone(plain)))


def test_whoever_makes_a_piece_the_release_is_the_same(store: LocalStore, expected: Any) -> None:
    uttrekk = everyone(store)
    assert pieces_left(store, uttrekk) is None
    plan = plan_release(store, uttrekk)
    assert plan is not None
    assert plan.buckets == 8
    assert pieces_left(store, uttrekk) == set(range(8))
    for made in (5, 2, 5):
        assert release_piece(store, Uttrekk(store, "one"), made) > 0
    assert pieces_left(store, uttrekk) == {0, 1, 3, 4, 6, 7}
    manifest = build_release(store, uttrekk)  # whoever publishes makes the rest
    assert _content(store, manifest) == expected
    assert plan_release(store, uttrekk) is None
    assert verify(store) == []


def named(count: int) -> list[Delivery]:
    """People of whom the first thousand have one of three names, and the others each their own."""
    names = ["ABC"[place % 3] if place < 1_000 else f"SELDOM{place}" for place in range(count)]
    return [
        (f"d-{place}", document(number(place), navn=[navn("KARI", name)]))
        for place, name in enumerate(names)
    ]


@pytest.mark.parametrize("memory", [1, 20_000, 10**9])
def test_what_is_read_together_makes_the_files_of_one_bucket_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    split(monkeypatch, persons=300, rows_a_part=100)
    people = named(2_400)
    alone, together = (local_store(tmp_path / name) for name in ("alone", "together"))
    uttrekk = deliver(alone, "one", people[:1_500], people[1_500:])
    plan_release(alone, uttrekk)
    for piece in range(8):
        release_piece(alone, uttrekk, piece)
    monkeypatch.setattr(room, "MERGED_BYTES", memory)
    deliver(together, "one", people[:1_500], people[1_500:])
    made = build_release(together, Uttrekk(together, "one"))
    assert made.base.buckets == 8
    assert _content(together, made) == _content(alone, build_release(alone, uttrekk))


def test_a_file_has_no_text_of_anybody_in_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split(monkeypatch, persons=600, rows_a_part=10_000)
    monkeypatch.setattr(room, "MERGED_BYTES", 10**9)
    store = local_store(tmp_path)
    manifest = build_release(store, deliver(store, "one", named(1_500)))
    assert manifest.base.buckets == 4
    for file in manifest.tables["navn"].files:
        path = Path(store.path(file.key))
        (column,) = pq.ParquetFile(path, read_dictionary=["etternavn"]).read(["etternavn"]).columns
        held = [text for piece in column.chunks for text in piece.dictionary.to_pylist()]
        assert len(held) > 3
        assert set(held) == set(column.to_pylist())


def test_two_workers_side_by_side_make_all_pieces_once(store: LocalStore, expected: Any) -> None:
    everyone(store)
    failed: list[BaseException] = []

    def work(order: Iterator[int]) -> None:
        try:
            uttrekk = Uttrekk(store, "one")
            plan_release(store, uttrekk)
            for one in order:
                release_piece(store, uttrekk, one)
            build_release(store, uttrekk)
        except BaseException as error:
            failed.append(error)

    orders = [iter(range(8)), iter(range(8)), iter(reversed(range(8)))]
    threads = [threading.Thread(target=work, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    (manifest,) = list_releases(store)
    assert _content(store, manifest) == expected
    assert verify(store) == []


def test_a_piece_that_was_damaged_is_made_again(store: LocalStore, expected: Any) -> None:
    uttrekk = everyone(store)
    plan_release(store, uttrekk)
    for one in range(8):
        release_piece(store, uttrekk, one)
    for hurt in ("navn/0003.parquet", "documents/0003.arrow", "0001.json", "plan.json",
                 "_identitet/0000.parquet"):  # fmt: skip
        path = Path(store.path(f"bases/one/{hurt}"))
        path.write_bytes(path.read_bytes()[:-3] + b"???")
    manifest = healing(store, lambda: build_release(store, uttrekk))
    assert _content(store, manifest) == expected
    assert verify(store) == []


def test_what_landed_anew_is_planned_anew(store: LocalStore, tmp_path: Path) -> None:
    uttrekk = everyone(store)
    plan_release(store, uttrekk)
    release_piece(store, uttrekk, 0)
    other = local_store(tmp_path / "other")
    people = [(f"d-{place}-1", person(place, 2)[1]) for place in range(20)]
    deliver(other, "one", people[:9], people[9:10], people[10:])
    for key in store.list("uttrekk/one/answers/"):  # the register's answers are others by now
        store.replace(key, other.read(key))
    contract = load_plan(store, uttrekk.request.contract)
    for batch in range(3):
        drop_tables(uttrekk, batch)
        land_batch(store, uttrekk, batch, contract)

    with pytest.raises(DamagedError):
        release_piece(store, uttrekk, 1)
    manifest = healing(store, lambda: build_release(store, uttrekk))
    assert _content(store, manifest) == _content(other, build_release(other, Uttrekk(other, "one")))


def test_a_piece_that_there_is_none_of(store: LocalStore) -> None:
    uttrekk = everyone(store)
    with pytest.raises(FregError, match="no piece 0"):
        release_piece(store, uttrekk, 0)
    plan_release(store, uttrekk)
    assert store.exists(plan_key(uttrekk))
    assert read_plan(store, uttrekk) is not None
    with pytest.raises(FregError, match="no piece 8"):
        release_piece(store, uttrekk, 8)


def test_what_has_no_room_waits_and_what_is_too_large_is_alone() -> None:
    room, together, most = Room(10), 0, 0
    lock = threading.Lock()

    def work(size: int) -> None:
        nonlocal together, most
        with room.of(size):
            with lock:
                together += size
                most = max(most, together)
            with lock:
                together -= size

    threads = [threading.Thread(target=work, args=(size,)) for size in (4, 4, 4, 25, 9, 1) * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most in range(4, 26)
    assert together == 0
