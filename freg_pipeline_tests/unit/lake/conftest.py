"""A store for those who remove what is no longer needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    number,
)


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A full load of two persons, and two syncs of the first; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("synced"))
    one, other = number(0), number(1)
    documents = [("a", document(one)), ("b", document(other))]
    build_release(store, deliver(store, "one", documents, sekvensnummer=100))
    for etter in (100, 200):
        changed = (one, document(one, day=etter // 100))
        build_release(store, deliver_events(store, etter, etter + 100, [changed]))
    return store


@pytest.fixture
def copy_of_synced(synced: LocalStore, tmp_path: Path) -> LocalStore:
    """The same, to be changed."""
    return copy_of(synced, tmp_path)
