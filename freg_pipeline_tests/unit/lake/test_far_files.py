"""Files of a store that is far away: what is fetched ahead, made side by side, and looked at."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest

from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.kept import open_whole, require_whole
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake import room
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.room import side_by_side
from freg_pipeline.store import Store, remembered
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.s3 import Between, between, s3_server
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

A, B = number(0), number(1)
LOCATION = "s3://bucket/some/prefix"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Between]:
    """What notes each request, before a server that holds a release with a delta."""
    with (
        s3_server() as server,
        between(server) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3", endpoint_url=server).create_bucket(Bucket="bucket")
        store = fresh(proxy)
        build_release(store, deliver(store, "one", [("d-a", document(A, navn=[navn("Ada")]))]))
        changed = (A, document(A, navn=[navn("Adele")], day=5))
        build_release(store, deliver_events(store, 100, 200, [changed]))
        yield proxy


@dataclass
class AtWork:
    """How many threads are at a piece of work; whoever does it enters."""

    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.now -= 1


def fresh(proxy: Between) -> S3Store:
    """The store, as somebody sees it who remembers nothing of it."""
    return S3Store(LOCATION, endpoint=proxy.address)


def files_of(manifest: Manifest) -> list[tuple[str, TableFile]]:
    return [(file.key, file) for file in manifest.files()]


def asked(proxy: Between) -> set[tuple[str, str]]:
    return {(method, path.rpartition("prefix/")[2]) for method, path in proxy.requests}


def test_small_files_are_looked_at_as_a_whole_and_then_known(
    proxy: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "SECONDS", math.inf)
    store = fresh(proxy)
    files = files_of(require_current(store))
    proxy.requests.clear()
    require_whole(store, files)
    assert asked(proxy) == {("GET", key) for key, _ in files}
    proxy.requests.clear()
    for key, file in files:
        with open_whole(store, key, file) as opened:
            assert opened.size() == file.bytes
    assert proxy.requests == []


def test_what_was_remembered_is_looked_at_where_it_lies(proxy: Between) -> None:
    store = fresh(proxy)
    files = files_of(require_current(store))
    key, _ = files[len(files) // 2]
    content = store.read(key)
    require_whole(store, files)
    other = fresh(proxy)
    other.replace(key, content[:-9] + b"?" + content[-8:])
    with pytest.raises(DamagedError, match=key):
        require_whole(store, files)
    other.delete(key)
    with pytest.raises(DamagedError, match=f"{key}.* gone"):
        require_whole(store, files)
    other.write(key, content)
    require_whole(store, files)


def test_a_compaction_fetches_files_without_asking_for_their_sizes(proxy: Between) -> None:
    store = fresh(proxy)
    files = {key for key, _ in files_of(require_current(store))}
    compaction = begin_compaction(store)
    assert compaction is not None
    proxy.requests.clear()
    compact(store, compaction, lambda _: None)
    read = [(method, key) for method, key in asked(proxy) if key in files]
    assert {method for method, _ in read} == {"GET"}
    assert len(read) > len(files) // 2


@pytest.mark.parametrize("is_far", [True, False])
def test_no_more_are_made_at_once_than_there_is_a_gain_in(
    proxy: Between, tmp_path: Path, is_far: bool
) -> None:
    store: Store = fresh(proxy) if is_far else local_store(tmp_path)
    making = AtWork()
    fetched: list[int] = []
    unready: list[int] = []

    def make(name: int) -> int | None:
        with making:
            if is_far and name not in fetched:
                unready.append(name)
            time.sleep(0.01)
        return name if name % 3 else None

    made = side_by_side(
        store, {name: name % 7 for name in range(40)}, make, lambda name, one: -one, fetched.append
    )
    assert made == {name: -name for name in range(40) if name % 3}
    assert list(made) == sorted(made)
    assert making.most <= room.AT_ONCE
    assert unready == []
    assert sorted(fetched) == (list(range(40)) if is_far else [])


def test_here_no_more_is_at_work_than_makes_tables_whatever_it_is_at(tmp_path: Path) -> None:
    """To keep a file is work, too, where nobody is waited for: each that is at it holds memory."""
    at_work = AtWork()

    def work(name: int, *_: object) -> int:
        with at_work:
            time.sleep(0.005)
        return name

    made = side_by_side(local_store(tmp_path), dict.fromkeys(range(30), 1), work, work)
    assert len(made) == 30
    assert at_work.most <= room.AT_ONCE


def test_what_fails_is_raised_whether_fetched_made_or_kept(proxy: Between) -> None:
    store = fresh(proxy)

    def no(name: int, *_: object) -> int:
        raise ValueError(name)

    sizes = dict.fromkeys(range(30), 1)
    with pytest.raises(ValueError, match=r"^0$"):
        side_by_side(store, sizes, no, lambda _, one: one)
    with pytest.raises(ValueError, match=r"^0$"):
        side_by_side(store, sizes, lambda name: name, no)
    made = side_by_side(store, sizes, lambda name: name, lambda _, one: one, no)  # type: ignore[arg-type]
    assert len(made) == 30
