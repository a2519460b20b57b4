"""``make bench``: all benchmarks in one run; ``python -m benchmarks NAME…`` some of them.

A benchmark is a module here with a function ``figures``. A run of all of them is kept
(``results.json``, ``RESULTS.md``). With ``--keep`` so are some, in the place of what they gave
before: on the same machine only, since the page compares.
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
    arguments = sys.argv[1:]
    wanted = [one for one in arguments if one != "--keep"] or [*BENCHMARKS]
    unknown = set(wanted) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; one of {', '.join(BENCHMARKS)}")
    found: dict[str, list[Figure]] = {}
    for name in wanted:
        say(f"== {name}")
        found[name] = importlib.import_module(f"benchmarks.{name}").figures()
    print(table([figure for figures in found.values() for figure in figures]))
    whole = set(wanted) == set(BENCHMARKS)
    if whole or "--keep" in arguments:
        keep(found, BENCHMARKS, whole=whole)


if __name__ == "__main__":
    main()
