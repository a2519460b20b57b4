"""What every test may use: registers to talk to, stores to fill, the command as users run it.

What a small load costs, in seconds of CPU time, so that a test takes the cheapest that shows what
it is about: 0.7 without Dagster (``loads.full_load``, and 0.3 for ``loads.sync``); 2 with Dagster
in the test's own process (``run_uttrekk``, records in memory); 3 by the command (``freg``, forked
from a process that has imported what it needs); 6 by a command that is started from nothing.
Several tests that look at one release share it: a fixture of the module or the session, copied
where a test changes it (``shutil.copytree``; a store may be moved).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from freg_pipeline.orchestration import records
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.settings import Settings, load
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.command import Ended, ended
from freg_pipeline_tests.living import Living, living
from freg_pipeline_tests.published import Recorder, recording, violations
from freg_pipeline_tests.radosgw import Radosgw, missing
from freg_pipeline_tests.radosgw import running as running_radosgw

# How long an example takes says something of the machine only. And a red run says something of
# the change that it is of, not of what was drawn this time: ``pytest --hypothesis-profile drawn``
# and ``make fuzz`` look for what is new.
_SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("drawn", **_SLOW)
settings.register_profile("same", **_SLOW, derandomize=True)
settings.load_profile("same")

StartRegister = Callable[..., str]
RunFreg = Callable[..., "Ended"]


def pytest_configure(config: pytest.Config) -> None:
    """Draw the same examples whatever ran before.

    Hypothesis takes constants from those of our modules that are imported by then, and has no
    setting for it.
    """
    if config.getoption("hypothesis_profile") is None:
        providers.is_local_module_file = lambda path: False


def pytest_xdist_auto_num_workers() -> int:
    """With ``-n auto`` one worker more than cores: tests wait for other processes a good deal."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests, and processes that they kill, leave among temporary files goes when they end."""
    tmp_path_factory.getbasetemp()  # pytest's own stays where it is, for whoever looks into it
    get_temp_dir()  # multiprocessing's goes by itself, and must be there then
    with (
        tempfile.TemporaryDirectory(prefix="freg-tests-", ignore_cleanup_errors=True) as name,
        pytest.MonkeyPatch.context() as patch,
    ):
        Path(name).chmod(0o1777)  # as /tmp is: some processes run as other users
        patch.setenv("TMPDIR", name)
        patch.setattr(tempfile, "tempdir", None)  # asks for it again
        yield


@pytest.fixture(scope="session")
def _users_data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("data"))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, _users_data: str) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", _users_data)  # else notes get into the tester's own
    for name in [*os.environ]:
        if name.startswith(("FREG_", "DAGSTER_")):
            monkeypatch.delenv(name)


@pytest.fixture
def recorded() -> None:
    """Dagster's records of what a test runs in its own process lie in the store, as users' do."""


@pytest.fixture(autouse=True)
def _records_in_memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else they are kept in memory: SQLite's files cost a third of a small load.

    Commands in processes of their own record as users have it.
    """
    if "recorded" not in request.fixturenames:
        monkeypatch.setattr(records, "_instance", lambda home: DagsterInstance.ephemeral())


@pytest.fixture(autouse=True)
def sent_requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """What the client sent in this test; all of it as the published description allows."""
    recorder = recording(monkeypatch)
    yield recorder
    assert violations(recorder.sent) == []


@pytest.fixture(scope="session")
def small_register() -> Iterator[str]:
    """A faultless register of 1,000 registrations in batches of 300; its base URL."""
    with running(RegisterOptions(persons=1_000, batch_size=300, ready_after_seconds=0.05)) as url:
        yield url


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """A population of 1,400 registrations that has lived, in a store kept current by syncs."""
    folder = tmp_path_factory.mktemp("lived")
    with living(folder, persons=1_400, events=400) as made:
        yield made


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radosgw]:
    """Ceph's S3 service; tests keep apart by their buckets."""
    if packages := missing():
        pytest.skip(f"needs Ceph's S3 service: apt-get install {' '.join(packages)}")
    with running_radosgw(tmp_path_factory.mktemp("radosgw")) as service:
        yield service


@pytest.fixture
def start_register() -> Iterator[StartRegister]:
    """Start a register with the options given; returns its base URL."""
    with ExitStack() as stack:

        def start(**options: Any) -> str:
            chosen = {"persons": 300, "batch_size": 100, "ready_after_seconds": 0.05, **options}
            return stack.enter_context(running(RegisterOptions(**chosen)))

        yield start


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings for a register, with a store under the test's own folder."""

    def make(base_url: str, **others: Any) -> Settings:
        store = str(tmp_path / "store")
        return load(**{"base_url": base_url, "store": store, "poll_seconds": 0.02, **others})

    return make


@pytest.fixture
def make_freg(make_settings: Callable[..., Settings]) -> Callable[..., Freg]:
    def make(base_url: str, **others: Any) -> Freg:
        return Freg.from_settings(make_settings(base_url, **others))

    return make


@pytest.fixture
def freg(tmp_path: Path) -> RunFreg:
    """Run the command as a user does, in a process of its own and a folder of its own."""

    def run(*arguments: str, **environment: str) -> Ended:
        store = str(tmp_path / "store")
        return ended(arguments, tmp_path, {"FREG_STORE": store, **environment})

    return run
