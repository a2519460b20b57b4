"""Small deltas become one: the same content, few files, and what a release repeats stays small."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from freg_pipeline.journal.pointer import manifest_key
from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.lake import merge
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.verify import verify
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.tables import miscounted
from freg_pipeline_tests.unit.lake.delivered import copy_of, local_store
from freg_pipeline_tests.unit.lake.test_lake_equality import (
    EXAMPLES,
    Register,
    content,
    load,
    run,
    step,
    sync,
)

APPENDED = ("avvik", "ukjent_felt", "hendelse", "hendelse_egenskap")
FEW = 4  # become one: what is merged is merged again before there are many


def everything(store: LocalStore) -> dict[str, list[Any]]:
    with connect(store, states=False) as connection:
        appended = {
            name: connection.sql(f"FROM {name} ORDER BY ALL").fetchall() for name in APPENDED
        }
    return {**content(store), **appended}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=3, max_size=8))
def test_merged_deltas_show_what_the_single_ones_show(steps: list[Any]) -> None:
    assume(sum(kind == "sync" for kind, *_ in steps) > 1)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        found = []
        for at_once in (2, 1_000):
            patch.setattr(merge, "AT_ONCE", at_once)
            store = local_store(Path(folder) / str(at_once))
            run(store, steps)
            assert verify(store) == []
            assert miscounted(store) == {}
            found.append(everything(store))
        assert found[0] == found[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A release, and 31 syncs that concern one person each. Not to be changed."""
    store = local_store(tmp_path_factory.mktemp("many"))
    register = Register()
    for index in range(3):
        register.change(index, [f"Person {index}"])
    position = load(store, register, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "AT_ONCE", FEW)
        for number in range(31):
            register.day = 1 + number % 28  # the list's order decides, not the day
            register.change(number % 3, [f"Navn {number}"])
            position = sync(store, register, position, by_document=True, kill=10_000, after=False)
    return store


@pytest.fixture
def many(made: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    monkeypatch.setattr(merge, "AT_ONCE", FEW)
    return copy_of(made, tmp_path)


def test_deltas_and_their_files_stay_few_and_a_release_repeats_little(many: LocalStore) -> None:
    current = require_current(many)
    assert sum(delta.syncs for delta in current.deltas) == 31
    assert [delta.syncs for delta in current.deltas] == [16, 4, 4, 4, 1, 1, 1]
    sizes = [len(many.read(manifest_key(one.number))) for one in list_releases(many)]
    assert max(sizes) < 2_000, "a manifest names folders, and repeats no files"
    with connect(many) as connection:
        shown = connection.sql("SELECT fornavn FROM navn ORDER BY ALL").fetchall()
    assert shown == [("Navn 28",), ("Navn 29",), ("Navn 30",)]


def test_a_compaction_under_way_keeps_the_position_that_it_needs(many: LocalStore) -> None:
    compaction = begin_compaction(many)
    assert compaction is not None
    register = Register()
    register.day = 28
    for index in range(3):
        register.change(index, [f"Siste {index}"])
    position = require_current(many).sekvensnummer
    for _ in range(12):  # enough for the deltas before and after it to become one
        register.touched = {0, 1, 2}
        position = sync(many, register, position, by_document=True, kill=10_000, after=False)
    assert compaction.continues(require_current(many))
    before = everything(many)
    published = compact(many, compaction, lambda _: None)
    assert published.base.sekvensnummer == compaction.sekvensnummer
    assert everything(many) == before
