"""A command as its users run it, in a process of its own: seconds and peak memory.

The kernel counts towards a process's peak what its parent held when it began. A benchmark that has
queried a large register holds more than what it measures, so a small process begins the command.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

_BEGIN = """
import os, subprocess, sys
job = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(job.pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""


def run(command: Sequence[str], settings: Mapping[str, str]) -> tuple[float, float]:
    """Return seconds and the most memory that the command ever held, in MB."""
    started = time.perf_counter()
    begun = subprocess.run(
        [sys.executable, "-c", _BEGIN, *command],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - started
    code, peak_kb = map(int, begun.stdout.split())
    if code:
        msg = f"{' '.join(command[-2:])} ended with exit code {code}"
        raise RuntimeError(msg)
    return seconds, peak_kb / 1024
