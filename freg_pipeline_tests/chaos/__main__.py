"""``python -m freg_pipeline_tests.chaos 1-20``: the courses of these seeds, one line each."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from freg_pipeline_tests.chaos.course import Result
from freg_pipeline_tests.chaos.seed import carry_out


def main() -> int:
    """Run the seeds given; 1: something was wrong with one."""
    parser = argparse.ArgumentParser(prog="python -m freg_pipeline_tests.chaos")
    parser.add_argument("seeds", help="one, such as 7, or from and to, such as 1-20")
    parser.add_argument("--keep", type=Path, help="a folder for what failing courses leave")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="courses at a time")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    chosen = parser.parse_args()
    for name in [*os.environ]:
        if name.startswith(("FREG_", "DAGSTER_")):
            del os.environ[name]
    first, _, last = chosen.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    with ProcessPoolExecutor(chosen.jobs, multiprocessing.get_context("spawn")) as pool:
        results = [*pool.map(partial(carry_out, keep=chosen.keep), seeds)]
    figures = _figures(results)
    print(json.dumps(figures, indent=1, ensure_ascii=False))  # noqa: T201
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    return bool(figures["failed"])


def _figures(results: list[Result]) -> dict[str, object]:
    troubles: Counter[str] = sum((one.troubles for one in results), Counter())
    return {
        "seeds": len(results),
        "failed": [one.plan.seed for one in results if one.wrong],
        "commands": sum(len(one.outcomes) for one in results),
        "reads": sum(one.reads for one in results),
        "troubles": dict(sorted(troubles.items())),
    }


if __name__ == "__main__":
    sys.exit(main())
