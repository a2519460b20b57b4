"""What a sync and a sensor's tick cost follows what is open, not what was ever made.

So neither lists a folder that grows with each release. (How much they ask for after very many
syncs is measured by ``benchmarks/many_syncs.py``.)
"""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from freg_pipeline.course import collect
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.names import UNPREFIXED
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.shown import recorded
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.sensed import sensed

GROWING = {"", "uttrekk/", "releases/", "deltas/", "bases/", "answers/"}


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is listed of a store."""
    prefixes: list[str] = []
    found = LocalStore.list

    def noted(self: LocalStore, prefix: str) -> list[str]:
        prefixes.append(prefix)
        return found(self, prefix)

    monkeypatch.setattr(LocalStore, "list", noted)
    return prefixes


def test_neither_a_sync_nor_a_tick_lists_what_is_finished(
    start_register: StartRegister, make_settings: Callable[..., Settings], listed: list[str]
) -> None:
    url = start_register(persons=40)
    settings = make_settings(url)
    full_load(settings)
    happen(url, 10)
    listed.clear()
    freg = Freg.from_settings(settings)
    slice_ = freg.ask(
        lambda register: collect(freg.store, register, settings, lambda *_: lambda _: None)
    )
    assert slice_ is not None
    build_release(open_store(settings), slice_.uttrekk)
    assert listed, "the sync works by lists, of its own objects"
    assert GROWING.isdisjoint(listed)

    with dg.DagsterInstance.ephemeral() as instance:
        for made in recorded(instance, UNPREFIXED, freg.store, require_current(freg.store)):
            instance.report_runless_asset_event(made)
        listed.clear()
        for sensor in ("uttrekk_sensor", "hendelser_sensor"):
            sensed(sensor, freg, instance)
    assert listed == ["open/"]
