"""A deployment as ``make ui`` starts it: Dagster's page and daemon, and a register behind them.

All of it in processes of its own, on free ports of this machine, with fresh records and a fresh
store. What Dagster knows is read from its records, what people see and do from the page.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from dagster import (
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    RunRecord,
    RunsFilter,
)
from dagster._core.scheduler.instigation import TickStatus
from playwright.sync_api import Page, sync_playwright

from freg_pipeline.ui import dagster
from freg_pipeline_tests.browser import CHROMIUM, FLAGS
from freg_pipeline_tests.waiting import STUCK_SECONDS, wait_until

ROOT = Path(__file__).resolve().parent.parent
LOCATION = "freg_pipeline.definitions"
READY = "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"


class RegisterProcess:
    """A synthetic register that can be killed and started again at the same place.

    Args:
        options: of ``freg synthetic serve``.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self.base_url = ""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "freg_pipeline.cli", "synthetic", "serve"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self._port), *self._options], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.base_url = self._process.stdout.readline().strip()
        assert self.base_url, "the register ended before it was ready"

    def kill(self) -> None:
        """End it at once, as a machine that is switched off."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


@dataclass
class Deployment:
    """A running deployment.

    Attributes:
        url: of Dagster's page.
        home: its DAGSTER_HOME.
        store: a folder.
        register: the register behind it.
        log: what Dagster's processes have written.
    """

    url: str
    home: Path
    store: Path
    register: RegisterProcess
    log: Path
    asked_outside: list[str] = field(default_factory=list)  # by pages, of other addresses

    @cached_property
    def instance(self) -> DagsterInstance:
        """Dagster's records."""
        return DagsterInstance.from_config(str(self.home))

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask Dagster by GraphQL; its data."""
        asked = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.url}/graphql", json=asked, timeout=60, trust_env=False)
        told: dict[str, Any] = answer.raise_for_status().json()
        assert "errors" not in told, told
        data: dict[str, Any] = told["data"]
        return data

    def runs(self, job: str | None = None, **tags: str) -> list[DagsterRun]:
        """The runs of a job, the newest first; without one, of all."""
        return [one.dagster_run for one in self.records(job, **tags)]

    def records(self, job: str | None = None, **tags: str) -> list[RunRecord]:
        """The same with their times."""
        return list(self.instance.get_run_records(RunsFilter(job_name=job, tags=tags)))

    def wait_for_runs(self, count: int, job: str | None = None, **tags: str) -> list[DagsterRun]:
        """Wait until so many runs of a job have ended, however; the newest first."""

        def ended() -> list[DagsterRun]:
            return [run for run in self.runs(job, **tags) if run.is_finished]

        wait_until(lambda: len(ended()) >= count, pause=0.2)
        return ended()

    def wait_for_run(self, run_id: str) -> DagsterRun:
        """Wait until a run has ended, however."""

        def ended() -> DagsterRun | None:
            run = self.instance.get_run_by_id(run_id)
            return run if run is not None and run.is_finished else None

        wait_until(ended, pause=0.2)
        run = ended()
        assert run is not None
        return run

    def wait_for_step(self, run_id: str, step: str) -> None:
        """Wait until a run has begun a step."""
        begun = {DagsterEventType.STEP_START}
        wait_until(
            lambda: any(
                entry.dagster_event is not None and entry.dagster_event.step_key == step
                for entry in self.instance.all_logs(run_id, of_type=begun)
            ),
            pause=0.2,
        )

    def wait_for_ticks(self, sensor: str, count: int) -> None:
        """Wait until a sensor has looked so many times more."""
        (state,) = (
            one
            for one in self.instance.all_instigator_state()
            if one.origin.instigator_name == sensor
        )

        def done() -> int:
            ticks = self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
            return sum(tick.status is not TickStatus.STARTED for tick in ticks)

        before = done()
        wait_until(lambda: done() >= before + count, pause=0.2)

    def materialised(self, *key: str) -> dict[str, Any]:
        """The metadata of an asset's latest materialisation; none where there is none."""
        event = self.instance.get_latest_materialization_event(AssetKey([*key]))
        made = event.asset_materialization if event is not None else None
        return {} if made is None else {name: one.value for name, one in made.metadata.items()}

    @contextmanager
    def page(self, *, width: int = 1440, height: int = 900) -> Iterator[Page]:
        """The page in a browser. What it asks for outside of this deployment is noted.

        No event loop may run beside it in the same thread.
        """
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(
                viewport={"width": width, "height": height}, base_url=self.url,
                reduced_motion="reduce",
            )  # fmt: skip
            page.set_default_timeout(STUCK_SECONDS * 1_000)
            page.on("request", lambda request: self._note(request.url))
            yield page
            browser.close()

    def _note(self, url: str) -> None:
        own = (self.url, self.url.replace("http", "ws"), "data:", "blob:")
        if not url.startswith(own):
            self.asked_outside.append(url)


@contextmanager
def deployed(
    folder: Path,
    *register_options: str,
    module: str = "freg_pipeline_tests.quick",
    location: str = LOCATION,
    **environment: str,
) -> Iterator[Deployment]:
    """Start a deployment; everything of it ends with the block.

    Args:
        folder: where records, store and log lie.
        register_options: of ``freg synthetic serve``.
        module: the code location; by default ours, with sensors that look every few seconds.
        location: the code location's name.
        environment: settings beside those that name register and store.
    """
    home, store, log = folder / "dagster", folder / "store", folder / "dagster.log"
    home.mkdir(mode=0o700)
    shutil.copy(ROOT / "dagster.yaml", home)
    ours = (ROOT / "workspace.yaml").read_text()
    named = f"{{module_name: {module}, location_name: {location}}}"
    assert LOCATION in ours
    (home / "workspace.yaml").write_text(ours.replace(LOCATION, named))
    register = RegisterProcess("--persons", "300", "--batch-size", "100", *register_options)
    with ExitStack() as stack:
        stack.callback(register.kill)
        register.start()
        settings = {
            "FREG_STORE": str(store),
            "FREG_BASE_URL": register.base_url,
            "FREG_POLL_SECONDS": "0.1",
            **environment,
        }
        url = stack.enter_context(_dagster(home, log, {**clean_environment(), **settings}))
        deployment = Deployment(url, home, store, register, log)
        try:
            yield deployment
        finally:
            deployment.instance.dispose()


@contextmanager
def _dagster(home: Path, log: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Webserver and daemon; yields the page's address once they are at work."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    location = ["--workspace", str(home / "workspace.yaml")]
    with (
        log.open("wb") as output,
        dagster(home, location, port, environment, output.fileno()) as process,
    ):
        wait_until(lambda: is_ready(url), process, pause=0.2)
        yield url


def is_ready(url: str) -> bool:
    """Whether Dagster's page is there, and what is to be seen on it has been loaded."""
    try:
        answer = httpx.post(f"{url}/graphql", json={"query": READY}, timeout=60, trust_env=False)
    except httpx.TransportError:
        return False
    entries = answer.json()["data"]["workspaceOrError"].get("locationEntries", [])
    return bool(entries) and all(one["loadStatus"] == "LOADED" for one in entries)


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def processes_of(home: Path) -> list[int]:
    """The processes that work with a DAGSTER_HOME (Linux)."""
    told = f"DAGSTER_HOME={home}".encode()
    found = []
    for one in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if told in one.read_bytes().split(b"\0"):
                found.append(int(one.parent.name))
    return found


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of ours or Dagster's."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FREG_", "DAGSTER_"))
    }
