"""One seed in a folder of its own, told in a line."""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from pathlib import Path

from freg_pipeline_tests.chaos.course import Result, run
from freg_pipeline_tests.chaos.plan import Plan


def carry_out(seed: int, keep: Path | None) -> Result:
    """Run a seed's course.

    Args:
        seed: which.
        keep: a folder for what a failing one leaves; None: it is removed.
    """
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="freg-chaos-"))
    plan = Plan.draw(seed)
    try:
        try:
            result = run(plan, folder)
        except Exception:  # that one course broke off says nothing of the others
            result = Result(plan, wrong=[f"it broke off: {traceback.format_exc()}"])
        if result.wrong and keep:
            shutil.copytree(folder, keep / f"seed-{seed}", symlinks=True, dirs_exist_ok=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    took = time.monotonic() - began
    said = "settled" if not result.wrong else f"WRONG: {'; '.join(result.wrong)}"
    print(  # noqa: T201
        f"seed {seed}: {plan.question} of {plan.persons}, "
        f"{len(result.outcomes)} commands, {sum(result.troubles.values())} troubled, "
        f"{result.reads} reads, {took:.0f} s: {said}",
        flush=True,
    )
    return result
