"""The units of systemd: verified by it where it is, and what they start is started."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from freg_pipeline.settings import Settings
from freg_pipeline_tests.deploy import BIN, DEPLOY, settings

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
WORST = 25  # of 100: how exposed a service may be, by systemd's own count

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze"
)


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units with the commands where they are here."""
    return [_installed(unit, tmp_path) for unit in UNITS]


def _installed(unit: Path, folder: Path) -> Path:
    here = folder / unit.name
    here.write_text(unit.read_text().replace("/opt/freg/venv/bin", str(BIN)))
    return here


@needs_systemd
def test_systemd_understands_the_units(installed: list[Path]) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", *installed], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_services_can_do_little(installed: list[Path]) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={WORST}"]
    for unit in installed:
        subprocess.run([*command, unit], check=True, stdout=subprocess.DEVNULL)


def test_what_isnt_secret_is_a_setting_that_there_is() -> None:
    known = {f"FREG_{name.upper()}" for name in Settings.model_fields}
    known |= {"DAGSTER_HOME", "TMPDIR"}
    assert settings(DEPLOY / "systemd/freg.env.example").keys() <= known


def test_only_who_works_with_the_register_is_given_secrets() -> None:
    given = {unit.stem for unit in UNITS if "secrets.env" in unit.read_text()}
    assert given == {"freg-code", "freg-worker"}


def test_where_runs_go_to_celery_each_service_knows_how_and_nobody_else_does() -> None:
    celery = settings(DEPLOY / "systemd/celery.env.example").keys()
    assert celery == {"DAGSTER_CELERY_BROKER", "DAGSTER_CELERY_BACKEND"}  # with a password in them
    assert celery.isdisjoint(settings(DEPLOY / "systemd/secrets.env.example"))
    assert celery.isdisjoint(settings(DEPLOY / "systemd/freg.env.example"))
    started = [*UNITS, DEPLOY / "systemd/freg"]
    assert [one.name for one in started if "-/etc/freg/celery.env" not in one.read_text()] == []


def test_the_journal_doesnt_hear_what_freg_is_told(tmp_path: Path) -> None:
    stand_in = tmp_path / "systemd-run"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)
    words = ["person", "01010112345"]
    told = subprocess.run(
        ["sh", DEPLOY / "systemd/freg", *words],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()
    options = told[: told.index("/opt/freg/venv/bin/freg")]
    assert told[-2:] == words
    # Without a description systemd takes the whole command for it, and logs it.
    assert [one for one in options if one.startswith("--description=")] == ["--description=freg"]


def _as_usual() -> None:
    """Take Ctrl-C as a service does: where it is ignored, Dagster ignores SIGTERM as well."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_code_server_starts_as_its_unit_says() -> None:
    with tempfile.TemporaryDirectory() as name:  # a socket's path may have 107 characters
        folder = Path(name)
        unit = (DEPLOY / "systemd/freg-code.service").read_text()
        (command,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
        shutil.copy(DEPLOY / "one/dagster.yaml", folder)
        here = command.replace("/opt/freg/venv/bin", str(BIN)).replace("/run/freg", name)
        environment = {**os.environ, "DAGSTER_HOME": name, "FREG_STORE": str(folder / "store")}
        process = subprocess.Popen(
            shlex.split(here),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_as_usual,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            assert any("Started Dagster code proxy server" in line for line in process.stdout)
            check = [BIN / "dagster", "api", "grpc-health-check", "--socket", folder / "code.sock"]
            subprocess.run(check, check=True)
        finally:  # with the server that it begins
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
