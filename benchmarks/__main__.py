"""``make bench``: all benchmarks in one run; ``python -m benchmarks NAME…`` some of them.

A benchmark is a module here with a function ``figures``. Only a run of all of them is kept
(``results.json``, ``RESULTS.md``), so that the figures there are of one machine and one day.
"""

from __future__ import annotations

import importlib
import sys

from benchmarks.results import Figure, keep, say, table

BENCHMARKS = (
    "normalising",
    "whole_job",
    "keeping_current",
    "many_syncs",
    "wave",
    "questions",
    "far",
    "documented",
    "warehouse",
)


def main() -> None:
    wanted = sys.argv[1:] or BENCHMARKS
    unknown = set(wanted) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; one of {', '.join(BENCHMARKS)}")
    figures: list[Figure] = []
    for name in wanted:
        say(f"== {name}")
        figures += importlib.import_module(f"benchmarks.{name}").figures()
    print(table(figures))
    if set(wanted) == set(BENCHMARKS):
        keep(figures)


if __name__ == "__main__":
    main()
