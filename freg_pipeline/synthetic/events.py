"""The register's events: one sequence number each, in order, with gaps."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

import numpy as np

from freg_pipeline.synthetic.columns import Column, number_text
from freg_pipeline.synthetic.heap import Heap
from freg_pipeline.synthetic.pointers import Pointers

FIRST_SEQUENCE_NUMBER = 1_000
LARGEST_GAP = 4
_SPREAD = 7_919  # makes digits finer than a millisecond out of a moment
_OFFSET = timezone(timedelta(hours=2))


def milliseconds(day: date) -> int:
    """The beginning of a day, as the event log counts time: milliseconds since 1970, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


def moment_text(moment: int) -> str:
    """A moment as the register writes it: with three digits of fraction, or with nine."""
    text = datetime.fromtimestamp(moment // 1_000, _OFFSET).isoformat()
    finer = f"{moment * _SPREAD % 10**6:06d}" if moment % 3 else ""
    return f"{text[:19]}.{moment % 1_000:03d}{finer}{text[19:]}"


def moment_of(row: dict[str, Any]) -> int:
    """When a row of a document was recorded."""
    return int(datetime.fromisoformat(row["ajourholdstidspunkt"]).timestamp() * 1_000)


class Event(NamedTuple):
    """One event, about one person.

    Attributes:
        place: its place among all events, from 0.
        sequence_number: its number in the feed.
        number: the person's identity number then.
        kind: hendelsetype.
        document: the place of the person document that came of it.
        moment: ajourholdstidspunkt, in milliseconds since 1970.
    """

    place: int
    sequence_number: int
    number: str
    kind: str
    document: int
    moment: int


class EventLog:
    """All events; a few dozen bytes each, and what their documents say in a heap."""

    def __init__(self, random: Random, heap: Heap, pointers: Pointers) -> None:
        self._heap = heap
        self.pointers = pointers
        self._random = random
        self._sequence = array("q")
        self._moments = array("q")
        self._numbers = array("q")
        self._kinds = _Texts()
        self._documents = array("q")
        self._starts = array("q")
        self._lengths = array("i")

    def __len__(self) -> int:
        return len(self._sequence)

    @property
    def last(self) -> int:
        """The last event's sequence number."""
        return self._sequence[-1] if self._sequence else FIRST_SEQUENCE_NUMBER

    @property
    def clock(self) -> int:
        """When the last event was, in milliseconds since 1970."""
        return self._moments[-1] if self._moments else 0

    def add(self, number: str, kind: str, document: int, moment: int, body: bytes = b"") -> int:
        """Log one event; returns its sequence number.

        Args:
            number: the person's identity number.
            kind: hendelsetype.
            document: the place of the person document that comes of it.
            moment: when, in milliseconds since 1970.
            body: what its document says; empty where the person document tells that.
        """
        self._sequence.append(self.last + 1 + int(self._random.random() * LARGEST_GAP))
        self._moments.append(moment)
        self._numbers.append(int(number))
        self._kinds.append(kind)
        self._documents.append(document)
        self._starts.append(self._heap.add(body))
        self._lengths.append(len(body))
        return self.last

    def extend(self, events: Mapping[str, Column], kinds: Sequence[str]) -> None:
        """Log many events whose documents say nothing that the person document doesn't.

        Args:
            events: columns ``sequence``, ``moment``, ``number``, ``kind`` and ``document``.
            kinds: what the codes of ``kind`` stand for.
        """
        columns = {"sequence": self._sequence, "moment": self._moments, "number": self._numbers,
                   "document": self._documents}  # fmt: skip
        for name, column in columns.items():
            column.frombytes(events[name].astype(np.int64).tobytes())
        self._kinds.extend(events["kind"], kinds)
        count = len(events["sequence"])
        self._starts.frombytes(bytes(8 * count))
        self._lengths.frombytes(bytes(4 * count))

    def first_from(self, sequence_number: int) -> int:
        """The place of the first event with that number or a higher one."""
        return bisect_left(self._sequence, sequence_number)

    def since(self, moment: int) -> int:
        """The first sequence number that is not of before a moment; 0 where none is."""
        place = bisect_left(self._moments, moment)
        return self._sequence[place - 1] + 1 if place else 0

    def is_before(self, place: int, sequence_number: int) -> bool:
        """Whether the event at a place came before that number."""
        return self._sequence[place] < sequence_number

    def body(self, place: int) -> bytes:
        """What an event's document says; empty where the person document tells that."""
        return self._heap.read(self._starts[place], self._lengths[place])

    def events(self, places: Iterable[int]) -> Iterator[Event]:
        """The events at those places."""
        for place in places:
            yield Event(
                place,
                self._sequence[place],
                number_text(self._numbers[place]),
                self._kinds[place],
                self._documents[place],
                self._moments[place],
            )


class _Texts:
    """A column of texts, each kept once."""

    def __init__(self) -> None:
        self._codes = array("i")
        self._texts: list[str] = []
        self._known: dict[str, int] = {}

    def __getitem__(self, place: int) -> str:
        return self._texts[self._codes[place]]

    def append(self, text: str) -> None:
        self._codes.append(self.code(text))

    def extend(self, codes: Column, texts: Sequence[str]) -> None:
        """Many at once: codes, and what they stand for."""
        ours = np.array([self.code(text) for text in texts], dtype=np.int32)
        self._codes.frombytes(ours[codes].tobytes())

    def code(self, text: str) -> int:
        """What stands for a text."""
        code = self._known.get(text)
        if code is None:
            code = self._known[text] = len(self._texts)
            self._texts.append(text)
        return code
