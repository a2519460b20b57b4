"""Dagster's settings for production, read by Dagster, and Celery's by a worker."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster._utils.env import environ

from freg_pipeline_tests.deploy import BIN, DEPLOY, documents
from freg_pipeline_tests.deployment import ROOT
from freg_pipeline_tests.unprivileged import make_read_only, unprivileged

PLACES = {
    "DAGSTER_PG_HOST": "postgres",
    "DAGSTER_PG_PORT": "5433",
    "DAGSTER_PG_USER": "dagster",
    "DAGSTER_PG_DB": "dagster",
    "DAGSTER_CODE_HOST": "code",
    "DAGSTER_CODE_PORT": "4000",
    "DAGSTER_CELERY_BROKER": "memory://",
    "DAGSTER_CELERY_BACKEND": "cache+memory://",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def read(which: str, home: Path) -> InstanceRef:
    shutil.copy(DEPLOY / which / "dagster.yaml", home)
    return InstanceRef.from_dir(str(home))


def test_one_machine_keeps_its_records_there(home: Path) -> None:
    with DagsterInstance.from_ref(read("one", home)) as instance:
        assert type(instance.event_log_storage).__name__ == "EventsInOneFile"
        assert type(instance.run_launcher).__name__ == "DefaultRunLauncher"
        assert instance.run_monitoring_enabled
        assert not instance.telemetry_enabled


def test_several_machines_keep_theirs_in_postgresql_and_launch_by_celery(home: Path) -> None:
    with environ(PLACES):
        ref = read("several", home)
        kept = ref.storage_data
        launcher = ref.run_launcher

    assert kept is not None
    assert "scheme: postgresql+psycopg2" in kept.config_yaml
    assert "password" not in kept.config_yaml  # PGPASSFILE's or PGPASSWORD's
    assert type(launcher).__name__ == "CeleryRunLauncher"


def test_records_that_lie_elsewhere_are_found_where_nothing_can_be_written(home: Path) -> None:
    elsewhere, store = home.parent / "elsewhere", home.parent / "store"
    elsewhere.mkdir()
    (home / "dagster.yaml").write_text(f"storage: {{sqlite: {{base_dir: {elsewhere}}}}}\n")
    make_read_only(home)
    environment = {**os.environ, "DAGSTER_HOME": str(home), "FREG_STORE": str(store)}
    told = subprocess.run(
        [*unprivileged(), BIN / "freg", "status", "--no-ask"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 4, told.stderr
    assert "To see to: 1" in told.stdout
    assert "Dagster's records aren't here" not in told.stdout + told.stderr


@pytest.mark.parametrize("which", ["one", "several"])
def test_what_a_run_may_do_is_the_same_everywhere(which: str) -> None:
    (here,), (there,) = documents(ROOT / "dagster.yaml"), documents(DEPLOY / which / "dagster.yaml")
    same = ("concurrency", "retention", "freshness", "telemetry", "nux", "compute_logs")
    assert {name: there[name] for name in same} == {name: here[name] for name in same}
    assert here["run_monitoring"].items() <= there["run_monitoring"].items()


def test_the_code_server_is_found_by_its_socket_or_its_address() -> None:
    assert _origin("one").socket == "/run/freg/code.sock"
    with environ(PLACES):
        several = _origin("several")
    assert (several.host, several.port) == ("code", 4000)


def _origin(which: str) -> Any:
    (origin,) = location_origins_from_yaml_paths([str(DEPLOY / which / "workspace.yaml")])
    return origin


def test_a_worker_reads_its_configuration() -> None:
    (compose,) = documents(DEPLOY / "compose/compose.yaml")
    program, *options = compose["services"]["worker"]["command"]
    environment = {
        **os.environ,
        **PLACES,
        "PYTHONPATH": str(DEPLOY / "several"),
        "DAGSTER_WORKER_PROCESSES": "3",
    }
    worker = subprocess.Popen(
        [BIN / program, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert worker.stdout is not None
        told = "".join(takewhile(lambda line: ". resume_job" not in line, worker.stdout))
    finally:  # with the processes it begins: while it does, it may be deaf to SIGTERM
        os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()

    assert "transport:   memory://" in told
    assert "concurrency: 3 (prefork)" in told
    assert "exchange=dagster(direct)" in told
    assert ". execute_job" in told
