"""Who may read a store beside its owner: tables and catalogue, and nothing else."""

from __future__ import annotations

import grp
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.journal.names import NAMES
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.release import build_release
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.readers import Readers, Reading, is_for_readers
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    navn,
    number,
)

A, B, C = (number(index) for index in range(3))
USER, GROUP, OTHERS = 54_320, 54_321, 54_322  # nobody's; accounts that exist aren't needed
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

# Becomes another user once everything is imported, since this Python may lie where that one can't
# go; then tells which objects it can read, and what it finds with DuckDB and by the command.
AS_ANOTHER = """
import contextlib, io, json, os, sys
from pathlib import Path
import duckdb
from freg_pipeline.commands.root import run
from freg_pipeline.store.local import LocalStore

store, user, *groups = sys.argv[1:]
os.environ["FREG_STORE"] = store

def command(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = run(list(arguments))
    return [code, out.getvalue()]

COMMANDS = [("sql", "SELECT fornavn FROM navn ORDER BY 1"), ("release", "show")]
for arguments in COMMANDS:
    command(*arguments)  # imports what it needs
keys = LocalStore(Path(store)).list("")

def may_read(key):
    try:
        open(os.path.join(store, key), "rb").close()
    except PermissionError:
        return False
    return True

def query():
    try:
        with duckdb.connect(os.path.join(store, "freg.duckdb"), read_only=True) as freg:
            now = freg.execute("SELECT fornavn FROM navn ORDER BY 1").fetchall()
            then = freg.execute("SELECT fornavn FROM navn_per(1000000) ORDER BY 1").fetchall()
    except duckdb.Error as error:
        return type(error).__name__
    return [now, then]

found = {}
os.setgroups([])
for group in groups:
    os.setegid(int(group))
    os.seteuid(int(user))
    found[group] = {
        "may read": [key for key in keys if may_read(key)],
        "found": query(),
        "commands": [command(*arguments) for arguments in COMMANDS],
    }
    os.seteuid(0)
print(json.dumps(found))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others can enter: those of pytest's own they can't."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def made(root: Path, readers: Readers) -> LocalStore:
    """A store with a release of a base and a delta."""
    store = LocalStore(root, Reading(readers))
    documents = [("d-a", document(A, navn=[navn("Ada")])), ("d-b", document(B, navn=[navn("Bo")]))]
    build_release(store, deliver(store, "one", documents))
    changed = [(A, document(A, C, day=5, navn=[navn("Adele")]))]
    build_release(store, deliver_events(store, 100, 200, changed))
    refresh_catalogue(store)
    return store


def assert_reads(store: LocalStore, expected: dict[int, bool]) -> None:
    """See what a user sees in one group after the other: all that is for readers, or nothing."""
    done = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER, store.location, str(USER), *map(str, expected)],
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, "TMPDIR": str(Path(store.location).parent)},
    )
    assert not done.returncode, done.stderr
    allowed = {key for key in store.list("") if is_for_readers(key)} | {"freg.duckdb"}
    for group, found in json.loads(done.stdout.splitlines()[-1]).items():
        may = expected[int(group)]
        assert set(found["may read"]) == (allowed if may else set()), group
        assert found["found"] == ([[["Adele"], ["Bo"]]] * 2 if may else "IOException"), group
        (code, told), (shown, release) = found["commands"]
        assert ("Adele" in told, "2 persons" in release) == (may, may), group
        assert (code == 0, shown == 0) == (may, may), group


@as_root
@pytest.mark.parametrize("umask", [0o000, 0o077], indirect=True)
def test_a_group_reads_tables_and_catalogue_and_nothing_else(folder: Path, umask: int) -> None:
    store = made(folder / "deep" / "store", Readers(GROUP))
    folder.joinpath("deep").chmod(0o711)
    assert_reads(store, {GROUP: True, OTHERS: False})
    assert store.list("uttrekk/"), "there is something to keep from them"
    compaction = begin_compaction(store)
    assert compaction is not None
    compact(store, compaction, lambda _: None)
    refresh_catalogue(store)
    assert_reads(store, {GROUP: True, OTHERS: False})


@as_root
def test_who_may_read_can_be_changed_at_any_time(folder: Path) -> None:
    made(folder / "store", Readers())
    for readers, some, others in (
        (Readers(), False, False),
        (Readers(GROUP), True, False),
        (Readers(OTHERS), False, True),
        (Readers(everyone=True), True, True),
        (Readers(), False, False),
    ):
        changed = LocalStore(folder / "store", Reading(readers))
        refresh_catalogue(changed)
        assert_reads(changed, {GROUP: some, OTHERS: others})


@as_root
def test_what_a_killed_process_left_undone_is_done_by_the_next(folder: Path) -> None:
    store = made(folder / "store", Readers(GROUP))
    for name in ("bases", "bases/one", "bases/one/navn"):
        Path(store.location, name).chmod(0o700)
    refresh_catalogue(store)
    assert_reads(store, {GROUP: True})


@as_root
def test_a_change_that_was_killed_and_taken_back_leaves_nothing_undone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made(folder / "store", Readers(GROUP))
    opened = Readers.open_folder

    def killed(readers: Readers, path: Path) -> None:
        opened(readers, path)
        if path.name == "one":  # a base: all in it is given, and "bases" isn't yet
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Readers, "open_folder", killed)
        with pytest.raises(KeyboardInterrupt):
            LocalStore(folder / "store", Reading(Readers(OTHERS))).open_to_readers()
    refresh_catalogue(store)
    assert_reads(store, {GROUP: True, OTHERS: False})


@as_root
def test_what_was_there_before_readers_were_named_is_given_to_them(folder: Path) -> None:
    made(folder / "store", Readers())
    named = LocalStore(folder / "store", Reading(Readers(GROUP)))
    for key in ("bases/two/x/0.parquet", "deltas/two/x/x.parquet", "releases/x/manifest.json",
                "contracts/x.xsd"):  # fmt: skip
        named.write(key, b"new, in each of the topmost folders")
    refresh_catalogue(named)
    assert_reads(named, {GROUP: True, OTHERS: False})


@as_root
def test_a_reader_writes_a_catalogue_of_their_own(folder: Path) -> None:
    store = made(folder / "store", Readers(GROUP))
    mine = folder / "mine"
    mine.mkdir()
    os.chown(mine, USER, GROUP)
    before = _modes(Path(store.location))
    reader = LocalStore(folder / "store", Reading(catalogue=mine / "freg.duckdb"))
    os.setegid(GROUP)
    os.seteuid(USER)
    try:
        written = refresh_catalogue(reader)
    finally:
        os.seteuid(0)
        os.setegid(0)
    assert (written.stat().st_uid, written.stat().st_mode & 0o777) == (USER, 0o600)
    assert _modes(Path(store.location)) == before


def _modes(folder: Path) -> dict[Path, tuple[int, int]]:
    found = {path: path.stat() for path in folder.rglob("*")}
    return {path: (one.st_mode, one.st_gid) for path, one in found.items()}


@as_root
def test_the_root_of_another_group_is_only_passed_through(folder: Path) -> None:
    root = folder / "store"
    root.mkdir()
    os.chown(root, 0, OTHERS)
    root.chmod(0o2770)
    store = made(root, Readers(GROUP))
    assert root.stat().st_gid == OTHERS
    assert root.stat().st_mode & 0o7777 == 0o2771
    assert root.joinpath("bases").stat().st_mode & 0o7777 == 0o2750
    assert_reads(store, {GROUP: True})


def test_a_folder_on_the_way_that_readers_cannot_enter_is_named(folder: Path) -> None:
    path = folder / "closed" / "open" / "freg.duckdb"
    path.parent.mkdir(parents=True, mode=0o755)
    path.parent.parent.chmod(0o700)
    path.parent.chmod(0o755)
    assert Readers(everyone=True).closed_folders(path) == [folder / "closed"]
    assert Readers().closed_folders(path) == []


def test_every_object_is_for_readers_or_isn_t() -> None:
    """By its name. What is new is nobody's but its owner's until someone decides otherwise."""
    example = {
        "uttrekk": "one", "attempt": "01", "job": "01", "batch": "000000", "chunk": "00000",
        "page": "000000", "form": "json", "table": "navn", "number": "000001", "base": "one",
        "compaction": "one.000000000200", "bucket": "0000", "piece": "felles", "pin": "q3",
        "fingerprint": "a1", "digest": "0123456789abcdef",
        "format": "delta", "version": "0" * 20,
        "metadata": "v1.metadata.json", "day": "2026-01-31", "access": "abcdefghijklmnop",
    }  # fmt: skip
    open_ones = {name.pattern for name in NAMES if is_for_readers(name.pattern.format(**example))}
    assert open_ones == {
        "contracts/{fingerprint}.xsd",
        "bases/{base}/{table}/{bucket}.parquet",
        "bases/{base}/_base.json",
        "deltas/{uttrekk}/{base}/_delta.json",
        "deltas/{uttrekk}/{base}/{table}.parquet",
        "releases/{number}/manifest.json",
        "releases/current.json",
        "formats/{format}.json",
        "formats/iceberg/catalogue.db",
        "formats/iceberg/freg/{table}/metadata/{metadata}",
        "bases/{base}/{table}/_delta_log/{version}.json",
    }
    for key in ("bases/one/_identitet/0000.parquet", "deltas/s/one/_identitet.parquet"):
        assert not is_for_readers(key)
    assert is_for_readers("deltas/s/one/_erstattet.parquet")


@pytest.mark.parametrize("wrong", ["no-such-group-here", "-1", "4711x"])
def test_a_group_that_is_none_is_told_in_a_line(wrong: str, freg: RunFreg, tmp_path: Path) -> None:
    ended = freg("release", "list", FREG_READERS=wrong, FREG_STORE=str(tmp_path))
    assert (ended.code, len(ended.lines)) == (2, 1)
    assert "FREG_READERS" in ended.stderr


def test_a_group_that_one_is_not_in_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", list)
    with pytest.raises(ConfigurationError, match="isn't in it"):
        Readers.named(str(GROUP))


def test_readers_are_those_of_the_settings(tmp_path: Path) -> None:
    mine = grp.getgrgid(os.getegid()).gr_name
    for setting, readers in (
        (None, Readers()),
        ("everyone", Readers(everyone=True)),
        (mine, Readers(os.getegid())),
        (f" {os.getegid()} ", Readers(os.getegid())),
    ):
        store = open_store(Settings(store=str(tmp_path), readers=setting))
        assert store.reading.readers == readers


@as_root
def test_a_root_that_readers_cannot_enter_and_is_another_s_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    folder.chmod(0o770)
    monkeypatch.setattr(Path, "chmod", refused)
    with pytest.raises(StoreError, match="can't enter"):
        Readers(GROUP).let_through(folder)
