"""SIGINT and SIGTERM end every command with one line, at any instant; the next call goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.verify import verify
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.registers import status_of
from freg_pipeline_tests.waiting import STUCK_SECONDS, started, wait_until

SIGNALS = [signal.SIGINT, signal.SIGTERM]
LOAD = ["uttrekk", "komplett", "--name", "one"]


class Told:
    """``freg`` in a process that is told to end when something is seen."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "freg_pipeline.cli", *arguments],
                cwd=folder,
                env={**os.environ, "FREG_STORE": str(folder / "store"), **environment},
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
            )

    def when(self, seen: Callable[[], object], number: signal.Signals) -> None:
        """Send a signal then, and see that one line and the exit code tell it."""
        with self.process:
            try:
                wait_until(seen, self.process)
                self.process.send_signal(number)
                _, errors = self.process.communicate(timeout=STUCK_SECONDS)
            finally:
                self.process.kill()
        assert "Traceback" not in errors, errors
        said = [
            line for line in errors.splitlines()
            if " of " not in line and not line.startswith("WARNING the register refuses")
        ]  # neither progress nor what it goes without  # fmt: skip
        assert len(said) == 1, errors
        assert said[0].startswith("Error: interrupted. Run the same command again")
        assert self.process.returncode == 128 + number

    @property
    def handles_signals(self) -> bool:
        """Whether the process has put its handlers in place."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) & (1 << (signal.SIGTERM - 1)))


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("arguments", [["--help"], ["sql", "select 1"], ["check"]])
def test_while_it_begins(arguments: list[str], number: signal.Signals, tmp_path: Path) -> None:
    told = Told(tmp_path, *arguments)
    told.when(lambda: told.handles_signals, number)


STAGES: dict[str, Callable[[str, LocalStore], object]] = {
    "it has asked for something": lambda url, _: status_of(url)["requests"],
    "the order is sent": lambda _, store: store.list("uttrekk/one/order/"),
    "Dagster has begun": lambda _, store: (Path(store.location) / "dagster/history").exists(),
    "answers come": lambda _, store: store.list("uttrekk/one/answers/"),
    "a batch has landed": lambda _, store: store.list("uttrekk/one/tables/"),
    "the base is being written": lambda _, store: store.list("bases/"),
}


@pytest.mark.parametrize(("stage", "number"), list(zip(STAGES, SIGNALS * 3, strict=True)))
def test_amid_a_load_which_goes_on_with_the_next_call(
    stage: str, number: signal.Signals, tmp_path: Path, start_register: StartRegister, freg: RunFreg
) -> None:
    url = start_register(persons=300, batch_size=100, latency_ms=50)
    store = LocalStore(tmp_path / "store")
    Told(tmp_path, *LOAD, FREG_BASE_URL=url).when(lambda: STAGES[stage](url, store), number)

    ended = freg(*LOAD, FREG_BASE_URL=url)

    if ended.code == 1:  # between the order and its answer: that is asked, not guessed
        assert "--order-again" in ended.stderr
        ended = freg("uttrekk", "resume", "one", "--order-again", FREG_BASE_URL=url)
    assert ended.code == 0, ended.stderr
    manifest = current_release(store)
    assert manifest is not None
    assert manifest.accounting.landed + manifest.accounting.merged == 300
    assert verify(store) == []


@pytest.mark.parametrize("number", SIGNALS)
def test_while_it_waits_for_a_batch(
    number: signal.Signals, tmp_path: Path, start_register: StartRegister
) -> None:
    url = start_register(persons=20, ready_after_seconds=600)
    Told(tmp_path, *LOAD, FREG_BASE_URL=url, FREG_POLL_SECONDS="300").when(
        lambda: status_of(url)["requests"].get("uttrekk/batch"), number
    )


@pytest.mark.parametrize("number", SIGNALS)
def test_while_it_waits_for_an_answer(
    number: signal.Signals, tmp_path: Path, start_register: StartRegister
) -> None:
    url = start_register(persons=20, latency_ms=60_000)
    told = Told(tmp_path, "sekvensnummer", FREG_BASE_URL=url)
    told.when(lambda: _connected(told.process.pid), number)


def _connected(process: int) -> bool:
    """Whether a process has a connection open: it waits for an answer."""
    links = Path(f"/proc/{process}/fd").iterdir()
    return sum(_leads_to(link).startswith("socket:") for link in links) > 2  # two are the loop's


def _leads_to(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_register_that_serves(number: signal.Signals, tmp_path: Path) -> None:
    told = Told(tmp_path, "synthetic", "serve", "--persons", "20", "--port", "0")
    told.when(lambda: "http://" in told.output.read_text(), number)


def test_the_demo(tmp_path: Path) -> None:
    told = Told(tmp_path, "demo", "--persons", "3000")
    told.when(lambda: (tmp_path / "store" / "uttrekk").exists(), signal.SIGTERM)


HOLDER = """
import signal, sys, time
from freg_pipeline.interruption import ctrl_c_cancels, watching
with watching(whole_process=True) as watch:
    watch.arm()
    signal.signal(signal.SIGTERM, lambda *_: None)  # as a library may, for a while
    print("ready", flush=True)
    try:
        while True:
            time.sleep(0.01)
    finally:
        watch.end()
"""


# While Ctrl-C cancels only, too: readline doesn't hear what comes just before it waits.
AT_A_PROMPT = HOLDER.replace("as watch:", "as watch, ctrl_c_cancels():")


@pytest.mark.parametrize("program", [HOLDER, AT_A_PROMPT], ids=["command", "prompt"])
def test_a_handler_that_keeps_the_signal_to_itself_ends_it_all_the_same(program: str) -> None:
    with started(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        _, errors = process.communicate(timeout=STUCK_SECONDS)
    assert process.returncode == 143
    assert errors.count("\n") == 1
