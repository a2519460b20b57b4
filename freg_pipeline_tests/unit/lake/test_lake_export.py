"""A statement's rows in streams and files: as they stand, whole, and private."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.lake.export import export, render
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    copy_of,
    deliver,
    document,
    local_store,
    navn,
    number,
)
from freg_pipeline_tests.waiting import STUCK_SECONDS, started

A, B, C = (number(index) for index in range(3))
ENDLESS = "SELECT range AS a, repeat('x', 1000) AS b FROM range(1_000_000_000)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with a release; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    names = [navn("Ada"), navn("Ana", gjeldende=False)]
    documents = [("d-a", document(A, B, navn=names)), ("d-c", document(C, navn=[navn("Cato")]))]
    build_release(store, deliver(store, "one", documents))
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


def command(made: LocalStore, *arguments: str) -> list[str]:
    base = [sys.executable, "-m", "freg_pipeline.cli", "sql", "--store", made.location]
    return [*base, *arguments]


def shell(made: LocalStore, script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of a shell's in which freg is ``freg sql`` over the store."""
    freg = f'freg() {{ {sys.executable} -m freg_pipeline.cli sql --store {made.location} "$@"; }}'
    return subprocess.run(
        ["bash", "-c", f"{freg}\n{script}"],
        cwd=folder, capture_output=True, text=True, timeout=STUCK_SECONDS, check=False,
    )  # fmt: skip


def test_rows_are_shown_as_a_table_and_written_as_files(store: LocalStore, tmp_path: Path) -> None:
    assert "Cato" in render(store, "SELECT fornavn FROM navn")[0]
    statement = "SELECT personidentifikator AS p, er_gjeldende AS g FROM navn ORDER BY ALL;"
    for form, expected in {
        "csv": f"p,g\n{A},false\n{A},true\n{C},true\n",
        "json": None,
        "parquet": None,
    }.items():
        path = tmp_path / f"it's.{form}"
        export(store, statement, form, path)
        if expected is not None:
            assert path.read_text() == expected
        read = (
            duckdb.sql(f"FROM read_{form}($path)", params={"path": str(path)})
            if (form != "csv")
            else duckdb.read_csv(str(path), all_varchar=True)
        )
        assert len(read.fetchall()) == 3


def test_a_wrong_statement_leaves_the_file_that_was_there(
    store: LocalStore, tmp_path: Path
) -> None:
    (tmp_path / "before.csv").write_text("before")
    for statement in ("SELECT nothing", "SELECT etternavn::INTEGER FROM navn"):
        for name in ("new.csv", "before.csv"):
            with pytest.raises(ConfigurationError):
                export(store, statement, "csv", tmp_path / name)
    assert (tmp_path / "before.csv").read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"store", "before.csv"}


