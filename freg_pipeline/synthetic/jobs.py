"""Uttrekk jobs: ordered, ready after a while, gone after their lifetime, ten at a time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from freg_pipeline.synthetic.options import RegisterOptions

RUNNING_LIMIT = 10


class JobGoneError(Exception):
    """410."""


class TooManyJobsError(Exception):
    """429: ten jobs are running; holds the seconds until the next one is done."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class Job:
    """An ordered uttrekk.

    Attributes:
        field: the name of the list in its batches.
        what: what it delivers, in order: small things that stand for the identifiers.
        told: what each of them is to the one who asks.
        ordered: when, on the monotonic clock.
    """

    field: str
    what: Sequence[Any]
    told: Callable[[Any], str]
    ordered: float


class Jobs:
    """All jobs of a register."""

    def __init__(self, options: RegisterOptions) -> None:
        self._options = options
        self._jobs: dict[str, Job] = {}
        self._ordered = 0

    @property
    def ordered(self) -> int:
        """How many were ever ordered."""
        return self._ordered

    @property
    def kept(self) -> int:
        """How many can still be asked for their batches."""
        self._forget()
        return len(self._jobs)

    @property
    def running(self) -> int:
        """How many are still being made."""
        self._forget()
        now = time.monotonic()
        return sum(self._done_at(job) > now for job in self._jobs.values())

    def _forget(self) -> None:
        """Let go of the jobs whose lifetime is over; the oldest come first."""
        first = time.monotonic() - self._options.job_lifetime_hours * 3600
        for name, job in list(self._jobs.items()):
            if job.ordered >= first:
                return
            del self._jobs[name]

    def order(self, field: str, what: Sequence[Any], told: Callable[[Any], str] = str) -> str:
        """Start a job; returns its id. Arguments as :class:`Job`.

        Raises:
            TooManyJobsError: ten are running.
        """
        if self.running >= RUNNING_LIMIT:
            now = time.monotonic()
            left = [self._done_at(job) - now for job in self._jobs.values()]
            raise TooManyJobsError(min(seconds for seconds in left if seconds > 0))
        name = str(uuid.uuid4())
        self._jobs[name] = Job(field, what, told, time.monotonic())
        self._ordered += 1
        return name

    def batch(self, name: str, number: int) -> dict[str, list[str]] | None:
        """A batch; empty past the last one; None while it isn't ready.

        Raises:
            JobGoneError: there is no such job, or no longer.
        """
        self._forget()
        job = self._jobs.get(name)
        now = time.monotonic()
        if job is None:
            raise JobGoneError
        size = self._options.batch_size
        if now < self._ready_at(job, min(number, self._count(job))):
            return None
        part = job.what[number * size : (number + 1) * size]
        return {job.field: [job.told(one) for one in part]} if len(part) else {}

    def _count(self, job: Job) -> int:
        return -(-len(job.what) // self._options.batch_size)

    def _ready_at(self, job: Job, number: int) -> float:
        """The first batch after the set time, each later one a tenth of it later."""
        return job.ordered + self._options.ready_after_seconds * (1 + number / 10)

    def _done_at(self, job: Job) -> float:
        return self._ready_at(job, self._count(job))
