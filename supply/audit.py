"""``make audit``: is anything known against the files that an image is made of?

pip-audit asks for advisories. Where it can't have them it may end well all the same, having looked
at nothing: here only a look at each package counts as one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from supply import RUN

ELSEWHERE = (
    f"Where they can, with {RUN.name} alone: pip install pip-audit && "
    f"pip-audit --disable-pip --require-hashes --requirement {RUN.name}"
)


def audit(pinned: Path, options: list[str]) -> list[dict[str, Any]] | None:
    """What pip-audit tells of each package of a hashed file; None where it had no answer at all."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"),
        *("--requirement", str(pinned), "--format", "json", "--progress-spinner", "off", *options),
    ]
    ended = subprocess.run(command, capture_output=True, text=True)
    try:
        looked: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    except ValueError:
        return None
    return looked


def verdict(looked: list[dict[str, Any]] | None) -> tuple[int, list[str]]:
    """The exit code and the lines that say it."""
    unseen = [one["name"] for one in looked or () if "skip_reason" in one]
    if not looked or len(unseen) == len(looked):
        return 2, [f"The advisories can't be had from here. {ELSEWHERE}"]
    lines = [
        f"{one['name']} {one['version']}: {fault['id']}, "
        + (f"mended in {', '.join(fault['fix_versions'])}" if fault["fix_versions"] else "open")
        for one in looked
        for fault in one.get("vulns", ())
    ]
    if unseen:
        lines.append(f"No advisories can be had of {', '.join(unseen)}")
    return (1, lines) if lines else (0, [f"Nothing is known against {len(looked)} packages"])


def main(arguments: list[str]) -> int:
    """Audit what the image is made of; arguments are pip-audit's own."""
    code, lines = verdict(audit(RUN, arguments))
    print(*lines, sep="\n", file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