def test_results_are_private_replace_what_was_there_and_may_go_to_a_device(
    store: LocalStore, tmp_path: Path
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    export(store, "SELECT 1 AS one -- and a comment", "csv", path)
    assert path.read_text() == "one\n1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    export(store, "SELECT 1", "csv", Path("/dev/null"))
    with pytest.raises(ConfigurationError, match="nowhere"):
        export(store, "SELECT 1", "csv", tmp_path / "nowhere" / "out.csv")
    with pytest.raises(OSError, match="No space left"):
        export(store, "SELECT 1", "csv", Path("/dev/full"))


def test_a_reader_that_has_gone_is_no_wrong_statement(store: LocalStore) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with pytest.raises(BrokenPipeError):
        export(store, "SELECT 1", "csv", Path(f"/dev/fd/{writes}"))
    os.close(writes)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_stream_is_written_to_from_where_it_stands(
    form: str, made: LocalStore, tmp_path: Path
) -> None:
    script = f"""
    echo keep > appended; freg 'select 1 a' --format {form} >> appended
    (echo a; freg 'select 1 a' --format {form}; freg 'select 2 a' --format {form}; echo b) > both
    (echo a; freg 'select 1 a' --format {form} --output /dev/stdout; echo b) > named
    """
    ended = shell(made, script, tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    one, two = {
        "csv": ("a\n1\n", "a\n2\n"),
        "json": ('[\n\t{"a":1}\n]\n', '[\n\t{"a":2}\n]\n'),
    }[form]
    assert (tmp_path / "appended").read_text() == f"keep\n{one}"
    assert (tmp_path / "both").read_text() == f"a\n{one}{two}b\n"
    assert (tmp_path / "named").read_text() == f"a\n{one}b\n"


def test_a_socket_is_written_to(made: LocalStore) -> None:
    ours, its = socket.socketpair()
    with ours, its:
        statement = "SELECT range AS n, 'æ' || chr(0) AS b FROM range(100000)"
        freg = command(made, statement, "--format", "json")
        with started(freg, stdout=its, stderr=subprocess.PIPE) as process:
            its.close()
            content = b"".join(iter(lambda: ours.recv(65536), b""))
            assert process.communicate()[1] == b""
    assert process.returncode == 0
    rows = json.loads(content)
    assert len(rows) == 100_000
    assert rows[-1] == {"n": 99_999, "b": "æ\0"}


def test_a_reader_that_goes_ends_it_silently(made: LocalStore, tmp_path: Path) -> None:
    ended = shell(made, f'freg "{ENDLESS}" --format csv | head -1', tmp_path)
    assert (ended.stdout, ended.stderr) == ("a,b\n", "")


@pytest.mark.parametrize("target", ["> /dev/full", "--output /dev/full"])
def test_a_full_disk_is_told_as_that(target: str, made: LocalStore, tmp_path: Path) -> None:
    ended = shell(made, f'freg "{ENDLESS}" --format csv {target}', tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "No space left on device" in ended.stderr
    assert "SQL" not in ended.stderr


def test_a_closed_stdout_is_told(made: LocalStore, tmp_path: Path) -> None:
    ended = shell(made, "freg 'select 1' --format csv >&-", tmp_path)
    assert ended.returncode == 2
    assert "--output" in ended.stderr


def test_an_endless_result_takes_no_memory(made: LocalStore) -> None:
    with started(command(made, ENDLESS, "--format", "csv"), stdout=subprocess.PIPE) as process:
        left = 300_000_000
        while left > 0:
            left -= len(process.stdout.read(1_000_000))
        peak = next(
            int(line.split()[1])
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
    assert peak < 1_000_000, "kilobytes"


def test_a_file_is_private_from_its_first_byte_and_named_when_it_is_whole(
    made: LocalStore, tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("before")
    target.chmod(0o644)
    freg = command(made, ENDLESS, "--format", "csv", "--output", str(target))
    with started(freg, stderr=subprocess.PIPE) as process:
        while not (found := [one for one in tmp_path.glob(".*/*") if _size(one)]):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        assert [stat.S_IMODE(one.stat().st_mode) for one in found] == [0o600]
        assert [stat.S_IMODE(one.parent.stat().st_mode) for one in found] == [0o700]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors.count(b"\n")) == (130, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
    assert target.read_text() == "before"


def _size(path: Path) -> int:
    return path.stat().st_size


def test_a_link_stays_and_leads_to_the_new_file(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "elsewhere" / "real.csv")
    export(store, "SELECT 1 AS a", "csv", link)
    assert link.is_symlink()
    assert (tmp_path / "elsewhere" / "real.csv").read_text() == "a\n1\n"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_named_pipe_is_written_to(form: str, store: LocalStore, tmp_path: Path) -> None:
    pipe, copy = tmp_path / "pipe", tmp_path / "copy"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: copy.write_bytes(pipe.read_bytes()))
    reader.start()
    export(store, "SELECT 1 AS a", form, pipe)
    reader.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    read = duckdb.read_csv(str(copy)) if form == "csv" else duckdb.read_parquet(str(copy))
    assert read.fetchall() == [(1,)]


WRITES = {
    "COPY navn TO 'stolen.csv'": "COPY",
    "CREATE TABLE mine AS FROM navn": "CREATE",
    "DELETE FROM _erstattet": "DELETE",
    "EXPLAIN ANALYZE COPY navn TO 'stolen.csv'": "COPY",
    "ATTACH 'stolen.duckdb'": "ATTACH",
    "SELECT 1; SELECT 2": "2 statements",
    "-- nothing": "no statement",
}


@pytest.mark.parametrize("statement", WRITES)
def test_what_does_more_than_read_is_refused(
    statement: str, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for output in (None, tmp_path / "out.csv"):
        with pytest.raises(ConfigurationError, match=WRITES[statement]):
            export(store, statement, "csv", output)
    with pytest.raises(ConfigurationError, match=WRITES[statement]):
        render(store, statement)
    assert [one.name for one in tmp_path.iterdir()] == ["store"]


READS = [
    "FROM navn",
    "WITH n AS (FROM navn) SELECT * FROM n",
    "SHOW TABLES",
    "DESCRIBE navn",
    "SUMMARIZE navn",
    "EXPLAIN FROM navn",
    "explain analyze from navn",
    "PRAGMA table_info('navn')",
    "PIVOT navn ON er_gjeldende",
    "VALUES (1), (2)",
]


@pytest.mark.parametrize("statement", READS)
def test_whatever_reads_is_shown_and_written(
    statement: str, store: LocalStore, tmp_path: Path
) -> None:
    text, found = render(store, statement)
    assert found > 0
    assert text
    export(store, statement, "csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().count("\n") > 1


def test_a_table_tells_that_it_is_cut(made: LocalStore, tmp_path: Path) -> None:
    ended = shell(made, "freg 'select * from range(100169)'", tmp_path)
    assert ended.returncode == 0
    assert "200 of 100,169 rows" in ended.stderr
    assert "199" in ended.stdout
    assert shell(made, "freg 'select * from range(200)'", tmp_path).stderr == ""


def test_a_statement_comes_on_stdin(made: LocalStore, tmp_path: Path) -> None:
    for script in (
        "echo 'select 7 a' | freg --format csv",
        "freg - --format csv <<< 'select 7 a;'",
    ):
        assert shell(made, script, tmp_path).stdout == "a\n7\n"


@pytest.mark.parametrize(
    ("statement", "help_of_duckdb"),
    [("FROM nvn", 'Did you mean "navn"'), ("SELECT fornvn FROM navn", '"fornavn"')],
)
def test_duckdbs_own_help_is_kept(statement: str, help_of_duckdb: str, made: LocalStore) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        render(made, statement)
    assert help_of_duckdb in str(wrong.value)
    assert "LINE 1" not in str(wrong.value)


def test_a_name_is_no_variable_of_ours(made: LocalStore) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        render(made, "FROM relation")
