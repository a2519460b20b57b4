"""The sync as Dagster runs it, against a register that never rests."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import msgspec
from dagster._serdes import serialize_value

from freg_pipeline.journal.pointer import point_to_newest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.stored_manifests import write_manifest
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.feed import hendelser_checks
from freg_pipeline.orchestration.names import UNPREFIXED
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run_feed import syncing
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import happen

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


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


def test_a_run_tells_counts_and_its_checks_pass(
    start_register: StartRegister, make_freg: Callable[..., Freg]
) -> None:
    url = start_register(persons=100)
    freg = make_freg(url)
    full_load(freg.settings)
    last = happen(url, 30)
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            make_definitions(freg)
            .resolve_job_def("sync_hendelser")
            .execute_in_process(QUIET, instance=instance)
        )
        recorded = sum(len(serialize_value(event)) for event in instance.all_logs(result.run_id))
    assert recorded < 150_000, "each sync adds this to Dagster's records"
    found = result.asset_materializations_for_node("hendelser")
    by_asset = {one.asset_key.to_user_string(): one for one in found}
    made = by_asset.pop("hendelser")
    assert {"freg/person", "freg/hendelse", "freg/flytting"} <= set(by_asset), "and tables"
    of_tables = {name for name in by_asset if name.startswith("freg/")}
    assert set(by_asset) - of_tables == {"release", "duckdb_katalog"}
    told = {name: value.value for name, value in made.metadata.items()}
    assert told["sekvensnummer"] == last
    assert told["releases"] == 1
    assert told["events"] >= 30
    assert 0 < told["persons"] <= told["events"]
    assert told["bytes"] > 0
    assert (told["events_behind"], told["minutes_behind"]) == (0, 0.0)
    checks = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    after = ("position_moved", "counts_explained", "not_behind")
    assert checks == dict.fromkeys(("publishable", *after), True)


def test_the_checks_tell_what_is_wrong(
    start_register: StartRegister, make_freg: Callable[..., Freg]
) -> None:
    url = start_register(persons=100)
    freg = make_freg(url)
    full_load(freg.settings)
    happen(url, 30)
    with syncing(freg) as syncs:
        manifest = syncs.once().manifest
    happen(url, 5)
    store = freg.store
    wrong = msgspec.structs.replace(
        manifest, number="000003", sekvensnummer=manifest.sekvensnummer - 1
    )
    assert write_manifest(store, wrong)
    point_to_newest(store)
    context = dg.build_asset_check_context({"freg": freg})
    found = {one.check_name: one.passed for one in hendelser_checks(UNPREFIXED)(context)}
    assert found["position_moved"] is False
    assert found["not_behind"] is False
