"""What the asset ``release`` shows, in which order, and when pictures are drawn anew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from msgspec.structs import replace

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.measures import Measures
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration import release_page
from freg_pipeline.orchestration.release_page import release_metadata
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import copy_of, deliver_events, local_store, number
from freg_pipeline_tests.unit.report.made import XSD, person, released

PICTURES = ["persons_by_age_and_sex", "persons_by_kommune"]
SHOWN_AT_ONCE = 1_000  # characters: Dagster's page hides longer Markdown behind a link


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A full load of 30 persons."""
    store = local_store(tmp_path_factory.mktemp("made"))
    released(store, [person(place) for place in range(30)])
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


def synced(store: LocalStore, hours: float) -> Manifest:
    """What a sync of 20 persons more makes of it, so many hours later."""
    full = require_current(store)
    more = [(number(place), person(place)[1]) for place in range(100, 120)]
    sync = build_release(store, deliver_events(store, 100, 200, more, xsd=XSD))
    return replace(sync, created=full.created + timedelta(hours=hours))


def told(store: LocalStore, manifest: Manifest, before: Any = None) -> dict[str, Any]:
    return release_metadata(store, manifest, before)


def pictures(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name.startswith("persons_")}


def test_accounting_comes_first_then_who_it_holds_then_what_it_took(made: LocalStore) -> None:
    measures = Measures(look_ups=3, latency_p50=0.2, seconds={"order": 1.0, "look_ups": 2.5})
    shown = told(made, replace(require_current(made), measures=measures))
    names = list(shown)
    assert names[:4] == ["accounting", *PICTURES, "persons_drawn"]
    assert "|landed|30|" in shown["accounting"].value.splitlines()
    took = ["look_ups", "latency_p50", "bytes", "retries", "seconds/order", "seconds/look_ups"]
    assert [name for name in names if name in took] == took
    assert shown["seconds/look_ups"] == dg.MetadataValue.float(2.5)
    assert "latency_p95" not in names, "nothing is told of what isn't known"
    markdown = [one.value for one in shown.values() if isinstance(one, dg.MarkdownMetadataValue)]
    assert len(markdown) == 3
    assert all(len(text) < SHOWN_AT_ONCE for text in markdown)


def test_a_sync_carries_pictures_along(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = told(store, require_current(store))
    sync = synced(store, hours=23)

    def looked(*arguments: object) -> None:
        pytest.fail("a sync looked at all persons")

    monkeypatch.setattr(release_page, "small_pictures", looked)
    assert pictures(told(store, sync, before)) == pictures(before)
    assert told(store, sync, before)["landed"] == dg.MetadataValue.int(20)


def test_pictures_are_drawn_anew_after_a_day(store: LocalStore) -> None:
    before = told(store, require_current(store))
    sync = synced(store, hours=25)
    after = told(store, sync, before)
    assert after["persons_drawn"].value == sync.created.timestamp()
    assert "|0301|50|" in after["persons_by_kommune"].value
    assert list(pictures(after)) == [*PICTURES, "persons_by_release", "persons_drawn"]


def test_a_new_base_is_drawn_whenever_it_is_made(store: LocalStore) -> None:
    before = told(store, require_current(store))
    synced(store, hours=0)
    compaction = begin_compaction(store)
    assert compaction is not None
    manifest = compact(store, compaction, lambda more: None)
    assert "|0301|50|" in told(store, manifest, before)["persons_by_kommune"].value


def test_a_release_that_cannot_be_drawn_is_told_of_all_the_same(
    store: LocalStore, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = require_current(store)
    for file in manifest.tables["person_naa"].files:
        store.delete(file.key)
    shown = told(store, manifest)
    assert [name for name in shown if name.startswith("persons_")] == ["persons_drawn"]
    assert "without pictures" in caplog.text
    assert shown["landed"] == dg.MetadataValue.int(30)
