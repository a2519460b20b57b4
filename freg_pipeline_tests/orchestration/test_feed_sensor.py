"""The sensor that keeps the release current: asks once a tick, requests what is due, no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import dagster as dg
import duckdb
import msgspec
import pytest
from dagster import DagsterInstance
from dagster._core.events import JobFailureData, RunFailureReason

from freg_pipeline.journal.pointer import point_to_newest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.stored_manifests import write_manifest
from freg_pipeline.lake.catalogue import catalogue_path
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration import feed_sensor
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.names import UNPREFIXED
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.shown import recorded
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.unit.feed.made import EventList, event
from freg_pipeline_tests.unit.lake.delivered import deliver, document, number

POSITION = 100
# Of a release whose events concern nobody.
RECORDED = [("freg/utgivelse", "000002"), ("release", "000002")]  # which is last
Tick = Callable[[], dg.SensorResult | dg.SkipReason]


@pytest.fixture
def feed() -> EventList:
    return EventList([event(POSITION)])


@pytest.fixture
def freg(
    feed: EventList, make_freg: Callable[..., Freg], instance: DagsterInstance
) -> Iterator[Freg]:
    """A release at position 100, and a register whose list ends there."""
    with feed.served() as url:
        freg = make_freg(url)
        uttrekk = deliver(freg.store, "one", [("d1", document(number(1)))], sekvensnummer=POSITION)
        manifest = build_release(freg.store, uttrekk)
        for made in recorded(instance, UNPREFIXED, freg.store, manifest):
            instance.report_runless_asset_event(made)
        yield freg


@pytest.fixture
def tick(freg: Freg, instance: DagsterInstance) -> Tick:
    cursor: list[str | None] = [None]

    def evaluate() -> dg.SensorResult | dg.SkipReason:
        result = sensed("hendelser_sensor", freg, instance, cursor=cursor[-1])
        if isinstance(result, dg.SensorResult) and result.cursor is not None:
            cursor.append(result.cursor)
        for made in result.asset_events if isinstance(result, dg.SensorResult) else ():
            assert isinstance(made, dg.AssetMaterialization | dg.AssetCheckEvaluation)
            instance.report_runless_asset_event(made)
        return result

    return evaluate


def requested(result: dg.SensorResult | dg.SkipReason) -> dg.RunRequest:
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or ()
    return request


FAILED = JobFailureData(error=None, failure_reason=RunFailureReason.STEP_FAILURE)


def ended(
    freg: Freg,
    instance: DagsterInstance,
    request: dg.RunRequest,
    status: dg.DagsterRunStatus,
    *,
    is_lost: bool = False,
) -> None:
    """Record a run of the request with that status; whether its process was lost."""
    job = make_definitions(freg).resolve_job_def("sync_hendelser")
    run = instance.create_run_for_job(job, tags=dict(request.tags), status=status)
    if status is dg.DagsterRunStatus.FAILURE:
        instance.report_run_failed(run, None, None if is_lost else FAILED)


def test_without_a_release_there_is_nothing_to_keep_current(
    instance: DagsterInstance, make_freg: Callable[..., Freg]
) -> None:
    freg = make_freg("http://127.0.0.1:1")
    assert isinstance(sensed("hendelser_sensor", freg, instance), dg.SkipReason)


def test_a_register_that_is_ahead_gets_a_run_each_time(tick: Tick, feed: EventList) -> None:
    feed.events.append(event(POSITION + 5))
    for _ in range(2):
        assert requested(tick()).run_key is None, "a key is remembered for ever"
    assert feed.asked == [], "one cheap call a tick, and no page of events"


def test_a_sync_that_is_under_way_is_not_joined_by_another(
    tick: Tick, feed: EventList, freg: Freg, instance: DagsterInstance
) -> None:
    feed.events.append(event(POSITION + 5))
    ended(freg, instance, requested(tick()), dg.DagsterRunStatus.STARTED)
    assert isinstance(tick(), dg.SkipReason)


def test_a_sync_that_failed_is_tried_again_later_and_later_and_never_given_up(
    tick: Tick,
    feed: EventList,
    freg: Freg,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed.events.append(event(POSITION + 5))
    pauses = []
    now = float(round(time.time()))  # Dagster's records round parts of a second
    monkeypatch.setattr(feed_sensor.time, "time", lambda: now)
    for _ in range(9):
        ended(freg, instance, requested(tick()), dg.DagsterRunStatus.FAILURE)
        pause = 0
        while isinstance(tick(), dg.SkipReason):
            pause += 1
            now += 60
        pauses.append(pause)
    assert pauses[:3] == [1, 2, 4]
    assert pauses[-1] == 60


def test_a_sync_that_loses_worker_after_worker_waits_for_a_person(
    tick: Tick,
    feed: EventList,
    freg: Freg,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed.events.append(event(POSITION + 5))
    ended(freg, instance, requested(tick()), dg.DagsterRunStatus.FAILURE, is_lost=True)
    first = requested(tick())  # at once: it may be the machine's fault
    monkeypatch.setattr(feed_sensor.time, "time", lambda: time.time_ns() / 1e9 + 86_400)
    for again in (first, requested(tick())):
        ended(freg, instance, again, dg.DagsterRunStatus.FAILURE, is_lost=True)
    told = tick()
    assert isinstance(told, dg.SkipReason)
    assert "more memory" in (told.skip_message or "")


def test_a_register_that_is_behind_the_release_is_told_once_and_asked_for_nothing(
    tick: Tick, feed: EventList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freg_pipeline.feed.position.FIRST_PAUSE", 0.01)
    feed.lasts = [POSITION - 40]
    told = tick()
    assert isinstance(told, dg.SensorResult)
    assert not told.run_requests
    (failed,) = told.asset_events
    assert isinstance(failed, dg.AssetCheckEvaluation)
    assert (failed.check_name, failed.passed) == ("not_behind", False)
    again = tick()
    for said in (told.skip_reason, again):
        assert isinstance(said, dg.SkipReason)
        assert "restored from a backup" in (said.skip_message or "")
    feed.lasts = []
    feed.events.append(event(POSITION + 5))
    assert requested(tick())


def test_a_number_that_only_others_may_see_is_asked_for_once(
    tick: Tick, feed: EventList, freg: Freg, instance: DagsterInstance
) -> None:
    feed.events.append(event(POSITION + 5))
    ended(freg, instance, requested(tick()), dg.DagsterRunStatus.SUCCESS)
    result = tick()
    assert not (isinstance(result, dg.SensorResult) and result.run_requests)
    feed.events.append(event(POSITION + 9))
    assert requested(tick())


def test_being_current_is_recorded_so_that_it_shows_but_not_at_every_tick(
    tick: Tick, instance: DagsterInstance
) -> None:
    assert isinstance(tick(), dg.SensorResult)
    made = instance.get_latest_materialization_event(dg.AssetKey("hendelser"))
    assert made is not None
    assert made.asset_materialization is not None
    assert made.asset_materialization.metadata["events_behind"].value == 0
    assert isinstance(tick(), dg.SkipReason)


def test_a_register_that_does_not_answer_is_no_failure_of_the_sensor(
    tick: Tick, freg: Freg, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = freg.settings.model_copy(update={"base_url": "http://127.0.0.1:1"})
    freg.settings = nobody
    monkeypatch.setattr("freg_pipeline.client.patience.FIRST_CONTACT_SECONDS", 0.0)
    assert isinstance(tick(), dg.SkipReason)


def published_beside(freg: Freg) -> None:
    """What a command leaves that is stopped before it writes the catalogue."""
    current = require_current(freg.store)
    assert write_manifest(freg.store, msgspec.structs.replace(current, number="000002"))
    point_to_newest(freg.store)


def shown(result: dg.SensorResult | dg.SkipReason) -> list[tuple[str, str]]:
    assert isinstance(result, dg.SensorResult)
    return [
        (one.asset_key.to_user_string(), (one.tags or {})["dagster/data_version"])
        for one in result.asset_events
        if isinstance(one, dg.AssetMaterialization) and one.asset_key != dg.AssetKey("hendelser")
    ]


def test_a_release_that_a_command_has_made_is_shown_by_the_next_tick(
    tick: Tick, freg: Freg
) -> None:
    assert isinstance(tick(), dg.SensorResult), "being current is recorded, once"
    published_beside(freg)
    table, itself = RECORDED
    assert shown(tick()) == [table, ("duckdb_katalog", "000002"), itself]
    with duckdb.connect(str(catalogue_path(freg.store)), read_only=True) as catalogue:
        assert catalogue.execute("SELECT nummer FROM utgivelse").fetchall() == [("000002",)]
    assert isinstance(tick(), dg.SkipReason)


def test_whoever_a_tables_record_requests_finds_that_release_in_the_catalogue(
    instance: DagsterInstance, freg: Freg
) -> None:
    published_beside(freg)
    record = recorded(instance, UNPREFIXED, freg.store, require_current(freg.store))
    assert next(record).asset_key == dg.AssetKey(["freg", "utgivelse"])
    with duckdb.connect(str(catalogue_path(freg.store)), read_only=True) as catalogue:
        assert catalogue.execute("SELECT nummer FROM utgivelse").fetchall() == [("000002",)]


def test_a_catalogue_that_cannot_be_written_does_not_hold_syncs_up(
    tick: Tick, freg: Freg, feed: EventList
) -> None:
    published_beside(freg)
    path = catalogue_path(freg.store)
    path.unlink()
    (path / "in the way").mkdir(parents=True)
    feed.events.append(event(POSITION + 1))
    result = tick()
    requested(result)
    assert shown(result) == RECORDED
