"""Objects in a folder: written once and whole, private to their owner."""

from __future__ import annotations

import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freg_pipeline.errors import ObjectMissingError, StoreError
from freg_pipeline.store.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "deep" / "store")


def test_an_object_is_written_once(store: LocalStore) -> None:
    assert store.write("a/b", b"first")
    assert not store.write("a/b", b"second")
    assert store.read("a/b") == b"first"
    assert store.exists("a/b")
    assert not store.exists("a")


def test_of_many_writers_one_wins(store: LocalStore) -> None:
    won: list[int] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        if store.write("one", bytes([number])):
            won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("one") == bytes(won)


def test_replace_swaps(store: LocalStore) -> None:
    store.replace("pointer", b"1")
    store.replace("pointer", b"2")
    assert store.read("pointer") == b"2"


def test_a_file_is_put_once_and_gone_from_where_it_was(store: LocalStore) -> None:
    with store.scratch() as folder:
        (folder / "x").write_bytes(b"1")
        assert store.put_file("k/x", folder / "x")
        (folder / "y").write_bytes(b"2")
        assert not store.put_file("k/x", folder / "y")
        assert not list(folder.iterdir())
    assert store.read("k/x") == b"1"
    assert not folder.exists()


def test_a_file_from_another_place_is_put_too(store: LocalStore, tmp_path: Path) -> None:
    source = tmp_path / "elsewhere"
    source.write_bytes(b"1")
    assert store.put_file("k", source)
    assert store.read("k") == b"1"


def test_listing_is_sorted_whole_and_without_what_is_under_construction(store: LocalStore) -> None:
    for key in ("b/2", "b/1", "a", "bc/3"):
        store.write(key, b"")
    with store.scratch() as folder:
        (folder / "half").write_bytes(b"")
        assert store.list("") == ["a", "b/1", "b/2", "bc/3"]
    assert store.list("b/") == ["b/1", "b/2"]
    assert store.list("b") == ["b/1", "b/2", "bc/3"]
    assert store.list("nothing/") == []


def test_deleting_is_safe_to_repeat(store: LocalStore) -> None:
    store.write("a", b"")
    store.delete("a")
    store.delete("a")
    with pytest.raises(ObjectMissingError):
        store.read("a")


def test_deleting_leaves_no_empty_folders(store: LocalStore) -> None:
    for key in ("a/b/c/1", "a/b/c/2", "a/d"):
        store.write(key, b"")
    store.delete("a/b/c/1")
    assert store.list("a/b/") == ["a/b/c/2"]
    store.delete("a/b/c/2")
    assert sorted(path.name for path in Path(store.path("a")).iterdir()) == ["d"]
    store.delete("a/d")
    assert Path(store.location).is_dir()
    assert not Path(store.path("a")).exists()


def test_a_folder_that_goes_while_it_is_written_into_is_made_again(store: LocalStore) -> None:
    ended = threading.Event()

    def tidy() -> None:
        while not ended.is_set():
            store.delete("a/b/other")

    with ThreadPoolExecutor() as threads:
        threads.submit(tidy)
        try:
            for number in range(200):
                assert store.write(f"a/b/{number % 2}", b"x")
                store.delete(f"a/b/{number % 2}")
        finally:
            ended.set()


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_uses_is_not(
    store: LocalStore,
) -> None:
    long_ago = time.time() - 3_600
    with store.scratch() as used:
        left = used.with_name("left-by-the-dead")
        left.mkdir()
        (left / "half").write_bytes(b"")
        new = used.with_name("just-being-made")
        new.mkdir()
        for folder in (used, left):
            os.utime(folder, (long_ago, long_ago))
        with store.scratch():
            assert used.exists()
            assert new.exists()
            assert not left.exists()


def test_files_and_folders_are_private(store: LocalStore) -> None:
    store.write("a/b", b"")
    with store.scratch() as folder:
        (folder / "x").write_bytes(b"")
        store.put_file("a/c", folder / "x")
    root = Path(store.location)
    assert {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in [root, root / "a"]} == {0o700}


def test_a_folder_that_is_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="FREG_STORE"):
        LocalStore(tmp_path / "file").write("a", b"")


def test_a_store_that_is_a_file_holds_not_nothing_but_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = LocalStore(tmp_path / "file")
    for look in (store.list, store.folders):
        with pytest.raises(StoreError, match="can't be read: Not a directory"):
            look("uttrekk/")
    assert LocalStore(tmp_path / "nowhere").list("uttrekk/") == []
    assert LocalStore(tmp_path / "nowhere").folders("uttrekk/") == []


def test_names_of_new_folders_outlast_a_loss_of_power(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder's name is on the disk once the folder that holds it was synced after it was made."""
    names_on_disk: dict[int, set[str]] = {}
    fsync = os.fsync

    def seen(handle: int) -> None:
        fsync(handle)
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            names_on_disk[os.fstat(handle).st_ino] = set(os.listdir(handle))

    monkeypatch.setattr(os, "fsync", seen)
    root = Path(store.location)

    def require_on_disk(path: Path) -> None:
        while path != root.parent.parent:
            assert path.name in names_on_disk.get(path.parent.stat().st_ino, set()), path
            path = path.parent

    store.write("a/b/one", b"")
    require_on_disk(root / "a" / "b" / "one")
    with store.scratch() as folder:
        (folder / "x").write_bytes(b"")
        store.put_file("c/d/x", folder / "x")
    require_on_disk(root / "c" / "d" / "x")
    store.delete("a/b/one")
    store.write("a/b/two", b"")
    require_on_disk(root / "a" / "b" / "two")

    (root / "e" / "f").mkdir(parents=True)  # by another process, which was killed at once
    store.replace("e/f/pointer", b"")
    require_on_disk(root / "e" / "f" / "pointer")


def test_folders_right_under_a_folder(store: LocalStore) -> None:
    assert store.folders("a/") == []
    for key in ("a/c/1", "a/b/2/3", "a/4", "ab/5"):
        store.write(key, b"")
    assert store.folders("a/") == ["b", "c"]
    assert store.folders("") == ["a", "ab"]
