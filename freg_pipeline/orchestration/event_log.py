"""Dagster's records in two SQLite files whose connections stay open.

An instance's dagster.yaml names them (docs/decisions/0061-records-that-stay-small.md,
0064-what-a-batch-costs.md). Those who keep Dagster's records on PostgreSQL have no use for them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from dagster import DagsterInstance
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log import (
    SQLITE_EVENT_LOG_FILENAME,
)
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._serdes import ConfigurableClassData

from freg_pipeline.store.scratch import alone_in

_BUSY_SECONDS = 60  # how long another process that writes is waited for


class _Connections:
    """A file's connections, one of which stays open for the next to ask.

    Dagster opens one for each statement, and SQLite then reads the schema, sqlalchemy writes the
    same SQL anew, and the last one that closes copies the journal into the file: two thirds of what
    a run costs. A process that was forked opens its own.

    Args:
        url: of the file.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: tuple[int, sa.Engine] | None = None

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A connection in a transaction."""
        with self._engine().begin() as connection:
            yield connection

    def _engine(self) -> sa.Engine:
        process = os.getpid()
        if self._opened is None or self._opened[0] != process:
            engine = sa.create_engine(
                self._url,
                poolclass=sa.QueuePool,
                pool_size=1,
                max_overflow=-1,
                connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            )
            sa.event.listen(engine, "connect", _write_lightly)
            self._opened = (process, engine)
        return self._opened[1]

    def close(self) -> None:
        """Close what is open."""
        if self._opened is not None and self._opened[0] == os.getpid():
            self._opened[1].dispose()
        self._opened = None


def _write_lightly(connection: Any, _: object) -> None:
    """Don't wait for the disk at each event: after a power cut the last of them may be missing.

    The file stays whole, and nothing follows from these records: state lies in the store.
    """
    connection.execute("PRAGMA synchronous=NORMAL")


class EventsInOneFile(ConsolidatedSqliteEventLogStorage):
    """Dagster's own storage of that kind, in its instance's folder, wherever that is.

    Dagster would make a file of 115 kB for each run. Its own class has to be told a folder, and one
    that is found by DAGSTER_HOME isn't there for those who work without it (``dagster dev``, our
    command). Processes that begin at once make one file.

    Args:
        inst_data: what dagster.yaml says of it.
    """

    _connections: _Connections | None = None

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data  # the rest once there is an instance
        self._tables: set[str] = set()

    def register_instance(self, instance: DagsterInstance) -> None:
        """Open the file of an instance; it is made if there is none."""
        with _made_alone(_folder(instance)) as folder:
            _make_events(folder)
            super().__init__(str(folder), self._inst_data)
        self._connections = _Connections(self._conn_string)
        super().register_instance(instance)

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        opened = self._connections  # none while the file is being made
        with super()._connect() if opened is None else opened.begin() as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether a table is there; Dagster asks at each event, and none ever goes."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()  # type: ignore[no-untyped-call]
        if self._connections is not None:
            self._connections.close()

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing is configured."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: object
    ) -> Self:
        """As Dagster makes it."""
        del config_value
        return cls(inst_data)


class RunsInOneFile(SqliteRunStorage):
    """Dagster's own storage of runs, in its instance's folder, as :class:`EventsInOneFile` is.

    Args:
        inst_data: what dagster.yaml says of it.
    """

    _connections: _Connections | None = None

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data  # the rest once there is an instance

    def register_instance(self, instance: DagsterInstance) -> None:
        """Open the file of an instance; it is made if there is none."""
        with _made_alone(_folder(instance)) as folder:
            SqliteRunStorage.from_local(str(folder))
        url = create_db_conn_string(str(folder), "runs")
        self._connections = _Connections(url)
        super().__init__(url, self._inst_data)
        super().register_instance(instance)

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection in a transaction."""
        assert self._connections is not None  # noqa: S101  Dagster registers before it asks
        with self._connections.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()
        if self._connections is not None:
            self._connections.close()

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing is configured."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """As Dagster makes it."""
        del config_value
        return cls(inst_data)


def _make_events(folder: Path) -> None:
    """Make the file of events whole, or not at all, unless it is there.

    Dagster takes a file that is there for one with all its tables, also where whoever made it was
    killed meanwhile, and where it is empty. (Its runs' it completes.)
    """
    name = f"{SQLITE_EVENT_LOG_FILENAME}.db"
    if (folder / name).exists():
        if (folder / name).stat().st_size:
            return
        for of_another in ("-wal", "-shm"):
            (folder / f"{name}{of_another}").unlink(missing_ok=True)
    making = folder / ".making"
    shutil.rmtree(making, ignore_errors=True)  # of one that was killed
    ConsolidatedSqliteEventLogStorage(str(making))
    (making / name).replace(folder / name)
    shutil.rmtree(making)


def _folder(instance: DagsterInstance) -> Path:
    return Path(instance.root_directory) / "history"


@contextmanager
def _made_alone(folder: Path) -> Iterator[Path]:
    """Keep this machine's other processes out of a folder, which is made if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder, required=True):
        yield folder
