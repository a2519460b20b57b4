"""What Dagster records of runs, and how it is removed: the one place that knows its tables.

Dagster's own ``delete_run`` leaves much behind: the results of checks, events that belong to no
run, compute logs, with SQLite a run's tags and the file of its events, and the space in its files.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster import DagsterInstance
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs import SqlRunStorage
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._core.storage.schedules import SqlScheduleStorage
from dagster._time import get_current_datetime

_AT_ONCE = 500  # rows that go in one transaction: others wait for no more than that
_NO_RUN = ""  # the run of events that belong to none
_LATEST = (
    dg.DagsterEventType.ASSET_MATERIALIZATION.value,
    dg.DagsterEventType.ASSET_OBSERVATION.value,
)
# A SQLite file is made smaller where this share of it is empty, and what is left is no more than
# what is copied in a second or two: others can't write meanwhile.
_EMPTY, _EMPTY_BYTES, _COPIED_BYTES = 0.25, 4 << 20, 256 << 20

_UNDER_WAY = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)

_events, _checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c


def is_in_tables(instance: DagsterInstance) -> bool:
    """Whether an instance keeps its records in tables of its own; Dagster+ doesn't."""
    return isinstance(instance.event_log_storage, SqlEventLogStorage) and isinstance(
        instance.run_storage, SqlRunStorage
    )


def runs_of_latest(
    instance: DagsterInstance, assets: Iterable[dg.AssetKey], partitions: Collection[str]
) -> set[str]:
    """The runs that hold the newest materialisation or observation of an asset or a partition.

    Args:
        instance: whose.
        assets: which.
        partitions: which there still are.
    """
    newest = _newest(assets, _events.dagster_event_type.in_(_LATEST))
    query = sa.select(_events.run_id, _events.partition).where(_events.id.in_(newest))
    with _storage(instance).index_connection() as connection:
        rows = connection.execute(query).fetchall()
    return {run for run, partition in rows if partition is None or partition in partitions}


def hear_of_run(instance: DagsterInstance, run_id: str) -> bool:
    """Record that a run was heard of just now; False: it isn't under way any more.

    Nothing else of it is written: what others record at the same moment stays.
    """
    runs = instance.run_storage
    if not isinstance(runs, SqlRunStorage):
        return True
    is_under_way = RunsTable.c.status.in_([one.value for one in _UNDER_WAY])
    heard = (
        sa.update(RunsTable)
        .where(RunsTable.c.run_id == run_id, is_under_way)
        .values(update_timestamp=get_current_datetime())
    )
    with runs.connect() as connection:
        return bool(connection.execute(heard).rowcount)


def remove_run(instance: DagsterInstance, run_id: str) -> None:
    """Remove a run that has ended, the run itself last: until then it is found again."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    events, runs = instance.event_log_storage, instance.run_storage
    events.delete_events(run_id)
    if isinstance(events, SqliteEventLogStorage):  # a file a run, which it leaves there, empty
        for ending in ("", "-wal", "-shm"):
            Path(events.path_for_shard(run_id) + ending).unlink(missing_ok=True)
    if isinstance(runs, SqlRunStorage):  # SQLite doesn't, as Dagster opens it
        with runs.connect() as connection:
            connection.execute(sa.delete(RunTagsTable).where(RunTagsTable.c.run_id == run_id))
    runs.delete_run(run_id)


def remove_events(
    instance: DagsterInstance, assets: Collection[dg.AssetKey], before: datetime, until: float
) -> bool:
    """Remove what is recorded of assets beside runs: results of checks, and events without a run.

    The newest of each check, asset, partition and kind stays.

    Args:
        instance: whose.
        assets: which.
        before: in UTC; what is as new stays.
        until: when to stop, by the monotonic clock.

    Returns:
        Whether all of it is removed.
    """
    storage, then = _storage(instance), before.replace(tzinfo=None)
    keys = [key.to_string() for key in assets]
    of_check = _checks.asset_key, _checks.check_name, _checks.partition, _checks.execution_status
    last = sa.select(sa.func.max(_checks.id)).where(_checks.asset_key.in_(keys)).group_by(*of_check)
    with storage.index_connection() as connection:
        results = [row for (row,) in connection.execute(last)]
    checked = (
        _checks.asset_key.in_(keys),
        _checks.create_timestamp < then,
        _checks.id.not_in(results),
    )
    without_run = _events.run_id == _NO_RUN, _events.asset_key.in_(keys), _events.timestamp < then
    if isinstance(storage, SqliteEventLogStorage):  # has a second copy, in a file of its own
        with storage.run_connection(_NO_RUN) as connection:
            connection.execute(sa.delete(SqlEventLogStorageTable).where(*without_run))
    is_not_newest = _events.id.not_in(_newest(assets))
    return _remove(storage, AssetCheckExecutionsTable, until, *checked) and _remove(
        storage, SqlEventLogStorageTable, until, *without_run, is_not_newest
    )


def give_space_back(instance: DagsterInstance) -> None:
    """Make SQLite's files smaller where much of them is empty. Other databases do so themselves."""
    for database in _databases(instance):
        if not Path(database).is_file():
            continue  # in memory
        with suppress(sqlite3.OperationalError):  # somebody is at work there: another time
            connection = sqlite3.connect(database, timeout=1, isolation_level=None)
            try:
                _vacuum(connection)
            finally:
                connection.close()


def _vacuum(connection: sqlite3.Connection) -> None:
    pages, empty, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    is_worth_it = empty >= _EMPTY * pages and empty * size >= _EMPTY_BYTES
    if is_worth_it and (pages - empty) * size <= _COPIED_BYTES:
        connection.execute("VACUUM")


def _databases(instance: DagsterInstance) -> set[str]:
    """The files of an instance's SQLite databases."""
    found = set()
    for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
        if isinstance(storage, SqlEventLogStorage):
            opened = storage.index_connection()
        elif isinstance(storage, SqlRunStorage | SqlScheduleStorage):
            opened = storage.connect()
        else:
            continue
        with opened as connection:
            url = connection.engine.url
        if url.get_backend_name() == "sqlite" and url.database:
            found.add(url.database)
    return found


def _storage(instance: DagsterInstance) -> SqlEventLogStorage:
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)  # noqa: S101  asked by is_in_tables
    return storage


def _newest(assets: Iterable[dg.AssetKey], *which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The ids of the newest events of each asset, partition and kind."""
    keys = [key.to_string() for key in assets]
    of_kind = _events.asset_key, _events.dagster_event_type, _events.partition
    newest = sa.select(sa.func.max(_events.id))
    return newest.where(_events.asset_key.in_(keys), *which).group_by(*of_kind)


def _remove(
    storage: SqlEventLogStorage, table: sa.Table, until: float, *which: sa.ColumnElement[bool]
) -> bool:
    """Remove rows of a table, some at a time, and the tags of events; whether none is left."""
    some = sa.select(table.c.id).where(*which).limit(_AT_ONCE)
    while time.monotonic() < until:
        with storage.index_connection() as connection:
            ids = [row for (row,) in connection.execute(some)]
            if not ids:
                return True
            if table is SqlEventLogStorageTable:
                tags = AssetEventTagsTable
                connection.execute(sa.delete(tags).where(tags.c.event_id.in_(ids)))
            connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
    return False
