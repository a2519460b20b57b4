"""The sensor that tells people of trouble: over real HTTP, once for each trouble."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.names import UNPREFIXED, Names
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.store import write_record
from freg_pipeline_tests.receivers import Webhook, webhook
from freg_pipeline_tests.recorded_runs import failed, succeeded
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.unit.lake.delivered import deliver, document, number

SECRET = "T0ken-that-nobody-may-see"
MakeFreg = Callable[..., Freg]


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as made:
        yield made


class Ticks:
    """The sensor's ticks, each with the cursor that the last one left."""

    def __init__(self, freg: Freg, instance: DagsterInstance, names: Names = UNPREFIXED) -> None:
        self.freg, self.instance, self.names = freg, instance, names
        self.cursor: str | None = None

    def __call__(self) -> dg.SensorResult | dg.SkipReason:
        told = sensed(
            "alert_sensor", self.freg, self.instance, cursor=self.cursor, names=self.names
        )
        if isinstance(told, dg.SensorResult):
            assert not told.run_requests
            self.cursor = told.cursor
        return told


@pytest.fixture
def make_ticks(
    make_freg: MakeFreg, instance: DagsterInstance, hook: Webhook
) -> Callable[..., Ticks]:
    """Ticks for a store with a release, and one receiver; nothing is late unless that is set."""

    def make(names: Names = UNPREFIXED, **settings: object) -> Ticks:
        told = {
            "alerts": f"json://127.0.0.1:{hook.port}/{SECRET}",
            "late_sync_hours": 0,
            "late_full_load_days": 0,
            **settings,
        }
        freg = make_freg("http://127.0.0.1:1", **told)
        uttrekk = deliver(freg.store, "done", [("d1", document(number(1)))])
        build_release(freg.store, uttrekk)
        return Ticks(freg, instance, names)

    return make


def test_a_job_that_fails_again_and_again_is_one_message_and_one_when_it_is_over(
    make_ticks: Callable[..., Ticks], hook: Webhook, instance: DagsterInstance
) -> None:
    tick = make_ticks(dagster_url="https://dagster.example.no/")
    tick()
    assert hook.got == [], "nothing is wrong"
    run = failed(instance, "sync_hendelser")
    tick()
    (line,) = hook.lines
    assert line.startswith("sync_hendelser failed: its process was lost, or it never began (since ")
    assert line.endswith(f" https://dagster.example.no/runs/{run.run_id}")
    for _ in range(3):
        failed(instance, "sync_hendelser")
        tick()
    assert len(hook.lines) == 1
    succeeded(instance, "sync_hendelser")
    tick()
    tick()
    assert len(hook.lines) == 2
    assert hook.lines[1].startswith("Over: sync_hendelser failed")
    assert hook.lines[1].endswith("4 times)")
    assert [one["type"] for one in hook.got] == ["warning", "success"]
    assert hook.got[0]["title"] == "Folkeregisteret (syntetisk): trouble"


def test_a_full_load_whose_batches_all_fail_is_one_line(
    make_ticks: Callable[..., Ticks], hook: Webhook, instance: DagsterInstance
) -> None:
    tick = make_ticks()
    for batch in range(40):
        failed(instance, "land_batch", f"one/{batch:06d}")
    tick()
    (line,) = hook.lines
    assert line.startswith("land_batch of one failed for 40 partitions: ")
    assert tick.cursor is not None
    assert len(tick.cursor) < 10_000


