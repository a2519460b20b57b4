"""``make ui``: the page and a register that lives, and nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from freg_pipeline.client import Register
from freg_pipeline.settings import Settings, load
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline.ui import followed_to, of_synthetic
from freg_pipeline_tests.deployment import (
    ROOT,
    clean_environment,
    free_port,
    is_ready,
    processes_of,
)
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import events_of, happen
from freg_pipeline_tests.waiting import STUCK_SECONDS, started, wait_until

UI = [sys.executable, "-m", "freg_pipeline.ui"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A DAGSTER_HOME; should a test fail, nothing goes on there."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    yield tmp_path
    for process in processes_of(tmp_path):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def test_what_opens_another_register_and_whom_that_one_tells_are_left_out() -> None:
    real = {
        "FREG_ENVIRONMENT": "produksjon",
        "FREG_TOKEN": "a token",
        "FREG_MASKINPORTEN_CLIENT_ID": "ours",
        "FREG_MASKINPORTEN_KEY_FILE": "key.pem",
        "FREG_FIKS_INTEGRASJON_PASSORD": "a password",
        "FREG_ALERTS": "mailtos://somebody",
    }
    kept = {"PATH": "/bin", "FREG_PARTS": "navn"}
    assert of_synthetic({**real, **kept}, "http://127.0.0.1:1", "/store") == {
        **kept,
        "FREG_ENVIRONMENT": "syntetisk",
        "FREG_BASE_URL": "http://127.0.0.1:1",
        "FREG_STORE": "/store",
    }


def test_it_starts_without_a_warning_things_happen_and_ctrl_c_leaves_no_process(
    home: Path,
) -> None:
    port, register_port = free_port(), free_port()
    ports = ["--port", str(port), "--register-port", str(register_port)]
    base_url = f"http://127.0.0.1:{register_port}/folkeregisteret/offentlig-med-hjemmel/api"
    log = home / "log"
    with (
        log.open("wb") as output,
        started(
            [*UI, *ports, "--persons", "100", "--events-per-minute", "600"],
            cwd=ROOT,
            env=_environment(home),
            stdout=output,
            stderr=output,
        ) as process,
    ):
        wait_until(lambda: is_ready(f"http://127.0.0.1:{port}"), process, pause=0.2)
        first = _last_number(base_url)
        wait_until(lambda: _last_number(base_url) > first, process, pause=0.1)
        assert processes_of(home) != []
        process.send_signal(signal.SIGINT)
        assert process.wait(STUCK_SECONDS) == 0
    assert processes_of(home) == []
    said = log.read_text()
    assert "arning" not in said, said
    assert "WARN" not in said, said
    assert "Traceback" not in said, said
    assert said.splitlines()[-1] == "Stopped"


def test_a_register_that_is_started_again_goes_on_from_where_its_store_is(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    options = RegisterOptions(persons=100)
    assert followed_to(str(tmp_path / "none")) == 0
    with running(options) as base_url:
        happen(base_url, 50)
        settings = make_settings(base_url)
        loaded = full_load(settings)
        assert followed_to(settings.store) == loaded.sekvensnummer
        last = happen(base_url, 30)
        sync(settings)
        before = events_of(base_url)
    assert followed_to(settings.store) == last > loaded.sekvensnummer
    with running(replace(options, lived_to=last)) as again:
        assert events_of(again) == before


@pytest.mark.parametrize("taken", ["PORT", "REGISTER_PORT"])
def test_a_port_that_is_taken_is_told_in_one_line_and_nothing_is_started(
    taken: str, home: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ports = {"PORT": free_port(), "REGISTER_PORT": free_port(), taken: port}
        chosen = ["--port", str(ports["PORT"]), "--register-port", str(ports["REGISTER_PORT"])]
        ended = subprocess.run(
            [*UI, *chosen],
            cwd=ROOT,
            env=_environment(home),
            capture_output=True,
            text=True,
            timeout=STUCK_SECONDS,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        f"Error: the address 127.0.0.1:{port} can't be used: Address already in use. End what uses"
        f" it, or choose another: make ui {taken}={port + 1}"
    ]


def _environment(home: Path) -> dict[str, str]:
    store = str(home / "store")
    return {**clean_environment(), "DAGSTER_HOME": str(home), "FREG_STORE": store}


def _last_number(base_url: str) -> int:
    async def ask() -> int:
        async with Register.from_settings(load(base_url=base_url)) as register:
            return await register.hendelser.siste_sekvensnummer()

    return asyncio.run(ask())
