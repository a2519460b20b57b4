"""The register's documents: serialised once, found by number and by document identifier.

Documents are only ever added. A person's newest one is in force; the sequence numbers of the
events that made it and replaced it say when it was.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterable, Iterator
from typing import Any

import msgspec
import numpy as np

from freg_pipeline.synthetic import wave
from freg_pipeline.synthetic.columns import Column
from freg_pipeline.synthetic.directory import Directory
from freg_pipeline.synthetic.events import EventLog, milliseconds
from freg_pipeline.synthetic.kept import population_of
from freg_pipeline.synthetic.living_people import People
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.people import TODAY, Person
from freg_pipeline.synthetic.pointers import Pointers
from freg_pipeline.synthetic.population import FOR_EVER, Population
from freg_pipeline.synthetic.progress import Begin, silently
from freg_pipeline.synthetic.selection import Check, Selection
from freg_pipeline.synthetic.writing import KINDS, entities_of

Told = tuple[str, bytes]  # an event's kind, and what its document says, as EventLog.add takes it

_BEGINNING = milliseconds(TODAY)
_MONTH = 30.44 * 24 * 3600 * 1_000


class Archive:
    """Every document of a population, current and earlier, and the events that made them.

    Documents lie in files, so that memory holds what is asked for.

    Attributes:
        people: the registrations, by index.
        events: the event log.
        selection: what uttrekk/tilpasset looks at, by registration.
        heap: where the documents lie.
        oldest: the sequence number that history is kept from, where that was set.

    Args:
        options: of the register.
        begin: is told how far a large population is that must be made first.
    """

    def __init__(self, options: RegisterOptions, begin: Begin = silently) -> None:
        population = population_of(options, begin)
        self.people = People(population.people)
        self.heap = population.heap
        self.selection = Selection()
        self.selection.extend(population.selection, population.said)
        self.oldest = options.oldest_sekvensnummer
        self._history = int(options.history_months * _MONTH)
        self._kept_from = -1, 0  # from which number on, when there were so many events
        of_documents, of_events = population.factors
        self._pointers = Pointers(of_documents)
        self.events = EventLog(population.random, self.heap, Pointers(of_events))
        self.events.extend(population.events, KINDS)
        self._directory = Directory(population.people)
        self._fill(population)

    def _fill(self, population: Population) -> None:
        documents = population.documents
        self._since = _column("q", documents["since"])  # by place: the sequence number that made it
        self._until = _column("q", documents["until"])  # and the one that replaced it
        self._starts = _column("q", documents["starts"])
        self._lengths = _column("i", documents["lengths"])
        self._entities = _column("Q", documents["entities"])  # that it holds
        self._coded = array("q", bytes(8 * len(self._since)))  # the wave's moment; else 0
        # By registration: the place of the document in force.
        self._current = _column("q", population.current)

    # -- how it fills ----------------------------------------------------------------------

    def register(self, person: Person) -> None:
        """Take in a registration, the next by its index; its document comes with :meth:`add`."""
        self.people.append(person)
        self._directory.give(person.number, person.index)
        self._current.append(-1)

    def add(
        self, person: Person, document: dict[str, Any], events: Iterable[Told], moment: int
    ) -> None:
        """Put a person's new document in force.

        Args:
            person: whose.
            document: as a person document has it.
            events: what makes it, one or more.
            moment: when, in milliseconds since 1970.
        """
        place = len(self)
        numbers = [
            self.events.add(person.number, kind, place, moment, body) for kind, body in events
        ]
        self._write(person, numbers[0], document)

    def replace(self, person: Person, document: dict[str, Any]) -> None:
        """Put a person's new document in force without any event."""
        self._write(person, self.last_sequence_number, document)

    def _write(self, person: Person, since: int, document: dict[str, Any]) -> None:
        text = msgspec.json.encode(document)
        self._put(person, since, self.heap.add(text), len(text), entities_of(document))
        self.selection.put(person.index, document)

    def add_by_wave(self, person: Person, moment: int) -> None:
        """Put the document of a wave in force: the one before, with the wave's code."""
        before = self._current[person.index]
        body = wave.told(person.number, moment, "korrigere") if self._coded[before] else b""
        number = self.events.add(person.number, wave.KIND, len(self), moment, body)
        start, length = self._starts[before], self._lengths[before]
        self._put(person, number, start, length, self._entities[before], moment)

    def _put(
        self,
        person: Person,
        since: int,
        start: int,
        length: int,
        entities: int,
        coded: int = 0,
    ) -> None:
        before = self._current[person.index]
        if before >= 0:
            self._until[before] = since
        self._current[person.index] = len(self)
        self._since.append(since)
        self._until.append(FOR_EVER)
        self._starts.append(start)
        self._lengths.append(length)
        self._entities.append(entities)
        self._coded.append(coded)

    # -- what is asked of it ---------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._since)

    def in_force(self) -> Iterator[int | None]:
        """The place of each registration's document in force; None: another person goes on."""
        merged = self.people.merged().tolist()
        return (
            None if is_merged else place
            for place, is_merged in zip(self._current, merged, strict=True)
        )

    def selected(self, checks: Iterable[Check]) -> Iterator[tuple[str, ...]]:
        """The numbers of everyone who passes all checks, the current one last."""
        found = self.selection.fitting(checks) & ~self.people.merged()
        return map(self.people.numbers, np.flatnonzero(found).tolist())

    @property
    def last_sequence_number(self) -> int:
        """The number of the last event."""
        return self.events.last

    @property
    def now(self) -> int:
        """The register's own time: of its last event, and never before its own day."""
        return max(self.events.clock, _BEGINNING)

    @property
    def oldest_sequence_number(self) -> int:
        """History is kept from this number on: what was replaced before it is gone."""
        events = len(self.events)
        if self._kept_from[0] != events:
            self._kept_from = events, self.events.since(self.now - self._history)
        return max(self.oldest, self._kept_from[1])

    def is_gone(self, place: int) -> bool:
        """Whether a document has been history for too long."""
        return self._until[place] < self.oldest_sequence_number

    def valid_from(self, sequence_number: int) -> list[str]:
        """Identifiers of the documents in force at a number, and of every later one."""
        return [self._pointers.of(place) for place in self.places_from(sequence_number)]

    def places_from(self, sequence_number: int) -> array[int]:
        """Places of the documents in force at a number, and of every later one."""
        since, until = np.frombuffer(self._since, np.int64), np.frombuffer(self._until, np.int64)
        in_force = (since <= sequence_number) & (until > sequence_number)
        wanted = in_force | (since > sequence_number)
        return array("q", np.flatnonzero(wanted).tobytes())

    def identifier(self, place: int) -> str:
        """The document identifier of the document at a place."""
        return self._pointers.of(place)

    def by_id(self, identifier: str) -> int | None:
        """The place of a document; None: there is none of that name."""
        return self._pointers.place(identifier, len(self))

    def by_number(self, number: str) -> int | None:
        """The place of a person's document in force; an old number finds who goes on."""
        index = self._directory.get(number)
        return None if index is None else self._current[self._goes_on(index)]

    @property
    def numbers(self) -> Container[str]:
        """Every identity number that anybody has or had."""
        return self._directory

    def renumber(self, person: Person, number: str) -> None:
        """Give a person another number; the one before still finds her."""
        person.earlier = (person.number, *person.earlier)
        person.number = number
        self._directory.give(number, person.index)

    def current_document(self, person: Person) -> bytes:
        """A registration's own document in force, also where it has been merged."""
        return self.document(self._current[person.index])

    def _goes_on(self, index: int) -> int:
        """Which registration one has been merged into at last; itself where it hasn't."""
        while (into := self.people.merged_into(index)) is not None:
            index = into
        return index

    def holds_only(self, place: int, entities: int) -> bool:
        """Whether a document holds nothing but these, as :func:`entities_of` tells them."""
        return not self._entities[place] & ~entities

    def document(self, place: int) -> bytes:
        """A document, whole, as JSON."""
        text = self.heap.read(self._starts[place], self._lengths[place])
        coded = self._coded[place]
        return wave.with_code(text, coded) if coded else text

    def is_of_wave(self, place: int) -> bool:
        """Whether a document came of a wave."""
        return self._coded[place] > 0

    def documents(self) -> Iterator[bytes]:
        """All of them."""
        return (self.document(place) for place in range(len(self)))

    def close(self) -> None:
        """Give the file back."""
        self.heap.close()


def _column(kind: str, values: Column) -> array[int]:
    column = array(kind)
    column.frombytes(np.ascontiguousarray(values, dtype=kind).tobytes())
    return column
