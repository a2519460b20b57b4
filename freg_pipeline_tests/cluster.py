"""A deployment on several machines, as ``deploy/several`` has it: here they are folders.

Each machine has a folder, a home, a DAGSTER_HOME and an environment of its own, and its processes
see each other over the network only: by Dagster's records in PostgreSQL, by Redis, and by the store
on S3.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from freg_pipeline_tests.deployment import ROOT, RegisterProcess, free_port
from freg_pipeline_tests.services import WITH_US, postgres, redis_server
from freg_pipeline_tests.waiting import wait_until

DEPLOY = ROOT / "deploy" / "several"
LOCATION = "freg_pipeline"


@dataclass
class Machine:
    """A machine.

    Attributes:
        folder: everything of it.
        environment: of its processes.
        processes: what runs there.
    """

    folder: Path
    environment: Mapping[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def set_up(cls, folder: Path, settings: Mapping[str, str]) -> Machine:
        """One with the files of ``deploy/several``, and with settings."""
        folder.mkdir()
        for name in ("home", "tmp"):
            (folder / name).mkdir()
        shutil.copytree(DEPLOY, folder / "dagster")
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "DAGSTER_HOME": str(folder / "dagster"),
            "PYTHONPATH": str(folder / "dagster"),
            **settings,
        }
        return cls(folder, environment)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start something there: in a group of its own, whose output is kept."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*WITH_US, *command], cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def run(self, *command: str) -> None:
        """Run something there to its end."""
        ended = self.start(*command)
        assert ended.wait() == 0, (self.folder / "log").read_text()[-4_000:]

    def has(self, pid: int) -> bool:
        """Whether a process runs there."""
        with suppress(ProcessLookupError):
            return os.getsid(pid) in {process.pid for process in self.processes}
        return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to everything there."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def lose(self) -> None:
        """It is switched off: everything there ends at once, and says nothing."""
        self.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()


@dataclass
class Cluster:
    """A deployment on several machines.

    Attributes:
        folder: where they are.
        settings: that all of them have.
        register: the register behind them.
        instance: Dagster's records.
        machines: by their names.
    """

    folder: Path
    settings: Mapping[str, str]
    register: RegisterProcess
    instance: dg.DagsterInstance
    machines: dict[str, Machine] = field(default_factory=dict)

    def machine(self, name: str) -> Machine:
        """Add a machine."""
        self.machines[name] = Machine.set_up(self.folder / name, self.settings)
        return self.machines[name]

    def worker(self, name: str) -> Machine:
        """Add a machine with a worker of Celery's."""
        machine = self.machine(name)
        celery = [sys.executable, "-m", "celery", "-A", "dagster_celery.app", "worker"]
        machine.start(*celery, "--hostname", f"{name}@%h", "--loglevel", "INFO")
        return machine

    def launch(self, job: str, config: Mapping[str, Any], **tags: str) -> None:
        """Launch a job, as an operator does from another machine."""
        machine = self.machines["office"]
        location = ["-w", str(machine.folder / "dagster" / "workspace.yaml"), "-l", LOCATION]
        machine.run(
            sys.executable, "-m", "dagster", "job", "launch", *location, "-j", job,
            "--config-json", json.dumps(config),
            "--tags", json.dumps({key.replace("__", "/"): value for key, value in tags.items()}),
        )  # fmt: skip

    def runs(
        self, job: str | None = None, statuses: Sequence[dg.DagsterRunStatus] = ()
    ) -> list[dg.DagsterRun]:
        """Runs, the newest first."""
        return list(self.instance.get_runs(dg.RunsFilter(job_name=job, statuses=statuses)))

    def wait_for(self, job: str) -> dg.DagsterRun:
        """Wait until a run of a job has succeeded."""
        ended = [dg.DagsterRunStatus.SUCCESS]
        wait_until(lambda: self.runs(job, ended), pause=0.2)
        return self.runs(job, ended)[0]

    def pid_of(self, run: dg.DagsterRun) -> int | None:
        """The process that has begun a run, as it tells."""
        events = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        for entry in events:
            told = entry.dagster_event.engine_event_data.metadata if entry.dagster_event else {}
            if "pid" in told:
                return int(str(told["pid"].value))
        return None


@contextmanager
def cluster(
    folder: Path, location: str, *register_options: str, **settings: str
) -> Iterator[Cluster]:
    """Start a deployment without workers; everything of it ends with the block.

    Args:
        folder: where its machines are.
        location: the module of the code location.
        register_options: of ``freg synthetic serve``.
        settings: of all machines, as environment variables.
    """
    register = RegisterProcess(*register_options)
    with ExitStack() as stack:
        stack.callback(register.kill)
        records = stack.enter_context(postgres())
        queue = stack.enter_context(redis_server(folder))
        register.start()
        code = {"DAGSTER_CODE_HOST": "127.0.0.1", "DAGSTER_CODE_PORT": str(free_port())}
        all_settings = {
            **records, **queue, **code,
            "FREG_BASE_URL": register.base_url,
            "FREG_POLL_SECONDS": "0.1",
            **settings,
        }  # fmt: skip
        instance = stack.enter_context(_instance(folder, all_settings))
        made = Cluster(folder, all_settings, register, instance)
        stack.callback(lambda: [one.lose() for one in made.machines.values()])
        made.machine("office")
        port = code["DAGSTER_CODE_PORT"]
        code_server = made.machine("code").start(
            sys.executable, "-m", "dagster", "code-server", "start", "-m", location,
            "--host", "127.0.0.1", "--port", port, "--location-name", LOCATION,
        )  # fmt: skip
        wait_until(lambda: _listens(int(port)), code_server, pause=0.2)
        daemon = made.machine("daemon")
        workspace = str(daemon.folder / "dagster" / "workspace.yaml")
        daemon.start(sys.executable, "-m", "dagster._daemon", "run", "-w", workspace)
        yield made


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextmanager
def _instance(folder: Path, settings: Mapping[str, str]) -> Iterator[dg.DagsterInstance]:
    """Dagster's records, as a machine sees them."""
    machine = Machine.set_up(folder / "looks", settings)
    before = dict(os.environ)
    os.environ.update({name: settings[name] for name in settings if not name.startswith("FREG_")})
    try:
        with dg.DagsterInstance.from_config(str(machine.folder / "dagster")) as instance:
            yield instance
    finally:
        os.environ.clear()
        os.environ.update(before)
