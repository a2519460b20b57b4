"""Places as they are: odd paths, wrong settings of Dagster's, damaged records, full disks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.verify import verify
from freg_pipeline.orchestration.engine import open_engine
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen

NUMBER, NAME = "03851598730", "Ola Nordmann"


def test_a_path_with_signs_that_others_take_for_theirs(
    start_register: StartRegister, freg: RunFreg, tmp_path: Path
) -> None:
    url = start_register(persons=30)
    store = str(tmp_path / 'it\'s 100% "ø" #1 [a]; $HOME')
    ended = freg("uttrekk", "komplett", FREG_BASE_URL=url, FREG_STORE=store)
    assert ended.code == 0, ended.stderr
    counted = freg("sql", "select count(*) from person", "--format", "csv", FREG_STORE=store)
    assert int(counted.stdout.split()[-1]) > 20


@pytest.mark.parametrize("sign", ["?", "*", "\\", "\n", "\x1b"])
def test_a_path_that_would_be_a_pattern_is_refused(sign: str, freg: RunFreg) -> None:
    ended = freg("release", "list", FREG_STORE=f"/tmp/a{sign}b")
    assert ended.code == 2
    assert len(ended.lines) == 1
    assert "FREG_STORE" in ended.stderr


WRONG_HOMES: dict[str, tuple[Callable[[Path], str], str]] = {
    "relative": (lambda _: "somewhere", "full path"),
    "missing": (lambda folder: str(folder / "missing"), "doesn't exist"),
    "a file": (lambda folder: str(_file(folder)), "no folder"),
    "a question": (lambda folder: str(_folder(folder / "a?b")), "can't open"),
}


def _file(folder: Path) -> Path:
    (folder / "file").write_text("no folder")
    return folder / "file"


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("case", WRONG_HOMES)
def test_a_wrong_dagster_home_is_told(
    case: str,
    make_freg: Callable[..., Freg],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, said = WRONG_HOMES[case]
    monkeypatch.setenv("DAGSTER_HOME", make(tmp_path))
    with pytest.raises(ConfigurationError, match=said), open_engine(make_freg("https://x")):
        pass


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("content", ["telemetry: {enabled", "no_such_setting: 1"])
def test_a_wrong_dagster_yaml_is_told(
    content: str, make_freg: Callable[..., Freg], tmp_path: Path
) -> None:
    freg = make_freg("https://x")
    with open_engine(freg):
        pass
    (tmp_path / "store" / "dagster" / "dagster.yaml").write_text(content)
    with pytest.raises(ConfigurationError, match=r"dagster\.yaml is wrong"), open_engine(freg):
        pass


def test_damaged_records_of_dagsters_are_told_with_the_way_out(
    start_register: StartRegister, freg: RunFreg, tmp_path: Path
) -> None:
    url = start_register(persons=30)
    assert freg("uttrekk", "komplett", FREG_BASE_URL=url).code == 0
    records = tmp_path / "store" / "dagster"
    (records / "history" / "runs.db").write_text("junk" * 300)
    ended = freg("hendelser", "sync", FREG_BASE_URL=url)
    assert ended.code == 1
    assert len(ended.lines) == 1
    assert "Move their folder away" in ended.stderr
    records.rename(tmp_path / "away")
    assert freg("hendelser", "sync", FREG_BASE_URL=url).code == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_in_a_line_and_the_next_call_goes_on(
    small_disk: Path, start_register: StartRegister, freg: RunFreg
) -> None:
    url = start_register(persons=30)
    place = {"FREG_BASE_URL": url, "FREG_STORE": str(small_disk / "store")}
    for size in ("300k", "700k", "1m"):  # Dagster's records, tables, the base: there is no room
        subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)
        ended = freg("uttrekk", "komplett", "--name", "one", **place)
        said = [line for line in ended.lines if line.startswith("Error")]
        others = [line for line in ended.lines if line not in said]
        assert ended.code == 1, ended.stderr
        assert len(said) == 1, ended.stderr
        assert "Make room there" in said[0]
        assert all(" of " in one or one.startswith("WARNING the register") for one in others)
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    ended = freg("uttrekk", "komplett", "--name", "one", **place)
    assert ended.code == 0, ended.stderr


def test_a_disk_that_fills_during_a_compaction_harms_nothing(
    small_disk: Path,
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
    freg: RunFreg,
) -> None:
    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)

    resize("100m")
    url = start_register(persons=60)
    settings = make_settings(url, store=str(small_disk / "store"))
    full_load(settings)
    happen(url, 30)
    sync(settings)
    before = require_current(open_store(settings))
    resize(f"{(shutil.disk_usage(small_disk).used >> 10) + 60}k")
    ended = freg("compact", "--force", FREG_STORE=settings.store)
    assert ended.code == 1, ended.stderr
    assert "Make room there" in ended.lines[-1]
    assert "Traceback" not in ended.stderr
    assert require_current(open_store(settings)) == before
    resize("100m")
    assert freg("compact", "--force", FREG_STORE=settings.store).code == 0
    assert require_current(open_store(settings)).deltas == ()
    assert verify(open_store(settings)) == []


def test_what_dagster_records_of_an_error_quotes_nothing() -> None:
    @dg.asset
    @in_our_words
    def failing() -> None:
        try:
            raise KeyError(NUMBER)
        except KeyError:
            raise ValueError(f"could not convert '{NUMBER}', {NAME}")  # noqa: B904

    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.Failure, match="unforeseen ValueError"):
            dg.materialize([failing], instance=instance)
        (run,) = instance.get_runs()
        records = "".join(str(one) for one in instance.all_logs(run.run_id))
    assert "unforeseen ValueError" in records
    assert NUMBER not in records
    assert NAME not in records
