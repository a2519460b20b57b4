"""Dagster's records stay small: nothing is recorded where nothing is new, and old runs go."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.engine import open_engine, tidy_records
from freg_pipeline.orchestration.names import UNPREFIXED
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run_feed import syncing
from freg_pipeline.orchestration.shown import recorded
from freg_pipeline_tests.unit.feed.made import EventList, event
from freg_pipeline_tests.unit.lake.delivered import deliver, document, number

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
POSITION = 100
MakeFreg = Callable[..., Freg]


def released(freg: Freg, instance: DagsterInstance) -> None:
    """A release at a position, recorded as a sync would."""
    uttrekk = deliver(freg.store, "one", [("d1", document(number(1)))], sekvensnummer=POSITION)
    for made in recorded(instance, UNPREFIXED, freg.store, build_release(freg.store, uttrekk)):
        instance.report_runless_asset_event(made)


def age(instance: DagsterInstance, days: int = 100) -> None:
    """Have all runs be of so many days ago."""
    then = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql(f"UPDATE runs SET update_timestamp = '{then}'")


def ended(freg: Freg, instance: DagsterInstance, job: str = "sync_hendelser", **tags: str) -> str:
    """A run that failed, by a tag of that name; its id."""
    named = {f"freg/{name}": value for name, value in {"feed": "sync", **tags}.items()}
    found = make_definitions(freg).resolve_job_def(job)
    failed = dg.DagsterRunStatus.FAILURE
    return instance.create_run_for_job(found, tags=named, status=failed).run_id


def test_each_night_old_runs_go_but_what_a_sensor_looks_at(
    make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg("http://127.0.0.1:9")
    released(freg, instance)
    deliver(freg.store, "open", [("d2", document(number(2)))])
    gone = [ended(freg, instance, etter="99"), ended(freg, instance, uttrekk="one")]
    kept = [
        ended(freg, instance, etter=str(POSITION)),
        ended(freg, instance, "land_batch", uttrekk="open"),
        ended(freg, instance),  # the newest of its job
    ]
    age(instance)
    instance.add_dynamic_partitions("compaction_piece", ["one.000000000099/000"])
    instance.add_dynamic_partitions("release_piece", ["one/plan", "open/plan"])
    definitions = make_definitions(freg)
    schedule = definitions.resolve_schedule_def("purge_old_runs")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    night = definitions.resolve_job_def(schedule.job_name)
    assert night.execute_in_process(QUIET, instance=instance).success
    here = {run.run_id for run in instance.get_runs()}
    assert here.isdisjoint(gone)
    assert here.issuperset(kept)
    assert instance.get_dynamic_partitions("compaction_piece") == []
    assert instance.get_dynamic_partitions("release_piece") == ["open/plan"]


@pytest.mark.usefixtures("recorded")
def test_a_dry_run_tells_just_the_runs_that_go(make_freg: MakeFreg) -> None:
    """As ``freg retention`` does, which knows the records of commands and of DAGSTER_HOME."""
    freg = make_freg("http://127.0.0.1:9")
    assert tidy_records(freg, dry_run=True) == 0, "there are no records yet"
    with open_engine(freg) as engine:
        released(freg, engine.instance)
        for etter in "123":
            ended(freg, engine.instance, etter=etter)
        age(engine.instance)
        before = {run.run_id for run in engine.instance.get_runs()}
        told = tidy_records(freg, dry_run=True)
        assert {run.run_id for run in engine.instance.get_runs()} == before
        assert tidy_records(freg, dry_run=False) == told == 2  # the newest of its job stays
        assert len(engine.instance.get_runs()) == len(before) - told
    assert tidy_records(freg, dry_run=True) == 0


def test_runs_are_kept_for_as_long_as_the_setting_says(
    make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg("http://127.0.0.1:9", keep_runs_days=101)
    for _ in range(3):
        ended(freg, instance)
    age(instance)
    night = make_definitions(freg).resolve_job_def("purge_runs")
    assert night.execute_in_process(QUIET, instance=instance).success
    assert len(instance.get_runs(dg.RunsFilter(job_name="sync_hendelser"))) == 3


def files(home: Path) -> dict[Path, list[str] | bytes]:
    """All that is recorded: a database by its content, with what is still in its journal."""
    found: dict[Path, list[str] | bytes] = {}
    for path in home.rglob("*"):
        if path.suffix == ".db":
            with closing(sqlite3.connect(path)) as connection:
                found[path] = [*connection.iterdump()]
        elif path.is_file() and not path.name.endswith(("-wal", "-shm")):
            found[path] = path.read_bytes()
    return found


@pytest.mark.usefixtures("recorded")
def test_a_sync_that_finds_nothing_records_nothing(make_freg: MakeFreg, tmp_path: Path) -> None:
    feed = EventList([event(POSITION)])
    with feed.served() as url:
        freg = make_freg(url)
        with open_engine(freg) as engine:
            released(freg, engine.instance)
        at_first = files(tmp_path / "store" / "dagster")
        with syncing(freg) as syncs:
            first = syncs.once()  # records that nothing is new, once in half an hour
            before = files(tmp_path / "store" / "dagster")
            assert before != at_first
            assert syncs.once() == first
        assert (first.releases, first.events, first.events_behind) == (0, 0, 0)
        assert files(tmp_path / "store" / "dagster") == before
        feed.lasts = [POSITION + 5] * 3  # of events that the package of rights doesn't see
        with syncing(freg) as syncs:
            assert syncs.once() == first
        assert files(tmp_path / "store" / "dagster") == before
        with open_engine(freg) as engine:
            assert engine.instance.get_runs() == []


@pytest.mark.usefixtures("recorded")
def test_a_command_removes_old_runs_from_the_stores_records_once_a_day(
    make_freg: MakeFreg, tmp_path: Path
) -> None:
    freg = make_freg("http://127.0.0.1:9")
    marker = tmp_path / "store" / "dagster" / "tidied"
    with open_engine(freg) as engine:
        engine.run("purge")
        old = [ended(freg, engine.instance) for _ in range(2)]
        newest = ended(freg, engine.instance)
        age(engine.instance)
        engine.run("purge")
        assert engine.instance.get_run_by_id(old[0]), "it was seen to a moment ago"
        day_ago = time.time() - 90_000
        os.utime(marker, (day_ago, day_ago))
        engine.run("purge")
        here = {run.run_id for run in engine.instance.get_runs()}
    assert here.isdisjoint(old)
    assert newest in here
    assert time.time() - marker.stat().st_mtime < 3_600
