"""Each identity number once, among people whose stretches were made side by side."""

from __future__ import annotations

from collections.abc import Container
from datetime import date
from random import Random

import numpy as np

from freg_pipeline.synthetic.columns import Column, Columns, number_text
from freg_pipeline.synthetic.numbers import Numbers


def number_anew(people: Columns, stretch: int, random: Random) -> None:
    """Give other numbers, in place, to those whose number somebody of an earlier stretch has.

    Args:
        people: of whom each stretch has no number twice but where a registration was merged.
        stretch: so many people.
        random: what the new numbers are drawn from.
    """
    rows, earlier = people.arrays["people"], people.arrays["earlier"]
    had = np.repeat(np.arange(len(rows)), rows["earlier_count"])
    numbers = np.concatenate([rows["number"], earlier])
    owners = np.concatenate([np.arange(len(rows)), had])
    known, first = _first_stretches(numbers, owners // stretch)
    clashing = np.flatnonzero(first[np.searchsorted(known, numbers)] < owners // stretch)
    fresh, new = Numbers(random, _Known(known)), dict[tuple[int, int], int]()
    for place in clashing.tolist():  # own numbers first; a merged one is had by who goes on, too
        key = int(owners[place]) // stretch, int(numbers[place])
        if key not in new:
            new[key] = _another(rows[owners[place]], key[1], fresh)
        numbers[place] = new[key]
    rows["number"], earlier[:] = numbers[: len(rows)], numbers[len(rows) :]


def _first_stretches(numbers: Column, stretches: Column) -> tuple[Column, Column]:
    """Every number there is, and the first stretch that each occurs in."""
    order = np.lexsort((stretches, numbers))
    known, first = np.unique(numbers[order], return_index=True)
    return known, stretches[order][first]


def _another(row: np.void, number: int, fresh: Numbers) -> int:
    born, woman = date.fromordinal(int(row["born"])), bool(row["woman"])
    is_d_nummer = number_text(number)[0] in "4567"
    return int((fresh.d_nummer if is_d_nummer else fresh.foedselsnummer)(born, woman=woman))


class _Known(Container[str]):
    def __init__(self, numbers: Column) -> None:
        self._numbers = numbers

    def __contains__(self, number: object) -> bool:
        wanted = int(str(number))
        place = int(np.searchsorted(self._numbers, wanted))
        return place < len(self._numbers) and int(self._numbers[place]) == wanted
