"""Waiting in tests for what other processes do: as long as a busy machine takes, and no longer."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# Whatever takes longer has stopped; it is no measure of anything else.
STUCK_SECONDS = 600.0


@contextmanager
def started(command: Sequence[str], **how: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that is killed in the end, unless it ended before. Arguments as of ``Popen``."""
    with subprocess.Popen(command, **how) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(
    reached: Callable[[], object],
    process: subprocess.Popen[Any] | None = None,
    *,
    pause: float = 0.002,
) -> None:
    """Wait until something is so.

    Args:
        reached: whether it is.
        process: what makes it so; when that ends first, the test fails at once.
        pause: seconds between two looks; longer where a look costs something.
    """
    deadline = time.monotonic() + STUCK_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "it never got that far"
        assert process is None or process.poll() is None, "the process ended before it got there"
        time.sleep(pause)
