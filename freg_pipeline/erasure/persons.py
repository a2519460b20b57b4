"""Whom it is about: the persons of a list, under all numbers that they have had."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.listfile import read_list, written_number
from freg_pipeline.identifiers import parse
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.query import connect
from freg_pipeline.store import Store

_TOLD = 3  # lines that a message names
_OTHERS = """
SELECT asked.place, identifikator FROM asked
JOIN tidligere_identifikator ON personidentifikator = nummer
UNION SELECT asked.place, personidentifikator FROM asked
JOIN tidligere_identifikator ON identifikator = nummer
"""


@dataclass(frozen=True, repr=False)
class Persons:
    """The persons of a list.

    Attributes:
        places: of each number that any of them has had, the person's place in the list, from 0.
        lines: where in the list each was named first.
    """

    places: dict[str, int]
    lines: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, number: object) -> bool:
        return number in self.places

    def and_numbers(self, more: Iterable[tuple[str, int]]) -> Persons:
        """The same with other numbers of theirs."""
        return Persons(dict(more) | self.places, self.lines)

    def by_person(self) -> list[list[str]]:
        """The numbers of each."""
        found: list[list[str]] = [[] for _ in self.lines]
        for number, place in self.places.items():
            found[place].append(number)
        return found

    def numbers(self) -> pa.Array:
        """All numbers."""
        return pa.array(list(self.places), pa.string())


def read_persons(source: Path, column: str | None = None) -> Persons:
    """The persons of a list: text, CSV or Parquet.

    Raises:
        ConfigurationError: it can't be read, is empty, or something in it is no identity number:
            what isn't understood must not be left out unnoticed.
    """
    places: dict[str, int] = {}
    lines: list[int] = []
    wrong: list[str] = []
    for line, text in read_list(source, column):
        try:
            number = parse(written_number(text)).number
        except ValueError as error:
            wrong.append(f"line {line}: {error}")
            continue
        if number not in places:
            places[number] = len(lines)
            lines.append(line)
    if wrong or not lines:
        more = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        raise ConfigurationError(
            f"the list isn't understood: {'; '.join(wrong[:_TOLD])}{more}"
            if wrong
            else "the list holds no identity numbers",
            "Correct it; nothing was done",
        )
    return Persons(places, tuple(lines))


def with_other_numbers(store: Store, persons: Persons) -> Persons:
    """The same, with all other numbers that the current release tells to be theirs."""
    current = current_release(store)
    if current is None:
        return persons
    with closing(connect(store, current, states=False)) as connection:
        while True:
            more = _others(connection, persons)
            if all(number in persons for number, _ in more):
                return persons
            persons = persons.and_numbers(more)


def current_among(store: Store, current: Manifest, numbers: Iterable[str]) -> set[str]:
    """Those of the numbers that are the current number of somebody in a release."""
    asked = pa.table({"nummer": pa.array(sorted(numbers), pa.string())})
    if not len(asked):
        return set()
    with closing(connect(store, current, states=False)) as connection:
        connection.register("asked", asked)
        found = connection.execute(
            "SELECT nummer FROM asked SEMI JOIN person ON nummer = personidentifikator"
        ).fetchall()
    return {number for (number,) in found}


def _others(connection: duckdb.DuckDBPyConnection, persons: Persons) -> list[tuple[str, int]]:
    places = pa.array(list(persons.places.values()), pa.int64())
    connection.register("asked", pa.table({"nummer": persons.numbers(), "place": places}))
    found = connection.execute(_OTHERS).fetchall()
    connection.unregister("asked")
    return [(number, place) for place, number in found]
