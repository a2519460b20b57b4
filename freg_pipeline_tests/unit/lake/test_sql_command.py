"""``freg sql``: what it takes, what it refuses, and what it costs to start."""

from __future__ import annotations

import gzip
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from click import Context

from freg_pipeline.commands.opening import store as named_store
from freg_pipeline.commands.opening import store_to_read
from freg_pipeline.commands.root import cli
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.lake.catalogue import catalogue_path, refresh_catalogue
from freg_pipeline.lake.export import export, render
from freg_pipeline.lake.query import release_at
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.session import reader
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, navn, number
from freg_pipeline_tests.waiting import STUCK_SECONDS

A, B, C = (number(index) for index in range(3))
# What a query needs nothing of, and what would make it wait.
HEAVY = {
    "boto3", "dagster", "docstring_parser", "httpx", "lxml", "numba", "numpy", "polars", "pyarrow",
    "pydantic", "pydantic_settings", "rich", "stamina", "starlette", "uvicorn",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with a release and its catalogue; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    names = [navn("Ada"), navn("Ana", gjeldende=False)]
    documents = [("d-a", document(A, B, navn=names)), ("d-c", document(C, navn=[navn("Cato")]))]
    build_release(store, deliver(store, "one", documents))
    refresh_catalogue(store)
    return store


def freg(
    made: LocalStore, *arguments: str, sent: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "freg_pipeline.cli", "sql", "--store", made.location, *arguments],
        input=sent or "", capture_output=True, text=True, timeout=STUCK_SECONDS, check=False,
    )  # fmt: skip


# -- what it takes to start --------------------------------------------------------------------


def test_a_query_imports_no_more_than_it_needs(made: LocalStore) -> None:
    script = (
        "import sys\nfrom freg_pipeline.cli import main\ntry: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))\n"
        "print(sorted(name for name in sys.modules if name.startswith('freg_pipeline.')))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, "sql", "--store", made.location, "FROM navn"],
        capture_output=True, text=True, timeout=STUCK_SECONDS, check=True,
    )  # fmt: skip
    *_, roots, own = ended.stdout.splitlines()
    assert "Cato" in ended.stdout
    assert HEAVY & set(eval(roots)) == set()
    assert len(eval(own)) < 50  # some tell which files it reads, and whether they are whole


def test_the_help_names_every_command_and_each_is_there(made: LocalStore) -> None:
    names = cli.list_commands(Context(cli))
    assert {"sql", "uttrekk", "hendelser", "release", "check", "demo", "synthetic"} <= set(names)
    for name in names:
        command = cli.get_command(Context(cli), name)
        assert command is not None
        assert command.name == name
    assert cli.get_command(Context(cli), "nothing") is None


# -- which tables it asks ----------------------------------------------------------------------


