"""``python -m freg_pipeline_tests.damage``: the whole table, or some of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from freg_pipeline_tests.damage.kinds import unknown
from freg_pipeline_tests.damage.prepared import prepared
from freg_pipeline_tests.damage.table import Table, figures, sample


def main() -> int:
    """Run it; 1: something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m freg_pipeline_tests.damage")
    parser.add_argument("--commands", help="by name, with commas between them", default="")
    parser.add_argument("--kinds", help="those whose names hold one of these", default="")
    parser.add_argument("--sample", type=int, help="so many fields of the table only")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    chosen = parser.parse_args()
    for name in [*os.environ]:
        if name.startswith(("FREG_", "DAGSTER_")):
            del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="freg-damage-") as place:
        folder = Path(place)
        (folder / "made").mkdir()
        with prepared(folder / "made") as made:
            if strangers := unknown(made.keys()):
                print(f"of no known kind: {', '.join(strangers)}")  # noqa: T201
                return 1
            table = Table(made, folder, [one for one in chosen.commands.split(",") if one])
            wanted = [one for one in chosen.kinds.split(",") if one]
            fields = [
                one
                for one in table.fields()
                if not wanted or any(part in one[0] for part in wanted)
            ]
            if chosen.sample is not None:
                fields = sample(fields, chosen.sample, chosen.seed)
            cases = []
            for case in table.run(fields):
                cases.append(case)
                print(  # noqa: T201
                    f"{case.came}: {case.name}, {case.harm}, {case.command} {case.why}", flush=True
                )
    told = figures(cases)
    print(json.dumps(told, indent=1, ensure_ascii=False))  # noqa: T201
    if chosen.json:
        chosen.json.write_text(json.dumps(told, indent=1, ensure_ascii=False))
    return bool(told["wrong"])


if __name__ == "__main__":
    sys.exit(main())
