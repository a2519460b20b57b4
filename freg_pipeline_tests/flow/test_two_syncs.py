"""Two syncs of one store at the same time: who is behind goes on from where the other is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from freg_pipeline.feed import begin, expand
from freg_pipeline.feed.standstill import opening
from freg_pipeline.feed.sync import drop_staging
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk, open_names
from freg_pipeline.lake.query import query
from freg_pipeline.orchestration import feed
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run_feed import Synced, syncing
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, open_store
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen


@pytest.fixture
def loaded(start_register: StartRegister, make_settings: Callable[..., Settings]) -> Settings:
    """A store with a release, and a register that has gone on."""
    settings = make_settings(start_register(persons=60))
    full_load(settings)
    happen(settings.base_url, 12)
    return settings


def once(settings: Settings) -> Synced:
    with opening(settings) as opened, syncing(Freg.of(opened)) as syncs:
        return syncs.once()


def other(settings: Settings) -> None:
    """Another process syncs to the end, and as more happens, again."""
    store = open_store(settings)
    sync(settings)
    before = require_current(store).uttrekk
    happen(settings.base_url, 12)
    sync(settings)
    drop_staging(Uttrekk(store, before))


def first_time(then: Callable[[], object], work: Callable[..., Any]) -> Callable[..., Any]:
    """A function, before whose first call something else happens, elsewhere."""
    calls: list[None] = []

    def called(*given: Any, **named: Any) -> Any:
        calls.append(None)
        if len(calls) == 1:
            with ThreadPoolExecutor(1) as thread:
                thread.submit(then).result()
        return work(*given, **named)

    return called


def at_first(stale: Manifest) -> Callable[[Store], Manifest]:
    """What looks the current release up, and sees an earlier one the first time."""
    seen = iter([stale])
    return lambda store: next(seen, None) or require_current(store)


def require_whole(settings: Settings) -> None:
    """See that every event is in the release once, and that nothing is left open."""
    store = open_store(settings)
    release = require_current(store)
    total = "SELECT count(*), count(DISTINCT sekvensnummer), max(sekvensnummer) FROM hendelse"
    (counts,) = query(store, total).fetchall()
    events = sum(delta.events for delta in release.deltas)
    assert counts == (events, events, release.sekvensnummer)
    assert open_names(store) == []


def test_one_whose_staging_the_other_has_removed_goes_on(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaken = first_time(lambda: other(loaded), expand.write_second_tries)
    monkeypatch.setattr(expand, "write_second_tries", overtaken)
    synced = once(loaded)
    assert synced.manifest == require_current(open_store(loaded))
    require_whole(loaded)


def test_one_that_has_read_more_than_the_other_goes_on_from_there(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began before the other one published, and read the list after more had happened."""
    stale = require_current(open_store(loaded))
    sync(loaded)
    happen(loaded.base_url, 12)
    releases = iter([stale])
    monkeypatch.setattr(
        begin, "require_current", lambda store: next(releases, None) or require_current(store)
    )
    first = iter([stale])
    monkeypatch.setattr(
        feed, "require_current", lambda store: next(first, None) or require_current(store)
    )
    synced = once(loaded)
    assert synced.events >= 12
    assert synced.events_behind == 0
    require_whole(loaded)


def test_checks_of_a_release_that_the_other_has_replaced_find_nothing_wrong(
    loaded: Settings,
) -> None:
    store = open_store(loaded)
    sync(loaded)
    stale = require_current(store)
    drop_staging(Uttrekk(store, stale.uttrekk))
    assert [one.passed for one in feed._against_its_sync(store, stale)] == [True, True]
