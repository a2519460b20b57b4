"""What an uttrekk's objects hold of persons: answers, batches, events, staging."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import pyarrow.parquet as pq

from freg_pipeline.client.feed import FeedEntry, parse_feed
from freg_pipeline.client.hendelsesdokument import hendelsesdokumenter
from freg_pipeline.contract import Plan
from freg_pipeline.envelope import numbers_of, parse
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.erasure.columns import columns_of, whose
from freg_pipeline.erasure.persons import Persons
from freg_pipeline.errors import ObjectMissingError
from freg_pipeline.feed.own import OwnEvents
from freg_pipeline.journal.keptout import numbers_in
from freg_pipeline.journal.raw import read_raw
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import LandedBatch
from freg_pipeline.lake.packed import PackedTable, decoded, read_parts
from freg_pipeline.store import read_record

Area = Literal["answers", "batches", "events", "staging"]
_Sort = Literal["page", "own", "answer", "batch", "event", "staging", "staged"]
_PATTERNS: dict[_Sort, str] = {
    "page": r"feed/\d+\.\w+\.zst",
    "own": r"feed/egne\.json",
    "answer": r"answers/\d+/\d+\.\w+\.zst",
    "batch": r"batches/\d+\.json\.zst",
    "event": r"hendelsesdokumenter/\d+\.\w+\.zst",
    "staging": r"tables/\d+/done\.json",
    "staged": r"tables/hendelser/\w+\.parquet",
}


@dataclass
class Held:
    """What an object holds of persons.

    Attributes:
        key: the object.
        area: what sort of object.
        what: the table, or what the object is.
        own: by place in the list, what is that person's.
        named: by place in the list, what is others' and names the person.
        numbers: other numbers of theirs, which their documents tell.
    """

    key: str
    area: Area
    what: str
    own: Counter[int] = field(default_factory=Counter)
    named: Counter[int] = field(default_factory=Counter)
    numbers: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Events:
    """The events of persons, as they are found.

    Attributes:
        numbers: their sequence numbers, with each person's place in the list.
        documents: their documents, likewise.
    """

    numbers: dict[int, int] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)

    def note(self, entry: FeedEntry, place: int) -> None:
        """Take up an event of one of them."""
        self.numbers[entry.sekvensnummer] = place
        if entry.hendelsesdokument is not None:
            self.documents[entry.hendelsesdokument] = place


def objects_of(
    uttrekk: Uttrekk, persons: Persons, events: Events, plan: Callable[[str], Plan]
) -> Iterator[Held]:
    """Each object of an uttrekk that can hold anything of persons; its events first.

    Args:
        uttrekk: whose objects.
        persons: who is looked for.
        events: where theirs are noted.
        plan: the plan of a contract by its fingerprint.
    """
    reader = _Objects(uttrekk, persons, events, plan)
    keys = uttrekk.store.list(uttrekk.key(""))
    for key in sorted(keys, key=lambda one: "/feed/" not in one):
        try:
            held = reader.read(key)
        except ObjectMissingError:  # it was removed since
            continue
        if held is not None:
            yield held


def can_hold(key: str) -> bool:
    """Whether :func:`objects_of` looks into an object."""
    return _sort(key) is not None


def _sort(key: str) -> _Sort | None:
    name = re.sub(r"^uttrekk/[^/]+/(jobs/\d+/)?", "", key)
    return next((sort for sort, pattern in _PATTERNS.items() if re.fullmatch(pattern, name)), None)


class _Objects:
    def __init__(
        self, uttrekk: Uttrekk, persons: Persons, events: Events, plan: Callable[[str], Plan]
    ) -> None:
        self._store = uttrekk.store
        self._persons = persons
        self._events = events
        self._plan = plan
        self._readers: dict[_Sort, Callable[[str], Held]] = {
            "page": self._page,
            "own": self._own_events,
            "answer": self._answer,
            "batch": self._batch,
            "event": self._event_documents,
            "staging": self._staging,
            "staged": self._staged_events,
        }

    def read(self, key: str) -> Held | None:
        """What an object holds; None: it can't hold anything of persons."""
        sort = _sort(key)
        return None if sort is None else self._readers[sort](key)

    def _page(self, key: str) -> Held:
        return self._of_events(key, "page", parse_feed(read_raw(self._store, key)[1]))

    def _own_events(self, key: str) -> Held:
        told = read_record(self._store, key, OwnEvents)
        return self._of_events(key, "own events", told.hendelser)

    def _of_events(self, key: str, what: str, entries: list[FeedEntry]) -> Held:
        held = Held(key, "events", what)
        for entry in entries:
            place = self._persons.places.get(entry.folkeregisteridentifikator or "")
            if place is not None:
                held.own[place] += 1
                self._events.note(entry, place)
        return held

    def _answer(self, key: str) -> Held:
        held = Held(key, "answers", "document")
        body = read_raw(self._store, key)[1]
        if not self._named(body):
            return held
        try:
            answers = parse(body)
        except ValueError:  # in no known form
            held.named.update(set(self._named(body).values()))
            return held
        for one in answers:
            numbers = [*numbers_of(one.person), one.identifikator or ""]
            place = max((self._persons.places.get(number, -1) for number in numbers), default=-1)
            if place >= 0:
                held.own[place] += 1
                held.numbers += [(number, place) for number in numbers_of(one.person)]
            elif one.person is not None:
                held.named.update(set(self._named(one.person).values()))
        return held

    def _batch(self, key: str) -> Held:
        held = Held(key, "batches", "identifier")
        _, identifiers = parse_batch(read_raw(self._store, key)[1])
        places = (self._persons.places.get(one) for one in identifiers)
        held.own.update(place for place in places if place is not None)
        return held

    def _event_documents(self, key: str) -> Held:
        held = Held(key, "events", "document")
        for one in hendelsesdokumenter(read_raw(self._store, key)[1]):
            place = self._events.documents.get(one.dokumentidentifikator or "")
            if place is None:
                place = self._persons.places.get(one.folkeregisteridentifikator or "")
            if place is not None and one.feilmelding is None:
                held.own[place] += 1
                continue
            texts = " ".join(change.innhold or "" for change in one.egenskaper)
            held.named.update(set(self._named(texts.encode()).values()))
        return held

    def _staging(self, done: str) -> Held:
        held = Held(done, "staging", "row")
        landed = read_record(self._store, done, LandedBatch)
        key = f"{done.rpartition('/')[0]}/tables.arrow"
        for name, table in landed.tables.items():
            self._staged(held, key, landed.contract, name, table)
        return held

    def _staged(self, held: Held, key: str, contract: str, name: str, table: PackedTable) -> None:
        columns = columns_of(self._plan(contract), name)
        wanted = [*columns.own, *columns.named, *columns.texts]
        for piece in read_parts(self._store, key, table, table.parts, wanted):
            found = whose(decoded(piece), columns, self._persons, {})
            held.own.update(found.own[found.own >= 0].tolist())
            held.named.update(found.named[found.named >= 0].tolist())

    def _staged_events(self, key: str) -> Held:
        name = key.rpartition("/")[2].removesuffix(".parquet")
        held = Held(key, "staging", name)
        with self._store.filesystem.open_input_file(self._store.path(key)) as opened:
            rows = pq.read_table(opened)
        columns = columns_of(self._plan(self._contract(key)), name)
        found = whose(rows, columns, self._persons, self._events.numbers)
        held.own.update(found.own[found.own >= 0].tolist())
        held.named.update(found.named[found.named >= 0].tolist())
        return held

    def _contract(self, key: str) -> str:
        return Uttrekk(self._store, key.split("/")[1]).request.contract

    def _named(self, text: bytes) -> dict[str, int]:
        places = self._persons.places
        return {one: places[one] for one in numbers_in(text) if one in places}
