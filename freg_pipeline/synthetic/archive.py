"""The register's documents: serialised once, found by number and by document identifier.

Documents are only ever added. A person's newest one is in force; the sequence numbers of the
events that made it and replaced it say when it was.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import timedelta
from random import Random

import msgspec
import numpy as np

from freg_pipeline.synthetic import wave
from freg_pipeline.synthetic.documents import Version, Writer
from freg_pipeline.synthetic.events import EventLog, milliseconds, moment_of
from freg_pipeline.synthetic.heap import Heap
from freg_pipeline.synthetic.households import make_people
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.people import SETTLED, TODAY, Person
from freg_pipeline.synthetic.pointers import Pointers
from freg_pipeline.synthetic.selection import Selectable

Told = tuple[str, bytes]  # an event's kind, and what its document says, as EventLog.add takes it

_FOR_EVER = np.iinfo(np.int64).max
_MONTH = 30.44 * 24 * 3600 * 1_000


class Archive:
    """Every document of a population, current and earlier, and the events that made them.

    Documents lie in a temporary file, so that memory holds what is asked for. Building 20,000 takes
    about two seconds on one core.

    Attributes:
        people: the registrations, by index.
        events: the event log.
        selectable: what uttrekk/tilpasset looks at, by registration.
        heap: where the documents lie.
        oldest: the sequence number that history is kept from, where that was set.
    """

    def __init__(self, options: RegisterOptions) -> None:
        random = Random(options.seed)
        self.people = make_people(random, options.persons)
        self.heap = Heap()
        self.selectable: list[Selectable | None] = []
        self.oldest = options.oldest_sekvensnummer
        self._history = int(options.history_months * _MONTH)
        self._since = array("q")  # by place: the sequence number that made the document
        self._until = array("q")  # and the one that replaced it
        self._starts = array("q")
        self._lengths = array("i")
        self._coded = array("q")  # the moment of the wave that it came of; else 0
        self._current: list[int] = []  # by registration: the place of the document in force
        self._by_number: dict[str, int] = {}
        self._pointers = Pointers(random)
        self.events = EventLog(random, self.heap)
        self._populate(Writer(random, self.people))

    # -- how it fills ----------------------------------------------------------------------

    def _populate(self, writer: Writer) -> None:
        """Write what the register knew before anybody asked: see _first_moment for when."""
        encode = msgspec.json.Encoder().encode
        later: list[tuple[int, Person, Version]] = []
        for person in self.people:
            first, *more = writer.versions(person)
            self.register(person)
            made = [("personErOpprettet", b"")]
            self.add(person, encode(first.document), made, self._first_moment(person))
            later += [(moment_of(version.row), person, version) for version in more]
            last = more[-1] if more else first
            self.selectable[person.index] = Selectable.of(person, last.document)
        for moment, person, version in sorted(later, key=lambda change: change[0]):
            self.add(person, encode(version.document), [(version.kind, b"")], moment)

    def _first_moment(self, person: Person) -> int:
        """All first documents were made within a month, between what they tell and late changes."""
        begun = milliseconds(SETTLED + timedelta(days=10))
        return begun + 30 * 24 * 3600 * 1_000 * person.index // len(self.people)

    def register(self, person: Person) -> None:
        """Take in a registration, the next by its index; its document comes with :meth:`add`."""
        for number in (person.number, *person.earlier):
            self._by_number.setdefault(number, person.index)
        self._by_number[person.number] = person.index
        self.selectable.append(None)
        self._current.append(-1)

    def add(self, person: Person, document: bytes, events: Iterable[Told], moment: int) -> None:
        """Put a person's new document in force.

        Args:
            person: whose.
            document: as JSON.
            events: what makes it, one or more.
            moment: when, in milliseconds since 1970.
        """
        place = len(self)
        numbers = [
            self.events.add(person.number, kind, place, moment, body) for kind, body in events
        ]
        self._put(person, numbers[0], self.heap.add(document), len(document))

    def replace(self, person: Person, document: bytes) -> None:
        """Put a person's new document in force without any event."""
        self._put(person, self.last_sequence_number, self.heap.add(document), len(document))

    def add_by_wave(self, person: Person, moment: int) -> None:
        """Put the document of a wave in force: the one before, with the wave's code."""
        before = self._current[person.index]
        body = wave.told(person.number, moment, "korrigere") if self._coded[before] else b""
        number = self.events.add(person.number, wave.KIND, len(self), moment, body)
        self._put(person, number, self._starts[before], self._lengths[before], moment)

    def _put(self, person: Person, since: int, start: int, length: int, coded: int = 0) -> None:
        before = self._current[person.index]
        if before >= 0:
            self._until[before] = since
        self._current[person.index] = len(self)
        self._since.append(since)
        self._until.append(_FOR_EVER)
        self._starts.append(start)
        self._lengths.append(length)
        self._coded.append(coded)

    # -- what is asked of it ---------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._since)

    def in_force(self) -> Iterator[int | None]:
        """The place of each registration's document in force; None: another person goes on."""
        return (
            self._current[person.index] if person.merged_into is None else None
            for person in self.people
        )

    @property
    def last_sequence_number(self) -> int:
        """The number of the last event."""
        return self.events.last

    @property
    def now(self) -> int:
        """The register's own time: of its last event, and never before its own day."""
        return max(self.events.clock, milliseconds(TODAY))

    @property
    def oldest_sequence_number(self) -> int:
        """History is kept from this number on: what was replaced before it is gone."""
        return max(self.oldest, self.events.since(self.now - self._history))

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
        index = self._by_number.get(number)
        return None if index is None else self._current[self.goes_on(self.people[index]).index]

    @property
    def numbers(self) -> AbstractSet[str]:
        """Every identity number that anybody has or had."""
        return self._by_number.keys()

    def renumber(self, person: Person, number: str) -> None:
        """Give a person another number; the one before still finds her."""
        person.earlier.insert(0, person.number)
        person.number = number
        self._by_number[number] = person.index

    def current_document(self, person: Person) -> bytes:
        """A registration's own document in force, also where it has been merged."""
        return self.document(self._current[person.index])

    def goes_on(self, person: Person) -> Person:
        """Who a registration has been merged into at last; itself where it hasn't."""
        while person.merged_into is not None:
            person = self.people[person.merged_into]
        return person

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
