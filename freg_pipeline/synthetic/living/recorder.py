"""Recording: a change to some persons becomes their new documents, events, and event documents.

A row that no longer holds is turned to history, never lost, unless it is annulled. What is
annulled leaves no trace: the latest time in a document can be earlier than in the one before it.
All documents of one change are put in force together, so that nobody sees half of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random

import msgspec

from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.event_documents import Change, hendelse
from freg_pipeline.synthetic.events import moment_text
from freg_pipeline.synthetic.numbers import Numbers
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import REASONS, SOURCES, Row, Rows

MILLISECONDS_AN_EVENT = 24 * 3600 * 1_000 // 20_000  # an ordinary day has 20,000 events
ADDRESSES = (
    "bostedsadresse", "oppholdsadresse", "deltBosted", "postadresse", "postadresseIUtlandet",
)  # fmt: skip

_SINGLE = {"doedsfall", "falskIdentitet"}  # in the contract that this register serves
_TRIES = 60

Which = Callable[[Row], bool]


class Draft:
    """A person's next document, and the events that tell what is new in it."""

    def __init__(self, person: Person, document: Row, at: str, random: Random) -> None:
        self.person = person
        self.document = document
        self.events: list[tuple[str, list[Change]]] = []
        self._at = at
        self._random = random

    def rows(self, entity: str) -> list[Row]:
        """All rows of an entity, the newest first."""
        rows = self.document.get(entity, [])
        return [rows] if isinstance(rows, dict) else list(rows)

    def current(self, entity: str) -> Row | None:
        """The current row; the newest where there are several."""
        return next((row for row in self.rows(entity) if row["erGjeldende"]), None)

    def new(self, entity: str, own: Row) -> Change:
        """Register a row in place of those that are current."""
        self.end(entity)
        return self.add(entity, own)

    def add(self, entity: str, own: Row) -> Change:
        """Register one more row, as the first of them."""
        row = self._row(own)
        if entity in _SINGLE:
            self.document[entity] = row
        else:
            self.document[entity] = [row, *self.rows(entity)]
        return entity, "registrereNy", row

    def append_ended(self, entity: str, own: Row) -> Change:
        """Register a row that is history from the start, after the others."""
        row = self._row(own) | {"erGjeldende": False, "opphoerstidspunkt": self._at}
        self.document[entity] = [*self.rows(entity), row]
        return entity, "registrereNy", row

    def _row(self, own: Row) -> Row:
        row: Row = {"ajourholdstidspunkt": self._at, "erGjeldende": True}
        if self._random.random() < 0.95:
            row["kilde"] = self._random.choice(SOURCES)
        if self._random.random() < 0.9:
            row["aarsak"] = self._random.choice(REASONS)
        row["gyldighetstidspunkt"] = self._at
        return row | own

    def end(self, entity: str, which: Which | None = None) -> list[Change]:
        """Turn current rows to history."""
        over = [
            row for row in self.rows(entity) if row["erGjeldende"] and (which is None or which(row))
        ]
        for row in over:
            row |= {"erGjeldende": False, "opphoerstidspunkt": self._at}
        return [(entity, "korrigere", row) for row in over]

    def correct(self, entity: str, row: Row, own: Row) -> Change:
        """Put a row right, where it stands. Of history the event doesn't tell the row."""
        row |= {"ajourholdstidspunkt": self._at, **own}
        if row["erGjeldende"]:
            return entity, "korrigere", row
        return entity, "korrigereHistorisk", None

    def annul(self, entity: str, which: Which | None = None) -> Change:
        """Take rows away as if they had never been."""
        kept = [] if which is None else [row for row in self.rows(entity) if not which(row)]
        if kept:
            self.document[entity] = kept
        else:
            self.document.pop(entity, None)
        return entity, "annullere", None

    def ended(self, entity: str) -> Row | None:
        """The row that the current one took the place of; None: there is none."""
        return next((row for row in self.rows(entity) if not row["erGjeldende"]), None)

    def take_back(self, entity: str) -> Change:
        """Take the current row away, and have the one before hold again, as it was recorded."""
        before = self.ended(entity)
        if before is not None:
            before.pop("opphoerstidspunkt", None)
            before["erGjeldende"] = True
        return self.annul(entity, lambda row: row is not before and row["erGjeldende"])

    def tell(self, kind: str, *changes: Change) -> None:
        """Tell by an event what has changed."""
        self.events.append((kind, list(changes)))


