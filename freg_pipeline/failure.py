"""What may fail, and how long each failure is waited for: the policy, with all of its figures.

============  ==========================================  ==========================================
what          how it is told                              what is done
============  ==========================================  ==========================================
passing       5xx, a lost connection, an answer cut       tried again at once with growing pauses
              short, no JSON (PassingError)               (:mod:`freg_pipeline.client.patience`);
                                                          then by :func:`pause`
held back     429 (ThrottledError)                        waited for as the register says, at least
                                                          as long as the usual pause
unreachable   nothing answers where something of this     waited for, up to FREG_WAIT_HOURS in a
              register has answered before                command, without an end in a daemon
wrong address nothing has ever answered                   a settings fault, told at once
refused       any other 4xx (RefusedError)                told; a person decides
gone          410 (GoneError)                             ordered anew once, then a person decides
============  ==========================================  ==========================================

A step that failed as a whole is left alone for a while that doubles with each failure, up to an
hour, and is never given up without a word: each failure is a failed run, or a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIRST_PAUSE = timedelta(seconds=60)  # after a step's first failure
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Trouble:
    """How often a step has failed in a row, and when last.

    Attributes:
        failures: how often.
        last: when it last did (UTC).
    """

    failures: int
    last: datetime

    @property
    def until(self) -> datetime:
        """When the step may be tried again."""
        return self.last + pause(self.failures)

    @property
    def is_over(self) -> bool:
        """Whether that is past."""
        return datetime.now(UTC) >= self.until


def pause(failures: int) -> timedelta:
    """How long a step is left alone that has failed so many times in a row."""
    if failures <= 0:
        return timedelta(0)
    doublings = min(failures - 1, 10)  # by then the longest pause is reached
    return min(FIRST_PAUSE * float(2**doublings), LONGEST_PAUSE)
