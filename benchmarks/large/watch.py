"""What a process and all that it begins use, moment by moment: CPU time, and memory by process.

Read from /proc several times a second, so that what a stage used is known by when it was.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.2  # seconds
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


Span = tuple[str, float, float]  # what, from when, and to when (seconds since 1970)


@dataclass
class Use:
    """What was seen.

    Attributes:
        times: when (seconds since 1970).
        cpu: seconds of CPU time of all processes until then.
        memory: most resident memory of one process at that time, in MB.
    """

    times: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """From the first look to the last."""
        return self.times[-1] - self.times[0] if self.times else 0.0

    def shared_out(self, spans: Sequence[Span]) -> dict[str, tuple[float, float]]:
        """CPU seconds, and most memory of a process, by what was under way.

        Args:
            spans: what was under way. What is beside something else has an equal part; where
                nothing is, it is ``""``.
        """
        found: dict[str, tuple[float, float]] = {}
        before = 0.0
        for moment, cpu, memory in zip(self.times, self.cpu, self.memory, strict=True):
            middle = moment - EVERY / 2
            names = {name for name, began, ended in spans if began <= middle <= ended} or {""}
            for name in names:
                so_far, most = found.get(name, (0.0, 0.0))
                found[name] = so_far + (cpu - before) / len(names), max(most, memory)
            before = cpu
        return found


class Watch:
    """Watches a process from its beginning until it has ended."""

    def __init__(self, process: int) -> None:
        self.use = Use()
        self._root = process
        self._seen: dict[int, float] = {}  # by process: CPU seconds, the last time it was seen
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    def stop(self) -> Use:
        """What was seen until now."""
        self._over.set()
        self._thread.join()
        return self.use

    def _look_on(self) -> None:
        while not self._over.wait(EVERY):
            self._look()

    def _look(self) -> None:
        most = 0.0
        for process in family(self._root):
            with suppress(OSError):  # it has ended
                cpu, memory = used(process)
                self._seen[process] = max(cpu, self._seen.get(process, 0.0))
                most = max(most, memory)
        self.use.times.append(time.time())
        self.use.cpu.append(sum(self._seen.values()))
        self.use.memory.append(most)


def family(process: int) -> list[int]:
    """A process, and all that it or these have begun and that still run."""
    found = [process]
    for one in found:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def used(process: int) -> tuple[float, float]:
    """CPU seconds and resident MB of a process."""
    text = Path(f"/proc/{process}/stat").read_text()
    fields = text[text.rindex(")") + 2 :].split()  # from the third on; the second can hold blanks
    return (int(fields[11]) + int(fields[12])) / _TICK, int(fields[21]) * _PAGE / 1024**2
