"""Whose a number is: in columns for those known at the start, in a dict for later ones."""

from __future__ import annotations

from collections.abc import Container

import numpy as np

from freg_pipeline.synthetic.columns import Column, Columns


class Directory(Container[str]):
    """Registrations by every number that anybody has or had.

    A number that is somebody's own is theirs; one that was replaced is the first person's who had
    it.
    """

    def __init__(self, columns: Columns) -> None:
        own, count = columns["number"], columns["earlier_count"]
        earlier = columns.arrays["earlier"]
        had = np.repeat(np.arange(len(own)), count)  # they lie in the order of the people
        numbers = np.concatenate([own, earlier[: len(had)]])
        owners = np.concatenate([np.arange(len(own)), had])
        # Of those of one number the first: the own one, or the first who had it.
        self._numbers, first = np.unique(numbers, return_index=True)
        self._owners: Column = owners[first]
        self._later: dict[str, int] = {}

    def get(self, number: str) -> int | None:
        """Whose a number is; None: nobody's."""
        index = self._later.get(number)
        if index is not None or not (len(number) == 11 and number.isascii() and number.isdigit()):
            return index
        place = int(np.searchsorted(self._numbers, int(number)))
        if place == len(self._numbers) or self._numbers[place] != int(number):
            return None
        return int(self._owners[place])

    def __contains__(self, number: object) -> bool:
        return isinstance(number, str) and self.get(number) is not None

    def give(self, number: str, index: int) -> None:
        """Let a number be somebody's."""
        self._later[number] = index
