"""A register that is away for a while: long work waits for it, and says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.registers import Door, happen
from freg_pipeline_tests.waiting import STUCK_SECONDS, started, wait_until

StartDoor = Callable[..., Door]
WAITING = "waiting for the register, up to 12 hours (FREG_WAIT_HOURS)"  # said after 3 s
LONGER_SECONDS = 2.0  # in all longer than an unknown address is given


@pytest.fixture
def start_door(start_register: StartRegister) -> Iterator[StartDoor]:
    """A register behind a door."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Door(start_register(**options)))


def test_a_full_load_waits_between_two_batches(
    start_door: StartDoor, make_freg: Callable[..., Freg], tmp_path: Path
) -> None:
    door = start_door(persons=300, batch_size=10, latency_ms=200)  # so slow that it is shut in time
    settings = make_freg(door.url).settings
    store = open_store(settings)
    under_way = Uttrekk(store, "all")
    errors = tmp_path / "errors"
    with (
        errors.open("w") as written,
        started(
            [sys.executable, "-m", "freg_pipeline.cli", "uttrekk", "komplett", "--name", "all"],
            env={
                **os.environ, "FREG_STORE": settings.store, "FREG_BASE_URL": door.url,
                "FREG_POLL_SECONDS": "0.02",
            },
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=written,
        ) as process,
    ):  # fmt: skip
        wait_until(lambda: under_way.exists and under_way.batches(), process)
        door.shut()
        assert under_way.end is None, "all batches came before the door was shut"
        wait_until(lambda: WAITING in errors.read_text(), process)
        time.sleep(LONGER_SECONDS)
        door.open()
        process.wait(STUCK_SECONDS)
    told = errors.read_text()
    assert process.returncode == 0, told
    assert require_current(store).accounting.failed == 0
    assert told.count(WAITING) == 1
    assert "the register answers again" in told


def test_following_it_comes_back_by_itself(
    start_door: StartDoor, make_freg: Callable[..., Freg], tmp_path: Path
) -> None:
    door = start_door(persons=60)
    freg = make_freg(door.url)
    run_uttrekk(freg)
    store = open_store(freg.settings)
    errors = tmp_path / "errors"
    with (
        errors.open("w") as written,
        started(
            [
                sys.executable, "-m", "freg_pipeline.cli", "hendelser", "sync", "--follow",
                "--follow-seconds", "0.1",
            ],
            env={**os.environ, "FREG_STORE": freg.settings.store, "FREG_BASE_URL": door.url},
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=written,
        ) as process,
    ):  # fmt: skip
        first = happen(door.behind, 5)
        wait_until(lambda: require_current(store).sekvensnummer == first, process)
        door.shut()
        wait_until(lambda: WAITING in errors.read_text(), process)
        time.sleep(LONGER_SECONDS)
        last = happen(door.behind, 5)
        door.open()
        wait_until(lambda: require_current(store).sekvensnummer == last, process)
        process.send_signal(signal.SIGINT)
        process.wait(STUCK_SECONDS)
    assert process.returncode == 130, errors.read_text()


def test_silence_is_a_wrong_setting_only_where_nothing_is_known_of_the_register(
    start_door: StartDoor, make_freg: Callable[..., Freg], freg: RunFreg
) -> None:
    door = start_door(persons=60)
    nobody = freg("uttrekk", "komplett", FREG_BASE_URL="http://127.0.0.1:9/x")
    assert nobody.code == 2
    assert "FREG_BASE_URL" in nobody.lines[-1]
    run_uttrekk(make_freg(door.url))
    door.shut()
    for command in (("hendelser", "sync"), ("uttrekk", "komplett")):
        away = freg(*command, FREG_BASE_URL=door.url, FREG_WAIT_HOURS="0.001")
        assert away.code == 1, away.stderr
        assert "waiting for the register, up to 0.001 hours" in away.lines[0]
        assert "again later" in away.lines[-1]
        assert "FREG_BASE_URL" not in away.stderr
    mistyped = freg("hendelser", "sync", FREG_BASE_URL="http://127.0.0.1:9/x")
    assert mistyped.code == 2, "nothing of that address is in the store"
