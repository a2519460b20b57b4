"""What must be true once a course has settled."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from freg_pipeline_tests.chaos.commands import Outcome
from freg_pipeline_tests.chaos.oracle import Cells, Seen, expected
from freg_pipeline_tests.chaos.plan import Plan
from freg_pipeline_tests.living import Document, everyone, numbers_of, rows_of
from freg_pipeline_tests.registers import events_of, get, happen

_DIGITS = re.compile(rb"(?<!\d)\d{11}(?!\d)")
_OLD_SECONDS = 2 * 24 * 3600
Found = Iterator[str]


@dataclass(frozen=True)
class Course:
    """A course that has settled.

    Attributes:
        plan: what it was.
        url: of the register.
        folder: of all that was written.
        first: everyone's document at its beginning, by number.
        listed: the numbers of the list.
        outcomes: of each command.
        secrets: what no output may hold.
        run: runs one more command.
    """

    plan: Plan
    url: str
    folder: Path
    first: Mapping[str, Document]
    listed: Sequence[str]
    outcomes: Sequence[Outcome]
    secrets: Sequence[str]
    run: Callable[..., Outcome]

    @property
    def store(self) -> Path:
        """Where the store lies."""
        return self.folder / "store"


def judge(course: Course) -> list[str]:
    """What is wrong with a course, in words."""
    seen = Seen(course.store / "freg.duckdb")
    people = everyone(course.url)
    numbers = numbers_of(people)
    return [
        *_position(seen, course.url),
        *wrong_persons(seen, *_asked_for(people, numbers, course)),
        *wrong_cells(seen, people),
        *wrong_numbers(seen, numbers),
        *_releases(course),
        *_leaks(course, numbers),
        *_left_over(course),
    ]


def _position(seen: Seen, url: str) -> Found:
    last = get(url, "hendelser/siste/sekvensnummer").raise_for_status().json()
    if seen.position != last:
        yield f"the release is at {seen.position}, the register at {last}"
    numbers = {one["sekvensnummer"] for one in events_of(url)}
    if any(count > 1 for count in seen.events.values()):
        yield "an event is there twice"
    if strangers := seen.events.keys() - numbers:
        yield f"{len(strangers)} events that the register doesn't have"


def wrong_persons(seen: Seen, wanted: set[str], allowed: set[str]) -> Found:
    """Persons who are lost, there twice, or shouldn't be there.

    Args:
        seen: what readers see.
        wanted: who must be in the tables, by current number.
        allowed: who may.
    """
    if any(count > 1 for count in seen.persons.values()):
        yield "a person is there twice"
    if lost := wanted - seen.persons.keys():
        yield f"{len(lost)} persons are lost of {len(wanted)}"
    if more := seen.persons.keys() - allowed:
        yield f"{len(more)} persons that weren't asked for, or are no longer anybody"


def _asked_for(
    people: Mapping[str, Document], numbers: Mapping[str, str], course: Course
) -> tuple[set[str], set[str]]:
    """Who must be in the tables, and who may."""
    question = course.plan.question
    if question == "komplett":
        return {*people}, {*people}
    if question == "liste":
        listed = {numbers[one] for one in course.listed if one in numbers}
        once = {
            numbers[row["foedselsEllerDNummer"]]
            for one in course.listed
            for row in rows_of(course.first[one], "identifikasjonsnummer")
            if row["foedselsEllerDNummer"] in numbers
        }
        return listed, listed | once
    women = {number for number, one in people.items() if _now(one, "kjoenn") == {"kvinne"}}
    return {number for number in women if _now(people[number], "status") == {"bosatt"}}, women


def _now(document: Document, entity: str) -> set[str]:
    """The values of a field of an entity's own name, in the rows in force."""
    return {row[entity] for row in rows_of(document, entity) if row.get("erGjeldende", True)}


def wrong_cells(seen: Seen, people: Mapping[str, Document]) -> Found:
    """Rows that the register doesn't say, or that are missing; and what nobody is told of.

    Args:
        seen: what readers see.
        people: the register's documents, by current number.
    """
    documents = {number: people[number] for number in seen.persons if number in people}
    tables, unknown = expected(documents, seen.types)
    for name in seen.entities:
        here: Counter[Cells] = tables.get(name, Counter())
        more, fewer = seen.rows[name] - here, here - seen.rows[name]
        if more or fewer:
            yield (
                f"{name}: {more.total()} rows that the register doesn't say, {fewer.total()} that "
                f"are missing; columns {', '.join(_differing(more, fewer))}"
            )
    told = " ".join(seen.unknown)
    if missing := {one for one in unknown if one.rpartition(".")[2] not in told}:
        yield f"unknown to the contract and not told: {', '.join(sorted(missing))}"


def _differing(more: Counter[Cells], fewer: Counter[Cells]) -> list[str]:
    """The columns in which rows differ, which tells no value."""
    one, other = ({cell for row in rows for cell in row} for rows in (more, fewer))
    return sorted({column for column, _ in one ^ other})


def wrong_numbers(seen: Seen, numbers: Mapping[str, str]) -> Found:
    """Former numbers that are missing, or lead elsewhere than in the register.

    Args:
        seen: what readers see.
        numbers: every number that anyone has or has had, and today's for it.
    """
    told = dict(seen.numbers)
    wrong = [one for one, of in seen.numbers if numbers.get(one) != of]
    if wrong:
        yield f"{len(wrong)} former numbers lead elsewhere than in the register"
    there = {one for one, _ in seen.numbers}
    missing = [
        one for one, of in numbers.items() if one != of and of in seen.persons and one not in there
    ]
    if missing:
        yield f"{len(missing)} former numbers of {len(told)} are missing"


def _releases(course: Course) -> Found:
    outcome = course.run("release", "verify")
    if outcome.code:
        yield f"release verify: {outcome.told[-300:]}"


def _leaks(course: Course, numbers: Mapping[str, str]) -> Found:
    """Numbers and secrets in what commands say, in Dagster's records, and in names of files."""
    known = {number.encode() for number in numbers}
    secrets = [one.encode() for one in course.secrets]

    def leaked(content: bytes) -> bool:
        return any(one in content for one in secrets) or not known.isdisjoint(
            _DIGITS.findall(content)
        )

    for outcome in course.outcomes:
        if leaked(f"{outcome.said}\n{outcome.told}".encode()):
            yield f"{' '.join(outcome.arguments[:2])} says a number or a secret"
    for path in _files(course.store):
        if leaked(os.fsencode(path.name)):
            yield "a file's name tells a number"
        if "dagster" in path.parts and leaked(path.read_bytes()):
            yield f"Dagster's records tell a number or a secret: {path.suffix}"


def _left_over(course: Course) -> Found:
    """What killed processes leave is gone once it is old and somebody writes again."""
    folder = course.folder
    places = (course.store / ".tmp", folder / "tmp", folder / "out")
    old = time.time() - _OLD_SECONDS
    for place in places:
        for path in (*_files(place), *(one for one in place.glob("*") if one.is_dir())):
            os.utime(path, (old, old))
    happen(course.url, 1)
    outcome = course.run("hendelser", "sync")
    if outcome.code:
        yield f"there is no sync after all: {outcome.told[-300:]}"
    if left := _files(course.store / ".tmp"):
        yield f"{len(left)} files are left under construction"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
