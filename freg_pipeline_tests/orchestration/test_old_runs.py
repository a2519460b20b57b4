"""Old runs go, with all that is recorded of them; what others or sensors look at stays."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqlEventLogStorage

from freg_pipeline.orchestration import recorded
from freg_pipeline.orchestration.old_runs import OurRecords, Tidied, remove_old_runs

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
PARTS = dg.DynamicPartitionsDefinition(name="parts")
TAGS = {"freg/feed": "sync"}
LONG_AGO = datetime.now(UTC) - timedelta(days=100)


@dg.asset(check_specs=[dg.AssetCheckSpec("fine", asset="table")])
def table(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """An asset with a check, that shows another one as well."""
    print("what the step prints")  # noqa: T201
    context.log_event(dg.AssetMaterialization("shown", tags={"dagster/data_version": "1"}))
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(asset_key="table", check_name="fine", passed=True)


@dg.asset(partitions_def=PARTS)
def part() -> None:
    """An asset of partitions."""


@dg.asset
def shown() -> None:
    """What another one's run materialises."""


@dg.op
def fails() -> None:
    """What goes wrong."""
    raise dg.Failure("wrong")


@dg.job(tags=TAGS)
def failing() -> None:
    """Fails."""
    fails()


def job(name: str, *assets: dg.AssetsDefinition) -> Any:
    return dg.define_asset_job(
        name, selection=[*assets], executor_def=dg.in_process_executor, tags=TAGS
    )


OURS = dg.Definitions(
    assets=[table, part, shown],
    jobs=[job("make", table), job("make_part", part), failing],
)


@dg.job
def theirs() -> None:
    """Another code location's job."""


# Kinds of storage that need no server.
in_each_storage = pytest.mark.parametrize(
    "instance", ["memory", "a file a run", "one file"], indirect=True
)


@pytest.fixture
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DagsterInstance]:
    """An instance in memory, or where the test says."""
    kind = getattr(request, "param", "memory")
    if kind == "memory":
        opened = DagsterInstance.ephemeral()
    else:
        module = "freg_pipeline.orchestration.event_log"
        ours = {
            "event_log_storage": {"module": module, "class": "EventsInOneFile"},
            "run_storage": {"module": module, "class": "RunsInOneFile"},
        }
        more = ours if kind == "one file" else {}
        settings = {"telemetry": {"enabled": False}, **more}
        opened = DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), overrides=settings))
    with opened:
        yield opened


@pytest.fixture
def run(instance: DagsterInstance) -> Callable[..., str]:
    """Run a job, as if it had been long ago unless told; returns the run's id."""

    def run(name: str, partition: str | None = None, *, old: bool = True, **tags: str) -> str:
        if partition is not None:
            instance.add_dynamic_partitions("parts", [partition])
        found = theirs if name == "theirs" else OURS.resolve_job_def(name)
        result = found.execute_in_process(
            QUIET, instance, partition, raise_on_error=False, tags=tags
        )
        if old:
            _age(instance)
        return result.run_id

    return run


def _age(instance: DagsterInstance) -> None:
    """Have everything recorded until now be of long ago."""
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    then = LONG_AGO.strftime("%Y-%m-%d %H:%M:%S.%f")
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql(f"UPDATE runs SET update_timestamp = '{then}'")
    with storage.index_connection() as connection:
        for what in (
            f"event_logs SET timestamp = '{then}'",
            f"asset_check_executions SET create_timestamp = '{then}'",
        ):
            connection.exec_driver_sql(f"UPDATE {what}")


def tidy(instance: DagsterInstance, **more: Any) -> Tidied:
    return remove_old_runs(instance, OurRecords.of(OURS), **{"days": 30, "seconds": 60, **more})


def here(instance: DagsterInstance) -> set[str]:
    return {one.run_id for one in instance.get_runs()}


def rows(instance: DagsterInstance, table: str, where: str = "true") -> int:
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    with storage.index_connection() as connection:
        query = f"SELECT count(*) FROM {table} WHERE {where}"
        return int(connection.exec_driver_sql(query).scalar_one())


