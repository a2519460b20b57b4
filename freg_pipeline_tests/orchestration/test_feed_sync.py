"""The sync as Dagster runs it, against a register that never rests."""

from __future__ import annotations

from collections.abc import Callable

from freg_pipeline.lake.manifest import require_current
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run_feed import syncing
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import happen


def test_a_sync_ends_although_events_go_on_coming(
    start_register: StartRegister, make_freg: Callable[..., Freg]
) -> None:
    url = start_register(persons=100, events_per_minute=6_000)  # some for each step of a sync
    freg = make_freg(url)
    full_load(freg.settings)
    before = happen(url, 20)
    with syncing(freg) as syncs:
        synced = syncs.once()
    assert synced.releases == 1
    assert require_current(freg.store).sekvensnummer >= before
    assert synced.events_behind > 0, "what came meanwhile is for the next sync"
