"""A store whose release one sync has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.changes.differing import PEOPLE, A, load, named, sync
from freg_pipeline_tests.unit.lake.delivered import copy_of, local_store


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Everybody (000001, at 100), and A under another name (000002, at 200); not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    load(store, "one", [named(person, "Ola") for person in PEOPLE])
    sync(store, 100, named(A, "Ada", 2))
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)