@in_each_storage
def test_old_runs_go_and_the_newest_stay(
    instance: DagsterInstance, run: Callable[..., str], tmp_path: Path
) -> None:
    old, failed, newest = run("make"), run("failing"), run("make")
    latest = run("failing", old=False)
    assert tidy(instance).runs == 2
    assert here(instance) == {newest, latest}
    assert instance.all_logs(newest)
    for name in ("table", "shown"):
        event = instance.get_latest_materialization_event(dg.AssetKey(name))
        assert event is not None
        assert event.run_id == newest
    assert rows(instance, "event_logs", f"run_id in ('{old}', '{failed}')") == 0
    assert rows(instance, "asset_check_executions") == 1
    assert rows(instance, "asset_event_tags") == rows(
        instance, "asset_event_tags", "event_id in (SELECT id FROM event_logs)"
    )
    tags = instance.run_storage
    with tags.connect() as connection:  # type: ignore[attr-defined]
        left = connection.exec_driver_sql("SELECT DISTINCT run_id FROM run_tags").fetchall()
    assert {one for (one,) in left} == {newest, latest}
    assert [path for path in tmp_path.rglob("*") if old in str(path)] == []


def test_each_partition_keeps_its_newest_run_while_there_is_such_a_partition(
    instance: DagsterInstance, run: Callable[..., str]
) -> None:
    first, one, two, gone = (run("make_part", key) for key in ("1", "1", "2", "3"))
    run("make_part", "4")
    instance.delete_dynamic_partition("parts", "3")
    tidy(instance)
    assert {first, gone}.isdisjoint(here(instance))
    assert {one, two} <= here(instance)
    assert instance.get_materialized_partitions(dg.AssetKey("part")) == {"1", "2", "4"}


def test_runs_of_others_and_runs_that_are_needed_stay(
    instance: DagsterInstance, run: Callable[..., str]
) -> None:
    other, held = run("theirs"), run("failing", **{"freg/uttrekk": "open"})
    gone = run("failing")
    run("theirs")
    run("failing")
    tidy(instance, is_needed=lambda one: one.tags.get("freg/uttrekk") == "open")
    assert {other, held} <= here(instance)
    assert gone not in here(instance)


def test_a_job_of_the_same_name_in_another_code_location_is_not_ours(
    instance: DagsterInstance, run: Callable[..., str]
) -> None:
    run_id = run("failing")
    mine = instance.get_run_by_id(run_id)
    assert mine is not None
    ours = OurRecords.of(OURS, "__repository__@here")
    assert ours.has(mine), "a command's"
    assert ours.has(mine.with_tags({"freg/x": "1"}))
    assert not ours.has(mine.with_tags({})), "nothing says that it is of a store"
    for location, is_ours in (("here", True), ("elsewhere", False)):
        launched = mine._replace(remote_job_origin=_origin(location))
        assert ours.has(launched) is is_ours


def _origin(location: str) -> Any:
    from dagster._core.remote_origin import (
        RegisteredCodeLocationOrigin,
        RemoteJobOrigin,
        RemoteRepositoryOrigin,
    )

    code = RegisteredCodeLocationOrigin(location)
    return RemoteJobOrigin(RemoteRepositoryOrigin(code, "__repository__"), "failing")


def test_when_the_time_is_up_the_rest_is_for_the_next_time(
    instance: DagsterInstance, run: Callable[..., str]
) -> None:
    for _ in range(3):
        run("failing")
    assert tidy(instance, seconds=0) == Tidied(0, left=True)
    assert len(here(instance)) == 3
    assert tidy(instance) == Tidied(2, left=False)


@in_each_storage
def test_events_without_a_run_go_but_the_newest(instance: DagsterInstance) -> None:
    for key in ("shown", "shown", "another"):
        for _ in range(2):
            instance.report_runless_asset_event(dg.AssetMaterialization(key))
    _age(instance)
    instance.report_runless_asset_event(dg.AssetMaterialization("shown"))
    tidy(instance)
    assert rows(instance, "event_logs", "asset_key LIKE '%shown%'") == 1
    assert rows(instance, "event_logs", "asset_key LIKE '%another%'") == 2, "somebody else's"


def test_space_is_given_back(tmp_path: Path) -> None:
    settings = {"telemetry": {"enabled": False}}
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), overrides=settings)) as one:
        database = tmp_path / "history" / "runs.db"
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("CREATE TABLE much AS SELECT randomblob(8000000) AS b")
            connection.execute("DROP TABLE much")
        before = database.stat().st_size
        recorded.give_space_back(one)
        assert database.stat().st_size < before - 7_000_000
        with closing(sqlite3.connect(database)) as reader:
            assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