def test_the_catalogue_is_asked_only_if_it_is_that_of_the_current_release(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    build_release(store, deliver(store, "one", [("d-a", document(A, navn=[navn("Ada")]))]))
    question = "SELECT string_agg(fornavn, ' ' ORDER BY fornavn) FROM navn"

    def asked() -> tuple[str, bool]:
        connection = reader(store, question)
        (database,) = connection.execute("SELECT current_database()").fetchall()[0]
        ((names,),) = connection.execute(question).fetchall()
        return names, database == "freg"

    assert asked() == ("Ada", False), "there is no catalogue yet"
    refresh_catalogue(store)
    assert asked() == ("Ada", True)
    both = [("d-a", document(A, navn=[navn("Ada")])), ("d-c", document(C, navn=[navn("Cato")]))]
    build_release(store, deliver(store, "two", both))
    assert asked() == ("Ada Cato", False), "it is that of the release before"
    refresh_catalogue(store)
    assert asked() == ("Ada Cato", True)
    catalogue_path(store).write_bytes(b"no database")
    assert asked() == ("Ada Cato", False)


def test_a_store_has_the_same_name_as_for_every_other_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with Context(cli):
        for named in ("store", "~/store", "of ours/store"):
            monkeypatch.setenv("FREG_STORE", named)
            assert store_to_read().location == named_store().location
            assert store_to_read().location.startswith(str(tmp_path))
        for wrong in ("~nobody.at.all/store", "store?", "ftp://store", " "):
            monkeypatch.setenv("FREG_STORE", wrong)
            with pytest.raises(ConfigurationError, match="FREG_STORE is wrong"):
                store_to_read()


def test_it_gives_the_same_with_and_without_the_catalogue(made: LocalStore) -> None:
    release = reader(made, "comment", state=release_at(made, 10**12))
    ready = reader(made, "comment")
    tables = (
        "SELECT view_name, comment FROM duckdb_views() "
        "WHERE NOT internal AND view_name <> 'utgivelse' ORDER BY ALL"
    )
    assert ready.execute(tables).fetchall() == release.execute(tables).fetchall() != []
    for question in ("FROM navn ORDER BY ALL", "FROM person_oversikt", "FROM navn_per(10**12)"):
        assert ready.execute(question).fetchall() == release.execute(question).fetchall()
    zone = "SELECT current_setting('TimeZone')"
    assert ready.execute(zone).fetchall() == release.execute(zone).fetchall()


# -- statements --------------------------------------------------------------------------------


def test_statements_come_from_a_file_or_a_pipe_and_may_be_several(
    made: LocalStore, tmp_path: Path
) -> None:
    file = tmp_path / "question.sql"
    file.write_text(
        "-- whom\nSET VARIABLE who = 'Ada';\nCREATE TEMP MACRO hers() AS TABLE "
        "FROM navn WHERE fornavn = getvariable('who');\n"
        "SELECT count(*) AS first FROM hers(); SELECT 'Å;' AS second;",
        encoding="utf-8-sig",
    )
    ended = freg(made, "--file", str(file), "--format", "csv")
    assert (ended.stdout, ended.stderr) == ("first\n1\nsecond\nÅ;\n", "")
    ended = freg(made, sent=file.read_text(encoding="utf-8-sig"))
    assert ended.returncode == 0
    assert ended.stdout.index("first") < ended.stdout.index("second")
    ended = freg(made, "--file", str(file), "--output", str(tmp_path / "rows.csv"))
    assert ended.returncode == 2
    assert "2 statements give rows" in ended.stderr
    assert not (tmp_path / "rows.csv").exists()
    assert freg(made, "select 1", "--file", str(file)).returncode == 2
    file.write_bytes("SELECT 'Å'".encode("latin-1"))
    assert "UTF-8" in freg(made, "--file", str(file)).stderr


@pytest.mark.parametrize(
    "statement",
    [
        "COPY navn TO '{there}'", "EXPLAIN ANALYZE COPY navn TO '{there}'",
        "SELECT 1; COPY navn TO '{there}'", "EXPORT DATABASE '{there}'", "ATTACH '{there}' AS x",
        "CREATE TABLE x AS FROM navn", "CREATE VIEW x AS FROM navn", "DROP VIEW navn",
        "INSERT INTO memory.x VALUES (1)", "SET profiling_output = '{there}'",
        "PRAGMA profile_output = '{there}'", "PRAGMA enable_profiling", "INSTALL httpfs",
        "CALL pragma_version()", "BEGIN", "USE memory", "DETACH freg", "CHECKPOINT",
        "WITH x AS (SELECT 1) INSERT INTO y FROM x", "/* a */ COPY navn TO '{there}'",
        "CREATE OR REPLACE TABLE temp_x AS FROM navn", "set variablex = 1",
        # What writes within what reads.
        "WITH x AS (COPY navn TO '{there}') FROM x",
        "WITH å AS (SELECT 'å'), x AS NOT MATERIALIZED ( /* a */ copy navn TO '{there}') FROM x",
        "EXPLAIN ANALYZE WITH x AS (COPY navn TO '{there}') FROM x",
        "CREATE TEMP TABLE y AS WITH x AS (COPY navn TO '{there}') FROM x",
        "FROM json_execute_serialized_sql(json_serialize_sql('WITH x AS (COPY y TO 1) FROM x'))",
        'FROM "JSON_Execute_serialized_sql" (getvariable(\'x\'))', "FROM query('SELECT 1')",
    ],
)  # fmt: skip
def test_a_statement_that_writes_is_refused_and_nothing_is_written(
    statement: str, made: LocalStore, tmp_path: Path
) -> None:
    from freg_pipeline.errors import ConfigurationError
    from freg_pipeline.lake.statement import statements

    there = tmp_path / "there"
    with pytest.raises(ConfigurationError, match=r"only reads|SQL"):
        statements(reader(made, statement), statement.format(there=there))
    assert not there.exists()


@pytest.mark.parametrize("form", ["table", "csv", "excel"])
def test_comments_may_stand_anywhere(form: str, made: LocalStore) -> None:
    text = "/* Å; */ SELECT 'Å;' AS a -- b;\n; -- c\nSELECT 2 AS b; /* d; */ -- e"
    ended = freg(made, "--format", form, sent=text)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Å;" in ended.stdout


@pytest.mark.parametrize(
    "call",
    [
        "enable_logging(storage='file', storage_path='{there}')",
        "system.main.enable_logging(storage='file', storage_path='{there}')",
        "enable_profiling('json', save_location='{there}')",
    ],
)
def test_a_function_that_has_files_written_is_refused(
    call: str, made: LocalStore, tmp_path: Path
) -> None:
    there = tmp_path / "there.txt"
    ended = freg(made, f"FROM {call.format(there=there)}; SELECT 1")
    assert ended.returncode == 2, ended.stdout
    assert "lock" in ended.stderr
    assert not there.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT copy FROM (SELECT 1 AS copy)", "SELECT '(copy', \"query\" FROM (SELECT 1 AS query)",
        "-- (copy\nSELECT 1 /* query( */", "SELECT $$ (COPY query( $$",
        "WITH query AS (SELECT 1) FROM query",
    ],
)  # fmt: skip
def test_words_that_only_look_like_it_are_taken(statement: str, made: LocalStore) -> None:
    from freg_pipeline.lake.statement import statements

    assert len(statements(reader(made, statement), statement)) == 1


