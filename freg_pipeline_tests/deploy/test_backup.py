"""A store that is copied while it is written, lost, and restored, without Dagster's records."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import DagsterInstance, SensorResult

from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.verify import verify
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, open_store
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.deploy import DEPLOY
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.tables import difference

# In front of a program of the backup's: a sync, from its beginning to a new release.
MEANWHILE = """#!/bin/sh
if [ "$1" != --extract ] && [ ! -e "$0.done" ]; then
  touch "$0.done"
  "{python}" -c "{sync}" >&2 </dev/null || exit 1
fi
exec {program} "$@"
"""
SYNC = """
from freg_pipeline.settings import load
from freg_pipeline_tests.loads import sync
from freg_pipeline_tests.registers import happen
settings = load()
happen(settings.base_url, 60)
sync(settings)
"""


class Backup:
    """A store of a living register, and a copy that is made of it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.settings, self._folder = settings, folder
        self.copy = folder / "copy"

    def make(self) -> None:
        """Make the copy; a sync comes between its beginning, its list of files, and its copying."""
        programs = self._folder / "programs"
        programs.mkdir()
        for name in ("find", "tar"):
            script, program = programs / name, shutil.which(name)
            script.write_text(MEANWHILE.format(python=sys.executable, sync=SYNC, program=program))
            script.chmod(0o755)
        environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "FREG_BASE_URL": str(self.settings.base_url),
            "FREG_STORE": self.settings.store,
        }
        command = [DEPLOY / "backup.sh", self.settings.store, self.copy]
        subprocess.run(command, env=environment, check=True)

    def restore(self) -> Store:
        """Lose the store, which is returned, and put the copy in its place."""
        lost = self.settings.model_copy(update={"store": f"{self.settings.store}-lost"})
        shutil.move(self.settings.store, lost.store)
        shutil.copytree(self.copy, self.settings.store)
        return open_store(lost)


@pytest.fixture
def backup(
    tmp_path: Path, start_register: StartRegister, make_settings: Callable[..., Settings]
) -> Backup:
    url = start_register(persons=60, batch_size=60)
    settings = make_settings(url)
    full_load(settings)
    happen(url, 60)
    sync(settings)
    return Backup(tmp_path, settings)


def a_new_dagster_requests_a_sync(settings: Settings) -> bool:
    """Whether one whose records are lost altogether knows from the store what comes next."""
    with DagsterInstance.ephemeral() as records:
        result = sensed("hendelser_sensor", Freg.from_settings(settings), records)
    assert isinstance(result, SensorResult)
    return len(result.run_requests or ()) == 1


def test_a_copy_is_whole_whatever_is_published_meanwhile(backup: Backup) -> None:
    before = require_current(open_store(backup.settings)).number

    backup.make()
    after = require_current(open_store(backup.settings)).number
    lost = backup.restore()

    store = open_store(backup.settings)
    assert int(after) == int(before) + 2
    assert require_current(store).number == before
    assert verify(store) == []
    assert a_new_dagster_requests_a_sync(backup.settings)
    assert sync(backup.settings)
    assert difference(store, lost) == {}


def test_a_copy_goes_nowhere_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "store/releases").mkdir(parents=True)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/something").touch()
    command = [DEPLOY / "backup.sh", tmp_path / "store", tmp_path / "copy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"{tmp_path}/copy isn't empty\n")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["something"]
