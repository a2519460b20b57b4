"""Releases that are there: verified, and purged; also when killed in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.releases import list_releases, read_manifest
from freg_pipeline.journal.stored_manifests import write_manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    copy_of,
    deliver,
    document,
    local_store,
    put_manifest,
)
from freg_pipeline_tests.unit.lake.kills import Dying, KilledError
from freg_pipeline_tests.unit.lake.released import A, names_in, released


@pytest.mark.parametrize("wrong", ["7", "000007", "../1", "", "one", "²"])
def test_a_release_that_is_not_there(three: LocalStore, wrong: str) -> None:
    for ask in (read_manifest, verify, purge):
        with pytest.raises(ConfigurationError, match="freg release list"):
            ask(three, wrong)


# -- verify ----------------------------------------------------------------------------------------


def _spoil_flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit flipped": (_spoil_flip, "content has changed"),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-1]), "bytes"),
    "made longer": (lambda path: path.write_bytes(path.read_bytes() + b"x"), "bytes"),
    "removed": (lambda path: path.unlink(), "gone"),
    "emptied": (lambda path: path.write_bytes(b""), "bytes"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_verify_names_the_file_that_is_not_as_it_was_written(case: str, three: LocalStore) -> None:
    spoil, said = SPOILT[case]
    key = "bases/three/navn/0000.parquet"
    spoil(Path(three.path(key)))
    (problem,) = verify(three)
    assert problem.startswith(key)
    assert said in problem
    assert verify(three, "3") == [problem]
    assert verify(three, "1") == []


def test_verify_counts_rows_too(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    manifest = released(store)
    navn_entry = manifest.tables["navn"]
    wrong = msgspec.structs.replace(navn_entry.files[0], rows=7)
    tables = {**manifest.tables, "navn": msgspec.structs.replace(navn_entry, files=(wrong,))}
    put_manifest(store, msgspec.structs.replace(manifest, tables=tables))
    assert verify(store) == [f"{wrong.key}: it has 2 rows, and was written with 7"]


# -- purge -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with three releases; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    for label in ("one", "two", "three"):
        released(store, label, label=label)
    return store


@pytest.fixture
def three(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


def bases(store: Store) -> set[str]:
    return {key.split("/")[1] for key in store.list("bases/")}


def test_purging_a_release_removes_its_files_and_only_those(three: LocalStore) -> None:
    assert purge(three, "2") == ["000002"]
    assert [one.number for one in list_releases(three)] == ["000001", "000003"]
    assert bases(three) == {"one", "three"}
    assert verify(three) == verify(three, "1") == []
    assert names_in(three) == ["three"]
    with pytest.raises(ConfigurationError, match="no release"):
        purge(three, "2")


def test_the_current_release_is_never_purged(three: LocalStore) -> None:
    for number_given in ("3", "000003"):
        with pytest.raises(ConfigurationError, match="current"):
            purge(three, number_given)
    assert purge(three, keep=1) == ["000001", "000002"]
    assert purge(three, keep=1) == []
    assert bases(three) == {"three"}
    assert names_in(three) == ["three"]


def test_the_current_release_is_kept_while_a_newer_one_is_being_published(
    three: LocalStore,
) -> None:
    newer = msgspec.structs.replace(read_manifest(three, "3"), number="000004", uttrekk="four")
    write_manifest(three, newer)
    assert purge(three, keep=1) == ["000001", "000002"]
    assert names_in(three) == ["three"]


HOUR = timedelta(hours=1)


def at(store: LocalStore, *created: datetime) -> None:
    """Have the releases been published at these times, as their machines' clocks said."""
    for number_given, moment in enumerate(created, 1):
        manifest = read_manifest(store, str(number_given))
        put_manifest(store, msgspec.structs.replace(manifest, created=moment))


def test_keeping_so_many_asks_no_clock(three: LocalStore) -> None:
    ahead = datetime.now(UTC) + HOUR
    at(three, ahead, ahead, ahead)
    assert purge(three, keep=1) == ["000001", "000002"]


@pytest.mark.parametrize(
    ("ages", "gone"),
    [
        ((72, 60, 1), ["000001", "000002"]),  # in hours
        ((72, 1, 0), ["000001"]),
        ((72, -1, 0), ["000001"]),  # a clock that is ahead: published before what follows
        ((72, -1, 60), ["000001", "000002"]),
        ((72, 1, 73), ["000001"]),  # one that was behind makes nothing older than what it followed
        ((1, 72, 72), []),
    ],
)
def test_no_clock_has_a_release_removed_too_early(
    three: LocalStore, ages: tuple[int, ...], gone: list[str]
) -> None:
    at(three, *(datetime.now(UTC) - hours * HOUR for hours in ages))
    assert purge(three, keep=1, older_than_days=2) == gone
    assert names_in(three) == ["three"]


def test_keep_more_than_there_are_keeps_all(three: LocalStore) -> None:
    assert purge(three, keep=5) == []
    assert bases(three) == {"one", "two", "three"}


@pytest.mark.parametrize("after", [True, False])
def test_a_killed_purge_is_finished_by_the_next(three: LocalStore, after: bool) -> None:
    kill = 0
    while True:
        dying: Any = Dying(three, kill, after)
        try:
            purge(dying, keep=1)
        except KilledError:
            assert verify(three) == []
            for manifest in list_releases(three):
                assert verify(three, manifest.number) == [], "a release that is listed is whole"
            kill += 3
            continue
        break
    assert kill
    assert bases(three) == {"three"}


def test_a_killed_purge_of_one_release_can_be_asked_for_again(three: LocalStore) -> None:
    dying: Any = Dying(three, 2, after=True)
    with pytest.raises(KilledError):
        purge(dying, "1")
    assert "one" in bases(three)
    assert purge(three, "1") == ["000001"]
    assert bases(three) == {"two", "three"}


def test_purge_leaves_what_is_being_built_alone(three: LocalStore) -> None:
    deliver(three, "four", [("d", document(A))])
    dying: Any = Dying(three, 6, after=True)
    with pytest.raises(KilledError):
        build_release(dying, Uttrekk(dying, "four"))
    left = three.list("bases/four/")
    assert left
    purge(three, keep=1)
    assert three.list("bases/four/") == left


def test_an_uttrekk_whose_release_was_purged_says_so(three: LocalStore) -> None:
    purge(three, "1")
    with pytest.raises(ConfigurationError, match="purged"):
        build_release(three, Uttrekk(three, "one"))


def test_numbers_of_purged_releases_are_not_given_again(three: LocalStore) -> None:
    purge(three, keep=1)
    assert released(three, "four", label="four").number == "000004"