def test_it_says_that_it_cuts_and_what_might_have_been_meant(made: LocalStore) -> None:
    ended = freg(made, "SELECT range FROM range(100_169); SELECT 1")
    assert ended.stderr == "200 of 100,169 rows; --format csv or --output FILE gives all\n"
    ended = freg(made, "SELECT fornam FROM navn")
    assert ended.returncode == 2
    assert 'Candidate bindings: "fornavn"' in ended.stderr
    assert 'Did you mean "navn"' in freg(made, "FROM nav").stderr


# -- forms -------------------------------------------------------------------------------------


def test_excel_shows_what_the_register_says(made: LocalStore, tmp_path: Path) -> None:
    rows = """SELECT '0301' AS kommune, 'Åse; "B"' AS navn, '=1+1' AS formel, '2-4' AS husnummer,
        1234.5::DECIMAL(9, 2) AS tall, 0.25::DOUBLE AS andel, true AS ja,
        12345678901::BIGINT AS nei, 2.0e15::BIGINT AS stort, DATE '2024-02-29' AS dag,
        NULL::VARCHAR AS ingen, ['a', '07'] AS flere,
        TIMESTAMPTZ '2024-06-01 12:00:00+02' AS tid, 'Storgata' AS gate"""
    count = export(made, rows, "excel", tmp_path / "rows.csv")
    assert count == 1
    content = (tmp_path / "rows.csv").read_bytes()
    assert content.startswith("\ufeffkommune;navn;".encode())
    assert content.decode("utf-8-sig").splitlines()[1] == (
        '"=""0301""";"Åse; ""B""";"=""=1+1""";"=""2-4""";1234,50;0,25;SANN;12345678901;'
        '"=""2000000000000000""";2024-02-29;;"=""[a, 07]""";2024-06-01 12:00:00;Storgata'
    )
    long = export(made, "SELECT repeat('1', 300) AS x", "excel", tmp_path / "long.csv")
    assert long == 1
    assert '"="' not in (tmp_path / "long.csv").read_text(), "Excel knows no longer text in these"


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.zst", "json", "json.gz", "parquet"])
def test_a_files_ending_says_its_form_and_compression(
    ending: str, made: LocalStore, tmp_path: Path
) -> None:
    output = tmp_path / f"rows.{ending}"
    rows = "SELECT range AS n, repeat('Å', 40) AS t FROM range(60_000)"
    assert freg(made, rows, "--output", str(output)).stderr == ""
    assert output.stat().st_mode & 0o777 == 0o600
    assert duckdb.sql(f"SELECT count(*), sum(n), min(t) FROM '{output}'").fetchall() == [
        (60_000, 60_000 * 59_999 // 2, "Å" * 40)
    ]
    assert (output.stat().st_size < 1_000_000) == ending.endswith(("gz", "zst", "parquet"))
    if ending == "csv.gz":
        assert gzip.decompress(output.read_bytes()).startswith(b"n,t\n0,")


def test_parquet_is_not_compressed_twice(made: LocalStore, tmp_path: Path) -> None:
    ended = freg(
        made, "SELECT 1", "--format", "parquet", "--output", str(tmp_path / "x.parquet.gz")
    )
    assert ended.returncode == 2
    assert "compressed already" in ended.stderr


def test_rendering_is_over_the_same_tables(made: LocalStore) -> None:
    assert "Cato" in render(made, "SELECT fornavn FROM navn")[0]


# -- the prompt --------------------------------------------------------------------------------


class Terminal:
    """``freg sql`` alone on a terminal of its own."""

    def __init__(self, made: LocalStore, home: Path) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "HOME": str(home), "TERM": "dumb", "XDG_STATE_HOME": str(home)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "freg_pipeline.cli", "sql", "--store", made.location],
            stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=home,
            start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        self.said = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, expected: str) -> str:
        """What was said since the last call, up to the text that is waited for."""
        deadline = time.monotonic() + STUCK_SECONDS
        while expected not in self.said:
            assert time.monotonic() < deadline, self.said
            if select.select([self._ours], [], [], 0.5)[0]:
                self.said += os.read(self._ours, 65536).decode(errors="replace")
        before, _, self.said = self.said.partition(expected)
        return before + expected

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)


