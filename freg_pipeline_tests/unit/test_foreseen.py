"""What happens to anyone is told as what it is, whatever library it came through."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine, text

from freg_pipeline.errors import FregError, ObjectMissingError, ResourceError, StoreError
from freg_pipeline.foreseen import foreseen

NUMBERS = {
    errno.ENOSPC: (ResourceError, "disk is full"),
    errno.EDQUOT: (ResourceError, "quota"),
    errno.EMFILE: (ResourceError, "ulimit -n"),
    errno.EFBIG: (ResourceError, "ulimit -f"),
    errno.EACCES: (StoreError, "may not be"),
    errno.EROFS: (StoreError, "only be read"),
}


@pytest.mark.parametrize("number", NUMBERS)
def test_the_systems_own_errors(number: int) -> None:
    kind, said = NUMBERS[number]
    found = foreseen(OSError(number, os.strerror(number), "/a/file"))
    assert type(found) is kind
    assert said in str(found)
    assert "/a/file" in str(found)


def test_a_full_disk_through_each_library(tmp_path: Path) -> None:
    table = pa.table({"a": list(range(100_000))})
    with pytest.raises(duckdb.Error) as by_duckdb:
        duckdb.sql("COPY (FROM range(1_000_000)) TO '/dev/full' (FORMAT csv, USE_TMP_FILE false)")
    with pytest.raises(OSError, match="space") as by_pyarrow, pa.OSFile("/dev/full", "wb") as full:
        pq.write_table(table, full)  # by its path it would be removed
    for error in (by_duckdb.value, by_pyarrow.value):
        found = foreseen(error)
        assert type(found) is ResourceError
        assert "disk is full" in str(found)


def test_a_full_disk_of_sqlite(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("PRAGMA max_page_count = 2")
        database.execute("CREATE TABLE t (a)")
        with pytest.raises(sqlite3.OperationalError) as full:
            database.execute("INSERT INTO t VALUES (randomblob(100000))")
    database.close()
    assert "is full" in str(foreseen(full.value))


def test_a_locked_database_by_way_of_sqlalchemy(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (a)")
    holder.execute("BEGIN EXCLUSIVE")
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 0})
    with pytest.raises(Exception, match="locked") as locked, engine.connect() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
    holder.close()
    engine.dispose()
    found = foreseen(locked.value)
    assert type(found) is ResourceError
    assert "locked by another process" in str(found)


@pytest.mark.parametrize("content", [b"junk" * 300, b""])
def test_a_damaged_database(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(content)
    database = sqlite3.connect(tmp_path / "x.db")
    with pytest.raises(sqlite3.DatabaseError) as damaged:
        database.execute("SELECT * FROM runs")
    database.close()
    assert "are damaged" in str(foreseen(damaged.value))


def test_too_little_memory_is_no_wrong_sql() -> None:
    connection = duckdb.connect(config={"memory_limit": "10MB", "temp_directory": ""})
    with connection, pytest.raises(duckdb.OutOfMemoryException) as out:
        connection.execute("CREATE TABLE t AS SELECT range || 'x' FROM range(5_000_000) ORDER BY 1")
    assert "memory" in str(foreseen(out.value))


def test_our_own_stay_and_what_only_preceded_is_no_cause() -> None:
    own = ObjectMissingError("a", "b")
    assert foreseen(own) is own

    def mistaken() -> None:
        try:
            raise own
        except FregError:
            raise KeyError("x")  # noqa: B904  as a mistake in a handler does

    with pytest.raises(KeyError) as mistake:
        mistaken()
    assert foreseen(mistake.value) is None
