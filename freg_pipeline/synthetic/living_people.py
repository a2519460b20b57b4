"""People of a population that lives, as objects for as long as somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from freg_pipeline.synthetic.columns import NOBODY, Columns, number_text
from freg_pipeline.synthetic.people import Person

Mask = npt.NDArray[np.bool_]


class People(Sequence[Person]):
    """A population that lives: most of it in columns, whoever has changed as objects.

    Whoever is taken by index may be changed, and stays the same object until :meth:`settle`.

    Args:
        columns: those who are known from the start.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._new: list[Person] = []
        self._changed: dict[int, Person] = {}
        self._held: dict[int, Person] = {}

    def __len__(self) -> int:
        return len(self._columns) + len(self._new)

    def __getitem__(self, index: Any) -> Any:
        """Someone who may be changed."""
        person = self.look(index)
        self._held[index] = person
        return person

    def __iter__(self) -> Iterator[Person]:
        return map(self.look, range(len(self)))

    def look(self, index: int) -> Person:
        """A person, for reading only."""
        person = self._held.get(index) or self._changed.get(index)
        if person is not None:
            return person
        known = len(self._columns)
        return self._columns.person(index) if index < known else self._new[index - known]

    def append(self, person: Person) -> None:
        """Take someone in, the next by index."""
        self._new.append(person)

    def settle(self) -> None:
        """Keep whoever has changed since the last time, and let go of the others."""
        for index, person in self._held.items():
            if index < len(self._columns) and person != self._columns.person(index):
                self._changed[index] = person
        self._held = {}

    def merged_into(self, index: int) -> int | None:
        """Which registration one has been merged into; None: it hasn't."""
        if index < len(self._columns) and index not in self._changed and index not in self._held:
            into = int(self._columns["merged_into"][index])
            return None if into == NOBODY else into
        return self.look(index).merged_into

    def merged(self) -> Mask:
        """By registration: whether it has been merged into another person."""
        return self._all(self._columns["merged_into"] != NOBODY, "merged_into")

    def in_force(self) -> Mask:
        """By registration: whether it is a person still."""
        ended = self._all(self._columns["ended"], "ended")
        return ~(self.merged() | ended)

    def _all(self, known: Mask, field: str) -> Mask:
        """What a field says of everyone; ``known``: what it does by the columns."""
        whole = np.concatenate([known, np.zeros(len(self._new), dtype=bool)])
        for person in (*self._new, *self._changed.values(), *self._held.values()):
            whole[person.index] = getattr(person, field) not in (None, False)
        return whole

    def numbers(self, index: int) -> tuple[str, ...]:
        """Someone's identity numbers, the current one last."""
        if index < len(self._columns) and index not in self._changed and index not in self._held:
            row = self._columns.arrays["people"][index]
            earlier = self._columns.earlier(int(row["earlier"]), int(row["earlier_count"]))
            return (*earlier, number_text(int(row["number"])))
        person = self.look(index)
        return (*person.earlier, person.number)
