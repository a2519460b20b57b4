"""Dagster's events in one file: found wherever the instance is, made once, and small."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.orchestration.engine import open_engine
from freg_pipeline.orchestration.resources import Freg

ROOT = Path(__file__).parents[2]
PROCESSES, EVENTS = 3, 5
MakeFreg = Callable[..., Freg]


def _report(home: str, number: int) -> None:
    with DagsterInstance.from_config(home) as instance:
        for _ in range(EVENTS):
            instance.report_runless_asset_event(AssetMaterialization(f"asset_{number}"))


def test_processes_that_begin_at_once_write_into_one_file(tmp_path: Path) -> None:
    with DagsterInstance.from_config(str(tmp_path)):
        pass  # its other files are there: Dagster itself makes these at the wrong moment for others
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=_report, args=(str(tmp_path), number)) for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert (tmp_path / "history" / "event_log.db").is_file()
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        for number in range(PROCESSES):
            key = AssetKey(f"asset_{number}")
            assert len(instance.fetch_materializations(key, limit=100).records) == EVENTS


@pytest.mark.usefixtures("recorded")
def test_what_a_command_records_is_seen_by_dagster_in_the_stores_folder(
    make_freg: MakeFreg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_engine(make_freg("http://127.0.0.1:1")) as engine:
        engine.add("uttrekk", "one")
    home = tmp_path / "store" / "dagster"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with DagsterInstance.get() as instance:
        assert instance.get_dynamic_partitions("uttrekk") == ["one"]
    assert (home / "dagster.yaml").stat().st_mode & 0o077 == 0


def test_many_events_are_written_by_one_connection_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        instance.report_runless_asset_event(AssetMaterialization("asset_0"))
        opened: list[str] = []
        connect = sqlite3.dbapi2.connect

        def counted(path: str, *args: Any, **more: Any) -> sqlite3.Connection:
            opened.append(path)
            return connect(path, *args, **more)

        monkeypatch.setattr(sqlite3.dbapi2, "connect", counted)
        for _ in range(EVENTS):
            instance.report_runless_asset_event(AssetMaterialization("asset_0"))
        assert opened == []
        told = os.fork()
        if told == 0:
            instance.report_runless_asset_event(AssetMaterialization("asset_0"))
            os._exit(len(opened))
        assert os.waitstatus_to_exitcode(os.waitpid(told, 0)[1]) > 0  # its parent's isn't used
        records = instance.fetch_materializations(AssetKey("asset_0"), limit=100).records
        assert len(records) == EVENTS + 2


@pytest.mark.usefixtures("recorded")
def test_records_that_were_emptied_are_made_anew(make_freg: MakeFreg, tmp_path: Path) -> None:
    freg = make_freg("http://127.0.0.1:1")
    with open_engine(freg) as engine:
        engine.add("uttrekk", "one")
    home = tmp_path / "store" / "dagster"
    settings = (home / "dagster.yaml").read_bytes()
    for path in (home / "dagster.yaml", *home.rglob("*.db")):
        path.write_bytes(b"")
    (home / "history" / "event_log.db-wal").write_bytes(b"of the file that was")
    with open_engine(freg) as engine:
        engine.add("uttrekk", "two")
        assert engine.instance.get_dynamic_partitions("uttrekk") == ["two"]
        assert engine.instance.get_runs() == []
    assert (home / "dagster.yaml").read_bytes() == settings


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    "damage", [(b"EventsInOneFile", b"EventsInOne"), (b"telemetry", b"t\xe4l")]
)
def test_settings_of_dagster_that_are_damaged_are_named(
    make_freg: MakeFreg, tmp_path: Path, damage: tuple[bytes, bytes]
) -> None:
    freg = make_freg("http://127.0.0.1:1")
    with open_engine(freg):
        pass
    settings = tmp_path / "store" / "dagster" / "dagster.yaml"
    settings.write_bytes(settings.read_bytes().replace(*damage))
    with pytest.raises(ConfigurationError, match=r"dagster\.yaml is wrong"), open_engine(freg):
        pass
