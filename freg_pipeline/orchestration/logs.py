"""What the package logs while one of its assets runs is part of the run's log, in any deployment.

Dagster has a setting for that (``managed_python_loggers``), which not every deployment has set for
us; where it names our logger, it is left to it. Lines are few, however long a run lasts and however
much goes wrong: of each kind the first ones, then one at a time, after pauses that grow, which
tells how many it stands for. Nothing personal is in them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster import DagsterInvariantViolationError

from freg_pipeline.orchestration import progress
from freg_pipeline.outside import masked

OURS = logging.getLogger("freg_pipeline")
FEW = 5  # lines of a kind that are shown as they come
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 600.0  # seconds until the next one of that kind


def current_run() -> dg.OpExecutionContext | None:
    """What Dagster runs here, also in a thread or on an event loop that was asked by it."""
    try:
        return dg.OpExecutionContext.get()
    except DagsterInvariantViolationError:
        return None


@contextmanager
def in_run_log(context: dg.OpExecutionContext) -> Iterator[None]:
    """Bring what is logged meanwhile into the log of the run."""
    if not {"root", OURS.name}.isdisjoint(context.instance.managed_python_loggers):
        yield
        return
    handler = _RunLog(context)
    with _open:
        OURS.addHandler(handler)
        try:
            yield
        finally:
            OURS.removeHandler(handler)
            handler.tell_rest()


class _Open:
    """Our logger lets through what runs tell, as long as there is any of them in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._level = logging.NOTSET

    def __enter__(self) -> None:
        with self._lock:
            if not self._runs:
                self._level = OURS.level
                if not OURS.isEnabledFor(logging.INFO):
                    OURS.setLevel(logging.INFO)
            self._runs += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._runs -= 1
            if not self._runs:
                OURS.setLevel(self._level)


_open = _Open()


class _RunLog(logging.Handler):
    """Writes what belongs to a run into its log.

    Args:
        context: of the run.
    """

    def __init__(self, context: dg.OpExecutionContext) -> None:
        super().__init__(logging.INFO)
        self._log = context.log
        self._run_id = context.run_id
        self._kinds: dict[tuple[int, str, str], Kind] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write what this run has logged, and no other run of this process."""
        running = current_run()
        if running is None or running.run_id != self._run_id:
            return
        line: str | None = masked(record.getMessage())
        if record.name != progress.__name__:  # which is bounded by itself
            kind = self._kinds.setdefault((record.levelno, record.name, str(record.msg)), Kind())
            line = kind.add(str(line), time.monotonic())
        if line is not None:
            self._log.log(record.levelno, line)

    def tell_rest(self) -> None:
        """Write the last one of each kind of which some were only counted."""
        for (level, _, _), kind in list(self._kinds.items()):
            line = kind.rest()
            if line is not None:
                self._log.log(level, line)


class Kind:
    """Lines that differ in their values only; says which of them are shown."""

    def __init__(self) -> None:
        self._shown = 0
        self._waiting = 0  # counted, and not shown
        self._last = ""
        self._pause = FIRST_PAUSE
        self._until = 0.0

    def add(self, line: str, now: float) -> str | None:
        """The line as it is shown; None: it is only counted.

        Args:
            line: what was logged.
            now: when, by a clock of seconds.
        """
        self._waiting += 1
        self._last = line
        if self._shown >= FEW:
            if now < self._until:
                return None
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._shown += 1
        self._until = now + self._pause
        return self.rest()

    def rest(self) -> str | None:
        """The last line, with how many it stands for; None: it was shown."""
        more, self._waiting = self._waiting - 1, 0
        if more < 0:
            return None
        return f"{self._last} (and {more:,} more like it)" if more else self._last
