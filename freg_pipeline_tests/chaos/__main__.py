"""``python -m freg_pipeline_tests.chaos 1-20``: the courses of these seeds, one line each."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from freg_pipeline_tests.chaos.figures import FILE, note, write_page
from freg_pipeline_tests.chaos.seed import in_time


def seeds(told: str) -> list[int]:
    """``7,10-12`` as numbers, each once, in order."""
    found: set[int] = set()
    for one in told.split(","):
        first, _, last = one.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return sorted(found)


def main() -> int:
    """Run the seeds given; 1: something was wrong with one."""
    parser = argparse.ArgumentParser(prog="python -m freg_pipeline_tests.chaos")
    parser.add_argument("seeds", type=seeds, help="such as 7, 1-20 or 7,10-20")
    parser.add_argument("--keep", type=Path, help="a folder for what failing courses leave")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="courses at a time")
    parser.add_argument(
        "--figures",
        type=Path,
        nargs="?",
        const=FILE,
        help="add what came of them to this file; without a name to the one that "
        "docs/reliability.md is made of, and to the page",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        help="no course begins later than so many minutes from now; which ones didn't is told",
    )
    chosen = parser.parse_args()
    for name in [*os.environ]:
        if name.startswith(("FREG_", "DAGSTER_", "AWS_")):
            del os.environ[name]
    latest = time.monotonic() + 60 * chosen.minutes
    failed, left_out = [], set(chosen.seeds)
    with ProcessPoolExecutor(chosen.jobs, multiprocessing.get_context("spawn")) as pool:
        courses = [pool.submit(in_time, seed, chosen.keep, latest) for seed in chosen.seeds]
        for ended in as_completed(courses):
            result = ended.result()
            if result is None:
                continue
            left_out.remove(result.plan.seed)
            if result.wrong:
                failed.append(result.plan.seed)
            if chosen.figures:
                note(result, chosen.figures)
    if chosen.figures == FILE:
        write_page()
    told = f"not as they should: {', '.join(map(str, sorted(failed)))}" if failed else "all settled"
    print(f"{len(chosen.seeds) - len(left_out)} seeds, {told}")  # noqa: T201
    if left_out:
        print(f"no time for: {', '.join(map(str, sorted(left_out)))}")  # noqa: T201
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