def test_at_a_prompt_one_asks_over_several_lines_cancels_and_ends(
    made: LocalStore, tmp_path: Path
) -> None:
    terminal = Terminal(made, tmp_path)
    try:
        terminal.until("freg> ")
        terminal.type("SELECT fornavn FROM navn\n")
        terminal.until("..> ")
        terminal.type(f"WHERE personidentifikator = '{C}';\n")
        assert "Cato" in terminal.until("freg> ")
        terminal.type("FROM nav;\n")
        assert 'Did you mean "navn"' in terminal.until("freg> ")
        terminal.type("SELECT sum(a.range) FROM range(1_000_000_000) a, range(1_000_000) b;\n")
        terminal.until("b;")
        time.sleep(1.0)  # it is at work by now; if not, what is typed is cancelled
        terminal.type("\x03")
        assert "cancelled" in terminal.until("freg> ")
        terminal.type("SELECT 'semi; -- no end;\n")  # within text, and in a comment
        terminal.until("..> ")
        terminal.type("colon' AS x -- ;\n")
        terminal.until("..> ")
        terminal.type("; -- here it ends\n")
        assert "semi; -- no end;\\ncolon" in terminal.until("freg> ")
        terminal.type("COPY navn TO 'here';\n")
        assert "only reads" in terminal.until("freg> ")
        terminal.type("\x04")
        assert terminal.process.wait(STUCK_SECONDS) == 0
    finally:
        terminal.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [], "no history is kept"


def test_a_prompt_ends_as_other_commands_when_it_is_told_to(
    made: LocalStore, tmp_path: Path
) -> None:
    terminal = Terminal(made, tmp_path)
    try:
        terminal.until("freg> ")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(STUCK_SECONDS) == 128 + signal.SIGTERM
    finally:
        terminal.close()