def test_what_a_receiver_does_not_take_waits_for_it_and_nobody_else_gets_it_twice(
    make_ticks: Callable[..., Ticks],
    hook: Webhook,
    instance: DagsterInstance,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with webhook() as other:
        addresses = (hook.port, other.port)
        tick = make_ticks(alerts=" ".join(f"json://127.0.0.1:{one}/{SECRET}" for one in addresses))
        other.status = 503
        failed(instance, "purge")
        tick()
        assert (len(hook.lines), other.lines) == (1, [])
        failed(instance, "compact_piece", "x/0000")
        tick()
        assert (len(hook.lines), other.lines) == (2, [])
        other.status = 200
        tick()
        tick()
        assert other.lines == hook.lines
    assert SECRET not in caplog.text
    assert SECRET not in (tick.cursor or "")


def test_an_uttrekk_that_waits_and_a_release_that_is_late_are_told_until_they_are_not(
    make_ticks: Callable[..., Ticks], hook: Webhook
) -> None:
    tick = make_ticks(late_full_load_days=1)
    silent = deliver(tick.freg.store, "silent")
    tick.freg.store.delete(silent.end_key)
    write_record(silent.store, silent.order_key(1, "sent"), {})
    write_record(silent.store, silent.order_key(1, "answer"), {"jobbId": "job-1"})
    tick()
    tick()
    waits, late = sorted(hook.lines, reverse=True)
    assert waits.startswith("the uttrekk silent has waited for its first batch for longer than")
    assert "the last full load, done, is older than 1 days" in late
    silent.abandon()
    tick()
    assert hook.lines[2:] == [f"Over: {waits.split('. Ask')[0]}"]


def test_a_check_that_fails_is_told_and_a_warning_only_to_those_who_want_it(
    make_ticks: Callable[..., Ticks], hook: Webhook, instance: DagsterInstance
) -> None:
    release = dg.AssetKey("release")
    for name, severity in (
        ("in_order", dg.AssetCheckSeverity.ERROR),
        ("spot_check", dg.AssetCheckSeverity.WARN),
    ):
        made = dg.AssetCheckEvaluation(release, name, passed=False, severity=severity)
        instance.report_runless_asset_event(made)
    make_ticks(alert_on="failures,checks")()
    assert hook.lines == [], "what lists all trouble is none of its own, and the other one warns"
    make_ticks(alert_on="failures,checks,warnings")()
    (line,) = hook.lines
    assert line.startswith("the check spot_check of release failed")


def test_a_store_that_cannot_be_read_is_told_and_does_not_end_what_was_wrong_in_it(
    make_ticks: Callable[..., Ticks], hook: Webhook
) -> None:
    tick = make_ticks(late_full_load_days=1)
    tick()
    assert len(hook.lines) == 1
    lies = Path(tick.freg.store.location)
    manifest = next(lies.glob("releases/*/manifest.json"))
    before = manifest.read_bytes()
    manifest.write_bytes(b"nonsense")
    tick()
    assert len(hook.lines) == 2
    assert hook.lines[1].startswith("the store can't be read: ")
    manifest.write_bytes(before)
    tick()
    assert len(hook.lines) == 3
    assert hook.lines[2].startswith("Over: the store can't be read")


def test_without_anybody_to_tell_it_says_so_and_is_off(
    make_freg: MakeFreg, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    freg = make_freg("http://127.0.0.1:1")
    assert isinstance(Ticks(freg, instance)(), dg.SkipReason)
    for settings, status in (
        ({}, dg.DefaultSensorStatus.STOPPED),
        ({"alerts": "json://127.0.0.1/x"}, dg.DefaultSensorStatus.RUNNING),
    ):
        made = make_definitions(Freg(settings)).resolve_sensor_def("alert_sensor")
        assert made.default_status is status
    wrong = make_definitions(Freg({"concurrency": 0})).resolve_sensor_def("alert_sensor")
    assert wrong.default_status is dg.DefaultSensorStatus.STOPPED, "the code location loads"


def test_the_jobs_of_another_store_in_the_deployment_are_not_ours(
    make_ticks: Callable[..., Ticks], hook: Webhook, instance: DagsterInstance
) -> None:
    tick = make_ticks(names=Names(("kommune",)))
    failed(instance, "purge")
    tick()
    assert hook.lines == []
    failed(instance, "kommune__purge")
    tick()
    (line,) = hook.lines
    assert line.startswith("kommune__purge failed: ")
    assert hook.got[0]["title"] == "Folkeregisteret (kommune, syntetisk): trouble"


def test_a_cursor_of_another_version_is_begun_anew(
    make_ticks: Callable[..., Ticks], hook: Webhook, instance: DagsterInstance
) -> None:
    tick = make_ticks()
    tick.cursor = json.dumps({"looked": "once upon a time"})
    failed(instance, "purge")
    tick()
    assert len(hook.lines) == 1
