"""Which figures about persons are shown, so that none of them points at somebody.

A figure below :data:`LEAST` isn't shown, a zero as little as a seven; every other one is rounded
down to a multiple of :data:`STEP`, each by itself. So nothing adds up to what is hidden: whoever
knows the exact number of all and takes away what is shown is left with more than one answer, and
never with one that says that there is somebody, and that they are fewer than five. Rounding to the
nearest would let 10 stand for 10 to 12 only, beside 13 of all for one to three persons. See
docs/decisions/0054.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LEAST = 10
STEP = 5
HIDDEN = f"under {LEAST}"


@dataclass(frozen=True)
class Figure:
    """A count of persons, or of their rows, as it may be shown.

    Attributes:
        value: rounded; None: not shown.
    """

    value: int | None

    def __str__(self) -> str:
        return HIDDEN if self.value is None else f"{self.value:,}"


def figure(count: int) -> Figure:
    """A count as it may be shown."""
    return Figure(None if count < LEAST else count // STEP * STEP)


def largest(counts: Iterable[tuple[str, int]], most: int) -> tuple[list[tuple[str, Figure]], int]:
    """The largest groups that may be shown, and how many persons there are in all others.

    Args:
        counts: each group and its count.
        most: so many groups at the most.
    """
    falling = sorted(counts, key=lambda one: (-one[1], one[0]))
    shown = [(name, count) for name, count in falling[:most] if count >= LEAST]
    rest = sum(count for _, count in falling[len(shown) :])
    return [(name, figure(count)) for name, count in shown], rest
