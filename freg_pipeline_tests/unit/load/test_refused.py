"""What a load refuses, in one line that quotes nobody, and harms nothing; and a copy by rules."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from freg_pipeline.commands.root import cli, run
from freg_pipeline.errors import ResourceError
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.release import build_release
from freg_pipeline.load.alone import alone
from freg_pipeline.load.destination import destination
from freg_pipeline.load.duckdb_file import ready
from freg_pipeline.load.loading import load
from freg_pipeline.pseudonyms.key import make_key
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    Delivery,
    copy_of,
    deliver,
    document,
    local_store,
    navn,
    number,
)

PEOPLE = [number(index) for index in range(3)]
RULES = """
format = 1
protected = "out"

[tables.navn]
personidentifikator = "pseudonym"
fornavn = "keep_identifying"
"""


def full(store: LocalStore, name: str, people: Sequence[Delivery], xsd: bytes = XSD) -> None:
    documents = [(f"d-{name}-{one}", answer) for one, answer in people]
    uttrekk = deliver(store, name, documents, xsd=xsd)
    build_release(store, uttrekk, policy=Policy(accept_contract=True, allow_fewer=True))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = local_store(tmp_path_factory.mktemp("made"))
    full(store, "one", [(one, document(one, navn=[navn("Ola")])) for one in PEOPLE])
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


def told(capsys: pytest.CaptureFixture[str], store: LocalStore, *arguments: str) -> tuple[int, str]:
    """The command's exit code, and its one line."""
    code = run(["load", *arguments, "--store", store.location])
    line = capsys.readouterr().err.strip()
    assert line.count("\n") == 0
    assert not {*PEOPLE} & {*line.split()}
    return code, line


def test_tables_that_are_somebody_elses(
    store: LocalStore, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with duckdb.connect(file) as connection:
        connection.execute("CREATE SCHEMA freg; CREATE TABLE freg.navn AS SELECT 1 AS theirs")
    code, line = told(capsys, store, f"duckdb:{file}")
    assert code == 2
    assert "holds tables that aren't a copy" in line
    with duckdb.connect(file) as connection:
        assert connection.execute("FROM freg.navn").fetchall() == [(1,)]


def test_a_destination_that_does_not_answer(
    store: LocalStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS__PASSWORD", "hemmelig")
    code, line = told(capsys, store, "postgresql://etl@127.0.0.1:9/db")
    assert code == 1
    assert "can't be reached" in line
    assert "hemmelig" not in line


def test_a_file_that_is_no_database(
    store: LocalStore, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    duckdb.connect(file).close()
    content = file.read_bytes()
    for there in (b"", b"minutes of the meeting" * 500, content[:7_000]):
        file.write_bytes(there)
        code, line = told(capsys, store, f"duckdb:{file}")
        assert code == 2
        assert "isn't a DuckDB database that can be read" in line
        assert file.read_bytes() == there


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("duckdb:{}/nowhere/copy.duckdb", "No such file or directory"),
        ("duckdb:{}/a file/copy.duckdb", "Not a directory"),
        ("delta:{}/a file", "Not a directory"),
        ("delta:{}/a file/below", "Not a directory"),
    ],
)
def test_a_place_where_nothing_can_be_written(
    store: LocalStore, tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str, why: str
) -> None:
    (tmp_path / "a file").write_text("of somebody's")
    code, line = told(capsys, store, where.format(tmp_path))
    assert code == 2
    assert f"can't be written: {why}" in line
    assert (tmp_path / "a file").read_text() == "of somebody's"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_another_process_has(
    store: LocalStore, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holds = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holds, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        code, line = told(capsys, store, f"duckdb:{file}")
        assert other.stdin is not None
        other.stdin.close()
    assert code == 1
    assert "no other opens its file" in line


@pytest.mark.parametrize("room", [100, 5_000, 9_000])
def test_a_database_for_which_there_was_no_room_is_not_begun(tmp_path: Path, room: int) -> None:
    begin = (
        "import resource, sys; from pathlib import Path; "
        "from freg_pipeline.load.duckdb_file import ready; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2); "
        "ready(Path(sys.argv[1]))"
    )
    file = tmp_path / "warehouse.duckdb"
    full = subprocess.run(
        [sys.executable, "-c", begin, str(file), str(room)], check=False, stderr=subprocess.DEVNULL
    )
    assert full.returncode != 0
    assert [*tmp_path.iterdir()] == []
    ready(file)
    duckdb.connect(file).close()


def test_what_dlt_is_not_told(store: LocalStore, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = told(capsys, store, "snowflake")
    assert code == 2
    assert "Set DESTINATION__SNOWFLAKE__" in line
    code, line = told(capsys, store, "nothing_of_the_kind")
    assert code == 2
    assert "dlt knows no destination" in line
    code, line = told(capsys, store)
    assert code == 2
    assert "no destination is named" in line


def test_without_the_extra(
    store: LocalStore,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "dlt", None)
    code, line = told(capsys, store, f"duckdb:{file}")
    assert code == 2
    assert 'pip install "freg_pipeline[load]"' in line


def test_two_at_once(store: LocalStore, file: Path) -> None:
    there = destination(f"duckdb:{file}", "freg")
    with alone(str(there)), pytest.raises(ResourceError, match="another process loads this copy"):
        load(store, there)
    assert not file.exists()


def test_a_copy_by_rules_holds_nothing_else(
    store: LocalStore, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, rules = tmp_path / "key", tmp_path / "rules.toml"
    make_key(key)
    rules.write_text(RULES)
    by_rules = ["--pseudonymise", str(key), "--rules", str(rules)]
    where = [f"duckdb:{file}", "--store", store.location]
    for _ in range(2):
        ended = CliRunner().invoke(cli, ["load", *where, *by_rules])
        assert ended.exit_code == 0, ended.output
    assert "already" in ended.output
    with duckdb.connect(file) as connection:
        names = connection.execute("SELECT fornavn, personidentifikator FROM freg.navn").fetchall()
    assert [name for name, _ in names] == ["Ola"] * 3
    held = file.read_bytes()
    assert not [one for one in PEOPLE if one.encode() in held]
    code, line = told(capsys, store, f"duckdb:{file}")
    assert code == 2
    assert "is by other rules" in line
    assert [*(Path(store.location) / ".tmp").iterdir()] == []
