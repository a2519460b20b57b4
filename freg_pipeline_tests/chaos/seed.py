"""One seed in a folder of its own, told in a line."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freg_pipeline.store.scratch import held, sweep
from freg_pipeline_tests.chaos.course import Result, run
from freg_pipeline_tests.chaos.plan import Plan

_PREFIX = "freg-chaos-"


def carry_out(seed: int, keep: Path | None) -> Result:
    """Run a seed's course.

    Args:
        seed: which.
        keep: a folder for what a failing one leaves; None: it is removed.
    """
    began = time.monotonic()
    plan = Plan.draw(seed)
    with _folder() as folder:
        try:
            result = run(plan, folder)
        except Exception:  # that one course broke off says nothing of the others
            result = Result(plan, wrong=[f"it broke off: {traceback.format_exc()}"])
        if result.wrong and keep:
            shutil.copytree(folder, keep / f"seed-{seed}", symlinks=True, dirs_exist_ok=True)
    took = time.monotonic() - began
    said = "settled" if not result.wrong else f"WRONG: {'; '.join(result.wrong)}"
    print(  # noqa: T201
        f"seed {seed}: {plan.question} of {plan.persons}, "
        f"{len(result.outcomes)} commands, {sum(result.troubles.values())} troubled, "
        f"{result.reads} reads, {took:.0f} s: {said}",
        flush=True,
    )
    return result


def in_time(seed: int, keep: Path | None, latest: float) -> Result | None:
    """Run a seed's course, unless it is late; then None.

    Args:
        seed: which.
        keep: as for :func:`carry_out`.
        latest: when none is begun any more, by the monotonic clock, in seconds.
    """
    return carry_out(seed, keep) if time.monotonic() < latest else None


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that goes with the course; where this process is killed, with a later one."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            sweep([left])
        except OSError:  # a disk is still mounted there
            subprocess.run(["umount", "--lazy", left / "store"], capture_output=True, check=False)
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
