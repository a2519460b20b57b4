"""Machines that ask one register, by a clock of their own: minutes pass in moments.

Each has a pace of its own, as a machine's processes have together, and some that ask at once.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from freg_pipeline.client.pace import Pace

Ask = Callable[[float], float | None]  # at a time: None, or refused, and how long to wait
LATENCY = 0.05, 0.3  # seconds


@dataclass
class Asked:
    """What became of the requests: when each reached the register, and from which machine."""

    accepted: list[tuple[float, int]] = field(default_factory=list)
    refused: list[tuple[float, int]] = field(default_factory=list)

    def per_minute(self, machine: int | None = None) -> list[int]:
        """Accepted ones, of all machines or of one."""
        return _per_minute(self.accepted, machine)

    def refused_per_minute(self) -> list[int]:
        """Refused ones."""
        return _per_minute(self.refused, None)


def _per_minute(times: Iterable[tuple[float, int]], machine: int | None) -> list[int]:
    minutes = [int(at // 60) for at, of in times if machine in (None, of)]
    return [minutes.count(minute) for minute in range(max(minutes, default=-1) + 1)]


def work(
    ask: Ask,
    limit: int,
    folder: Path,
    courses: Sequence[Sequence[tuple[float, float]]],
    *,
    tasks: int = 8,
    seed: int = 1,
) -> Asked:
    """Let machines ask, each in the times of its course as much as its pace allows.

    Args:
        ask: the register.
        limit: requests a minute, as each machine was told.
        folder: where the machines have their folders.
        courses: for each machine from when until when it works, in seconds.
        tasks: that ask at once on each.
        seed: of latencies and jitter.
    """
    course = _Course(ask, random.Random(seed))
    for number, times in enumerate(courses):
        machine = _Machine(course, number, Pace("register", limit, folder / str(number)), times)
        for _ in range(tasks):
            course.later(course.chance.uniform(0, 0.1), machine.begin)
    return course.run()


class _Course:
    """What happens, in order of its time."""

    def __init__(self, ask: Ask, chance: random.Random) -> None:
        self.ask = ask
        self.chance = chance
        self.asked = Asked()
        self._tie = count()
        self._queue: list[tuple[float, int, Callable[[float], None]]] = []

    def later(self, at: float, then: Callable[[float], None]) -> None:
        heapq.heappush(self._queue, (at, next(self._tie), then))

    def run(self) -> Asked:
        while self._queue:
            at, _, then = heapq.heappop(self._queue)
            then(at)
        return self.asked


class _Machine:
    def __init__(
        self, course: _Course, number: int, pace: Pace, times: Sequence[tuple[float, float]]
    ) -> None:
        self._course = course
        self._number = number
        self._pace = pace
        self._times = times

    def begin(self, now: float) -> None:
        """One task wants to ask, if the machine works now; else later."""
        starts = [max(now, start) for start, end in self._times if now < end]
        if starts and min(starts) > now:
            self._course.later(min(starts), self.begin)
        elif starts:
            self._course.later(now + max(0.0, self._pace.take(now)), self._leave)

    def _leave(self, now: float) -> None:
        if not self._pace.may_leave(now):
            self.begin(now)
            return
        way = self._course.chance.uniform(*LATENCY) / 2
        self._course.later(now + way, lambda at: self._arrive(now, way, at))

    def _arrive(self, sent: float, way: float, now: float) -> None:
        wait = self._course.ask(now)
        if wait is None:
            self._course.asked.accepted.append((now, self._number))
            self._course.later(now + way, self.begin)
        else:
            self._course.asked.refused.append((now, self._number))
            self._course.later(now + way, lambda at: self._refused(sent, wait, at))

    def _refused(self, sent: float, wait: float, now: float) -> None:
        self._pace.refused(sent, now, wait)
        chance = self._course.chance
        self._course.later(
            now + max(wait * chance.uniform(1, 1.5), chance.uniform(0.2, 0.7)), self.begin
        )
