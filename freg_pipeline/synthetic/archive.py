"""The register's documents: serialised once, found by number and by document identifier."""

from __future__ import annotations

import mmap
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from freg_pipeline.synthetic.documents import Writer
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.people import Person, make_people
from freg_pipeline.synthetic.selection import Selectable

FIRST_SEQUENCE_NUMBER = 1_000
_FOR_EVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class _Columns:
    """One value a document, in the order of their sequence numbers."""

    since: npt.NDArray[np.int64]  # the sequence number that made the document
    until: npt.NDArray[np.int64]  # and the one that replaced it


class Archive:
    """Every document of a population, current and earlier.

    Documents lie in a temporary file, so that memory holds what is asked for. Building 20,000 takes
    about two seconds on one core.
    """

    def __init__(self, options: RegisterOptions) -> None:
        random = Random(options.seed)
        self.people = make_people(random, options.persons)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the register
        self._starts = array("q", [0])
        self.ids: list[str] = []
        self._place_of_id: dict[str, int] = {}
        self._current: dict[int, int] = {}  # person -> her document in force
        self.selectable: list[Selectable | None] = []
        self._by_number = self._write(Writer(random, self.people), random)
        self._file.flush()
        self._bytes = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def _write(self, writer: Writer, random: Random) -> dict[str, int]:
        encoder = msgspec.json.Encoder()
        later: list[tuple[int, dict[str, Any]]] = []  # versions after the first, with their person
        owners: list[int] = []
        for person in self.people:
            first, *more = writer.versions(person)
            self._add(random, person.index, encoder.encode(first))
            owners.append(person.index)
            later += [(person.index, document) for document in more]
            in_force = more[-1] if more else first
            self.selectable.append(Selectable.of(person, in_force))
        for index, document in later:
            self._add(random, index, encoder.encode(document))
            owners.append(index)
        self._columns = _sequence(owners)
        return {
            number: self._goes_on(person).index
            for person in self.people
            for number in (person.number, *person.earlier)
        }

    def _add(self, random: Random, person: int, document: bytes) -> None:
        identifier = f"{random.getrandbits(128):032x}"
        place = len(self.ids)
        self.ids.append(identifier)
        self._place_of_id[identifier] = place
        self._current[person] = place
        self._file.write(document)
        self._starts.append(self._starts[-1] + len(document))

    def _goes_on(self, person: Person) -> Person:
        while person.merged_into is not None:
            person = self.people[person.merged_into]
        return person

    @property
    def last_sequence_number(self) -> int:
        """The number of the last event."""
        return int(self._columns.since[-1]) if self.ids else FIRST_SEQUENCE_NUMBER

    def valid_from(self, sequence_number: int) -> list[str]:
        """Identifiers of the documents in force at a number, and of every later one."""
        columns = self._columns
        in_force = (columns.since <= sequence_number) & (columns.until > sequence_number)
        wanted = in_force | (columns.since > sequence_number)
        return [self.ids[place] for place in np.flatnonzero(wanted)]

    def by_id(self, identifier: str) -> int | None:
        """The place of a document; None: there is none of that name."""
        return self._place_of_id.get(identifier)

    def by_number(self, number: str) -> int | None:
        """The place of a person's document in force; an old number finds who goes on."""
        person = self._by_number.get(number)
        return None if person is None else self._current[person]

    def document(self, place: int) -> bytes:
        """A document, whole, as JSON."""
        return self._bytes[self._starts[place] : self._starts[place + 1]]

    def documents(self) -> Iterator[bytes]:
        """All of them."""
        return (self.document(place) for place in range(len(self.ids)))

    def close(self) -> None:
        """Give the file back."""
        self._bytes.close()
        self._file.close()


def _sequence(owners: list[int]) -> _Columns:
    """Number the documents in their order, with gaps, as the register's numbers have."""
    since = FIRST_SEQUENCE_NUMBER + 3 * np.arange(1, len(owners) + 1, dtype=np.int64)
    until = np.full(len(owners), _FOR_EVER)
    last: dict[int, int] = {}
    for place, owner in enumerate(owners):
        if owner in last:
            until[last[owner]] = since[place]
        last[owner] = place
    return _Columns(since, until)
