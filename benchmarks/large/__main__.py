"""``make bench-large``: a million persons, and a hundred thousand to compare with.

About ten minutes on two cores. ``--persons N`` takes other numbers, a tenth of it to compare with,
to try it; only a run of a million is kept (``results-large.json``, ``RESULTS-large.md`` and
``docs/sizing.md``).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.large.page import keep, table
from benchmarks.large.stages import measure, ready

PERSONS = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=PERSONS)
    parser.add_argument("--folder", type=Path, help="where the stores go; they take 4 GB")
    asked = parser.parse_args()
    ready()
    measured = []
    for persons in (asked.persons // 10, asked.persons):
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            measured.append(measure(persons, Path(folder)))
    print(table(*measured))
    if asked.persons == PERSONS:
        keep(*measured)


if __name__ == "__main__":
    main()