class Recorder:
    """Takes changes to the people of an archive, one after the other.

    Attributes:
        people: the registrations.
        random: what happens is drawn from it.
        rows: makes the pieces of rows.
        numbers: hands out identity numbers that nobody has.
        moment: the register's time of the change at hand, in milliseconds since 1970.
    """

    def __init__(self, archive: Archive, random: Random) -> None:
        self.archive = archive
        self.people = archive.people
        self.random = random
        self.rows = Rows(random)
        self.numbers = Numbers(random, archive.numbers)
        self.moment = archive.now
        self._drafts: dict[int, Draft] = {}

    @property
    def at(self) -> str:
        """The moment, as documents write it."""
        return moment_text(self.moment)

    @property
    def today(self) -> date:
        """The day of the moment."""
        return datetime.fromtimestamp(self.moment / 1_000, UTC).date()

    def days_ago(self, most: int) -> date:
        """A day not long ago."""
        return self.today - timedelta(days=self.random.randrange(most))

    def age(self, person: Person) -> int:
        """In years."""
        return (self.today - person.born).days * 4 // 1461

    def begin(self) -> None:
        """Let a little time go by until the next change."""
        self._drafts = {}
        self.people.settle()
        self.moment = max(self.moment, self.archive.now)
        self.moment += round(MILLISECONDS_AN_EVENT * (0.5 + self.random.random()))

    def pick(self, fits: Callable[[Person], bool]) -> Person | None:
        """Someone whom it fits; None where it fits nobody."""
        count = len(self.people)
        for _ in range(_TRIES):
            index = int(self.random.random() * count)
            if fits(self.people.look(index)):
                return self._taken(index)
        start = int(self.random.random() * count)
        for step in range(count):
            index = (start + step) % count
            if fits(self.people.look(index)):
                return self._taken(index)
        return None

    def _taken(self, index: int) -> Person:
        person: Person = self.people[index]
        return person

    def draft(self, person: Person) -> Draft:
        """A person's next document; the same for all that one change does to her."""
        if person.index not in self._drafts:
            document = msgspec.json.decode(self.archive.current_document(person))
            self._drafts[person.index] = Draft(person, document, self.at, self.random)
        return self._drafts[person.index]

    def create(self, person: Person) -> Draft:
        """The first document of a new registration, empty."""
        self.archive.register(person)
        self._drafts[person.index] = Draft(person, {}, self.at, self.random)
        return self._drafts[person.index]

    def commit(self, *, silently: bool = False) -> None:
        """Put the new documents in force, in the order of their drafts; silently: by no event."""
        at = self.at
        for draft in self._drafts.values():
            person, document = draft.person, draft.document
            if silently:
                self.archive.replace(person, document)
            else:
                events = [
                    (kind, hendelse(person.number, kind, at, changes))
                    for kind, changes in draft.events
                ]
                self.archive.add(person, document, events, self.moment)
        self._drafts = {}
        self.people.settle()


def in_force(person: Person) -> bool:
    """Whether a registration is a person still."""
    return person.merged_into is None and not person.ended


def alive(person: Person) -> bool:
    """Whether a person is in force and not dead."""
    return in_force(person) and person.died is None


def resident(person: Person) -> bool:
    """Whether a person lives in Norway, at a home."""
    return alive(person) and person.home is not None and person.status in _RESIDENT


def alone(person: Person) -> bool:
    """Whether nobody in the population is related to a person."""
    return person.spouse is None and not person.children and not person.parents


_RESIDENT = {"bosatt", "foedselsregistrert"}

# Lets something of a kind (hendelsetype) happen; False where there is nobody whom it fits.
Happening = Callable[[Recorder, str], bool]
