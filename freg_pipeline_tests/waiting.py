"""Waiting in tests: for as long as a busy machine takes, and no longer."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

# Whatever takes longer has stopped; it is no measure of anything else.
STUCK_SECONDS = 600.0


def wait_until(
    reached: Callable[[], object],
    process: subprocess.Popen[str] | subprocess.Popen[bytes] | None = None,
) -> None:
    """Wait until something is so.

    Args:
        reached: whether it is.
        process: what makes it so; when that ends first, the test fails at once.
    """
    deadline = time.monotonic() + STUCK_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "it never got that far"
        assert process is None or process.poll() is None, "the process ended before it got there"
        time.sleep(0.002)
