"""Several requests under way at once, none lost; what a process knows isn't asked for again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from freg_pipeline.errors import ObjectMissingError
from freg_pipeline.store import remembered
from freg_pipeline.store.overlap import Overlap, ahead
from freg_pipeline.store.remembered import Remembered
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.s3 import Between, between, s3_server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Far:
    """As much of a store as says how many requests it takes at once."""

    at_once = 4


FAR: Any = Far()


def test_no_more_are_under_way_than_the_store_takes() -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    all_four = threading.Barrier(4)

    def work(number: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        all_four.wait(30)  # nobody goes on alone
        with lock:
            under_way -= 1
        return number

    with Overlap(FAR) as overlap:
        begun = [overlap.begin(lambda number=number: work(number)) for number in range(8)]  # type: ignore[misc]
    assert [one.result() for one in begun] == [*range(8)]
    assert most == 4


def test_what_fails_is_raised_at_the_latest_in_the_end() -> None:
    def fail() -> None:
        raise ObjectMissingError("key", "place")

    with pytest.raises(ObjectMissingError), Overlap(FAR) as overlap:
        overlap.begin(fail)


def test_pieces_come_in_order_and_no_further_ahead_than_that() -> None:
    asked: list[int] = []

    def pieces() -> Iterator[int]:
        for number in range(100):
            asked.append(number)
            yield number

    found = ahead(FAR, lambda number: number * 2, pieces())
    assert [next(found), next(found)] == [0, 2]
    assert len(asked) <= 2 + Far.at_once
    assert [*found] == [*range(4, 200, 2)]


def test_memory_is_bounded_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "EACH_BYTES", 10)
    monkeypatch.setattr(remembered, "ALL_BYTES", 25)
    held = Remembered()
    for name in "abc":
        held.put(name, name.encode() * 10)
    held.put("large", b"x" * 11)
    assert [held.get(name) for name in ("a", "b", "c", "large")] == [
        None, b"b" * 10, b"c" * 10, None,
    ]  # fmt: skip
    held.forget("b")
    assert held.get("b") is None
    monkeypatch.setattr(remembered, "SECONDS", -1.0)
    assert held.get("c") is None


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with s3_server() as endpoint, between(endpoint) as proxy:
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bucket")
        yield proxy


def test_what_is_known_is_not_asked_for_and_what_was_removed_is_not_known(proxy: Between) -> None:
    store, other = (S3Store("s3://bucket/p", endpoint=proxy.address) for _ in range(2))
    store.write("a", b"one")
    assert other.recall("a") == b"one"
    proxy.requests.clear()
    assert store.recall("a") == other.recall("a") == b"one"
    assert store.read_ranges("a", [(0, 1), (1, 9)]) == [b"o", b"ne"]
    assert not proxy.requests
    store.replace("a", b"two")
    assert store.read("a") == store.recall("a") == b"two"
    store.delete("a")
    for ask in (store.recall, store.read, lambda key: store.open_file(key, 3)):
        with pytest.raises((ObjectMissingError, FileNotFoundError)):
            ask("a")
    with pytest.raises(FileNotFoundError):
        store.read_ranges("a", [(0, 1)])


def test_a_range_beyond_the_end_is_short(proxy: Between) -> None:
    S3Store("s3://bucket/p", endpoint=proxy.address).write("b", b"short")
    other = S3Store("s3://bucket/p", endpoint=proxy.address)
    assert other.read_ranges("b", [(3, 9), (7, 9)]) == [b"rt", b""]
