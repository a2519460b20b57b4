"""The command as users run it: a process of its own, in a folder of its own.

Importing what a command needs takes longer than most commands do. So one process imports it once,
and each command is forked from there (the standard library's fork server). What is looked at
afterwards is the same: arguments, environment, streams, exit code, what lies in the store.

A test that is about how a process starts, or that kills one, starts its own: see ``waiting``.
"""

from __future__ import annotations

import atexit
import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from freg_pipeline_tests.waiting import STUCK_SECONDS

IMPORTED = (
    "freg_pipeline.commands.hendelser",
    "freg_pipeline.commands.release",
    "freg_pipeline.commands.root",
    "freg_pipeline.commands.services",
    "freg_pipeline.commands.sql",
    "freg_pipeline.commands.uttrekk",
    "freg_pipeline.console",
    "freg_pipeline.normalize.machine",
    "freg_pipeline.orchestration.run",
    "freg_pipeline.orchestration.run_feed",
    "freg_pipeline.orchestration.event_log",
    "anyio._backends._asyncio",
    "boto3",
    "dagster._core.execution.execute_in_process",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.sqlite_storage",
    "upath.implementations.local",
    "polars",
)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        return self.stderr.strip().splitlines()


def ended(arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run the command to its end.

    Args:
        arguments: the command's.
        folder: where it runs.
        environment: beside this process's own. What is neither ours nor for S3 may be read as
            Python starts or as libraries are imported: then the process is made from nothing.
    """
    with tempfile.TemporaryDirectory() as name:
        out, err = Path(name) / "stdout", Path(name) / "stderr"
        whole = {**os.environ, **environment}
        ours = all(key.startswith(("FREG_", "DAGSTER_", "AWS_")) for key in environment)
        run = _forked if ours else _from_nothing
        code = run(arguments, folder, whole, out, err)
        return Ended(code, out.read_text(), err.read_text())


def _from_nothing(
    arguments: tuple[str, ...], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> int:
    with out.open("wb") as stdout, err.open("wb") as stderr:
        return subprocess.run(
            [sys.executable, "-m", "freg_pipeline.cli", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            timeout=STUCK_SECONDS,
            check=False,
        ).returncode


def _forked(
    arguments: tuple[str, ...], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> int:
    process = begun(arguments, folder, environment, out, err)
    try:
        process.join(STUCK_SECONDS)
        assert process.exitcode is not None, f"freg {arguments[0]} didn't end"
        return process.exitcode
    finally:
        process.kill()
        process.join()
        process.close()


def begun(
    arguments: tuple[str, ...],
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
    err: Path,
    before: Callable[[], None] | None = None,
) -> ForkServerProcess:
    """Start a forked command; whoever starts it waits for it.

    Args:
        arguments: the command's.
        folder: where it runs.
        environment: all of it.
        out: a file for what it says on stdout.
        err: and on stderr.
        before: done in the process before it is anything; can be pickled.
    """
    told = (arguments, folder, dict(environment), out, err, before)
    process = _server().Process(target=carry_out, args=told)
    process.start()
    return process


@cache
def _server() -> ForkServerContext:
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([*IMPORTED])
    return server


def carry_out(
    arguments: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    out: Path,
    err: Path,
    before: Callable[[], None] | None,
) -> None:
    """In the process of its own: what the entry point of ``freg`` does."""
    from freg_pipeline.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["freg", *arguments]
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"))
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), errors="backslashreplace", line_buffering=True)
    if before:
        before()
    try:
        main()
    finally:
        atexit._run_exitfuncs()
