"""What a purge costs and what it leaves alone, while others publish and purge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from freg_pipeline.journal.kinds import Hendelser
from freg_pipeline.journal.pointer import manifest_key
from freg_pipeline.journal.releases import (
    current_release,
    list_releases,
    read_manifest,
    require_current,
)
from freg_pipeline.journal.stored_manifests import write_manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import deliver_events, document, number

A, B = number(0), number(1)
READS = ("read", "recall")


class Watched:
    """A store that does something before it is asked something; keeps what it was asked."""

    def __init__(self, inner: Store, before: Callable[[str, Any], None] | None = None) -> None:
        self.inner = inner
        self.asked: list[tuple[str, str]] = []
        self._before = before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        if not callable(method):
            return method

        def asking(key: str = "", *others: Any) -> Any:
            self.asked.append((name, key))
            if self._before is not None:
                self._before(name, key)
            return method(key, *others) if key or others else method()

        return asking


@pytest.fixture
def store(copy_of_synced: LocalStore) -> LocalStore:
    return copy_of_synced


def test_syncs_that_stay_cost_a_purge_nothing(store: LocalStore) -> None:
    """However many there are: their names tell that the base hasn't got what they brought."""
    like = Uttrekk(store, "hendelser-000000000100").request
    for etter in range(1000, 1050):
        name = f"hendelser-{etter:012d}"
        question = msgspec.structs.replace(like.question, kind=Hendelser(etter, "one"))
        Uttrekk.begin(store, msgspec.structs.replace(like, name=name, question=question))
    watched: Any = Watched(store)
    purge(watched, keep=1)
    of_syncs = [key for _, key in watched.asked if key.startswith("uttrekk/hendelser-")]
    assert of_syncs == []
    assert ("list", "uttrekk/") not in watched.asked
    assert len(store.folders("uttrekk/")) == 53


def test_files_that_stay_cost_a_purge_nothing(store: LocalStore) -> None:
    watched: Any = Watched(store)
    purge(watched, keep=9)
    assert [key for name, key in watched.asked if name == "list" and key != "releases/"] == [
        "pins/"
    ]


def test_a_release_that_is_published_while_a_purge_looks_keeps_its_files(
    store: LocalStore,
) -> None:
    uttrekk = deliver_events(store, 300, 400, [(B, document(B, day=9))])
    left = [uttrekk]

    def publish(asked: str, key: str) -> None:
        if asked == "folders" and key == "bases/" and left:
            build_release(store, left.pop())

    watched: Any = Watched(store, publish)
    purge(watched, keep=1)
    current = require_current(store)
    assert current.sekvensnummer == 400
    assert verify(store) == []
    assert verify(store, str(int(current.number) - 1)) == []


def test_two_purges_at_once_end_well(store: LocalStore) -> None:
    left = [1]

    def other(asked: str, key: str) -> None:
        if asked == "read" and key == manifest_key("000001") and left.pop():
            left.append(0)
            purge(store, keep=1)

    watched: Any = Watched(store, other)
    assert purge(watched, keep=1) == []
    assert [one.number for one in list_releases(store)] == ["000003"]
    assert verify(store) == []


def test_releases_purged_while_they_are_listed_are_left_out(store: LocalStore) -> None:
    left = [1]

    def other(asked: str, key: str) -> None:
        if asked in READS and key == manifest_key("000001") and left:
            left.pop()
            purge(store, keep=1)

    watched: Any = Watched(store, other)
    assert [one.number for one in list_releases(watched)] == ["000003"]


def test_a_release_is_read_as_it_was_written(store: LocalStore) -> None:
    current = current_release(store)
    assert current is not None
    other = msgspec.structs.replace(
        current,
        number="000009",
        parts_refused=("bostedsadresse",),
        contract_from="file",
        incomplete=True,
    )
    assert write_manifest(store, other)
    assert read_manifest(store, "9") == other


@pytest.mark.parametrize("days", [1e9, 1e300])
def test_ages_beyond_all_calendars_spare_everything(store: LocalStore, days: float) -> None:
    assert purge(store, keep=1, older_than_days=days) == []


def test_the_release_after_the_first_young_one_is_not_read_for_its_age(store: LocalStore) -> None:
    watched: Any = Watched(store)
    purge(watched, keep=1, older_than_days=1)
    read = [key for name, key in watched.asked if name in READS and key.startswith("releases/0")]
    assert read.count(manifest_key("000001")) == read.count(manifest_key("000002")) + 1
