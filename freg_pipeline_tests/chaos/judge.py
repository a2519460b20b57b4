"""What must be true once a course has settled."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb

from freg_pipeline_tests.chaos.actions import Actions
from freg_pipeline_tests.chaos.commands import Outcome
from freg_pipeline_tests.chaos.copies import wrong_copy, wrong_delta
from freg_pipeline_tests.chaos.oracle import Cells, Seen, expected
from freg_pipeline_tests.chaos.places import Folder
from freg_pipeline_tests.chaos.plan import Plan
from freg_pipeline_tests.chaos.whom import all_numbers_of, asked_for, erased_of
from freg_pipeline_tests.living import Document, everyone, numbers_of
from freg_pipeline_tests.registers import events_of, get, happen
from freg_pipeline_tests.searched import found_in

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
        place: where the store lies.
        first: everyone's document at its beginning, by number.
        actions: what its commands were about.
        outcomes: of each command.
        secrets: what no output may hold.
        run: runs one more command.
    """

    plan: Plan
    url: str
    folder: Path
    place: Folder
    first: Mapping[str, Document]
    actions: Actions
    outcomes: Sequence[Outcome]
    secrets: Sequence[str]
    run: Callable[..., Outcome]


def judge(course: Course) -> list[str]:
    """What is wrong with a course, in words."""
    store = course.place.here()
    if (
        course.place.catalogue is None
        and (told := course.run("catalogue", "--store", str(store))).code
    ):
        return [f"the store can't be moved: {told.told[-300:]}"]
    seen = Seen(store / "freg.duckdb")
    people = everyone(course.url)
    numbers = numbers_of(people)
    erased, gone = erased_of(people, course.first, course.actions.erased)
    wanted, allowed = asked_for(
        people, numbers, course.plan.question, course.first, course.actions.listed
    )
    return [
        *wrong_position(seen, course.url),
        *wrong_persons(seen, wanted - erased - gone, allowed - gone),
        *wrong_cells(seen, people, {*course.actions.erased, *all_numbers_of(gone, people)}),
        *wrong_numbers(seen, numbers, course.actions.erased),
        *wrong_releases(course),
        *wrong_leaks(course, store, numbers),
        *still_there(store, course.actions.erased),
        *_copies(course, store / "freg.duckdb"),
        *wrong_open(course, store),
        *wrong_left_over(course),
    ]


def wrong_position(seen: Seen, url: str) -> Found:
    last = get(url, "hendelser/siste/sekvensnummer").raise_for_status().json()
    if seen.position != last:
        yield f"the release is at {seen.position}, the register at {last}"
    yield from wrong_events(seen, {one["sekvensnummer"] for one in events_of(url)})


def wrong_events(seen: Seen, numbers: AbstractSet[int]) -> Found:
    """Events that are there twice, or that there never were."""
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


def wrong_cells(
    seen: Seen, people: Mapping[str, Document], erased: AbstractSet[str] = frozenset()
) -> Found:
    """Rows that the register doesn't say, or that are missing; and what nobody is told of.

    Args:
        seen: what readers see.
        people: the register's documents, by current number.
        erased: numbers that stand nowhere any more.
    """
    documents = {number: people[number] for number in seen.persons if number in people}
    tables, unknown = expected(documents, seen.types, erased)
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


def wrong_numbers(
    seen: Seen, numbers: Mapping[str, str], erased: AbstractSet[str] = frozenset()
) -> Found:
    """Former numbers that are missing, or lead elsewhere than in the register.

    Args:
        seen: what readers see.
        numbers: every number that anyone has or has had, and today's for it.
        erased: numbers that stand nowhere any more.
    """
    told = dict(seen.numbers)
    wrong = [one for one, of in seen.numbers if numbers.get(one) != of]
    if wrong:
        yield f"{len(wrong)} former numbers lead elsewhere than in the register"
    there = {one for one, _ in seen.numbers}
    missing = [
        one
        for one, of in numbers.items()
        if one != of and of in seen.persons and one not in there and one not in erased
    ]
    if missing:
        yield f"{len(missing)} former numbers of {len(told)} are missing"


def wrong_releases(course: Course) -> Found:
    """Files of a release that aren't as they were written."""
    outcome = course.run("release", "verify")
    if outcome.code:
        yield f"release verify: {outcome.said[:300]} {outcome.told[-300:]}"


def still_there(store: Path, erased: AbstractSet[str]) -> Found:
    """Numbers of persons who were erased, in any object of the store, whatever its form."""
    if not erased:
        return
    for key in found_in(store, {*erased}):
        yield f"somebody who was erased is held in {key}"


def _copies(course: Course, catalogue: Path) -> Found:
    """Copies that don't get to what readers see."""
    changed = course.actions.changed
    if changed.since != "0":
        for _ in range(2):
            output = str(course.folder / "out" / f"last-{changed.since}")
            outcome = course.run(*changed.arguments(output))
            changed.follow(outcome)
            if not outcome.code:
                break
        else:
            yield f"changes: {outcome.told[-300:]}"
        yield from wrong_copy(catalogue, changed.connection)
    if course.actions.warehouse.exists():
        outcome = course.run(*course.actions.loaded())
        if outcome.code:
            yield f"load: {outcome.told[-300:]}"
        else:
            with closing(duckdb.connect(str(course.actions.warehouse), read_only=True)) as copy:
                yield from wrong_copy(catalogue, copy, "freg")


def wrong_open(course: Course, store: Path) -> Found:
    """Tables that readers of Delta see otherwise than those of the catalogue."""
    if not course.plan.is_open or course.place.catalogue is None:
        return
    outcome = course.run("compact", "--force")
    if outcome.code:
        yield f"compact: {outcome.told[-300:]}"
        return
    yield from wrong_delta(store, store / "freg.duckdb")


def wrong_leaks(course: Course, store: Path, numbers: Mapping[str, str]) -> Found:
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
    for path in _files(store):
        if leaked(os.fsencode(path.name)):
            yield "a file's name tells a number"
        if "dagster" in path.parts and leaked(path.read_bytes()):
            yield f"Dagster's records tell a number or a secret: {path.suffix}"


def wrong_left_over(course: Course) -> Found:
    """What killed processes leave is gone once it is old and somebody writes again."""
    folder, root = course.folder, course.place.root
    places = (root / ".tmp", folder / "tmp", folder / "out")
    old = time.time() - _OLD_SECONDS
    for place in places:
        for path in (*_files(place), *(one for one in place.glob("*") if one.is_dir())):
            os.utime(path, (old, old))
    happen(course.url, 1)
    outcome = course.run("hendelser", "sync")
    if outcome.code:
        yield f"there is no sync after all: {outcome.told[-300:]}"
    if left := _files(root / ".tmp"):
        yield f"{len(left)} files are left under construction"
    if course.place.catalogue is None and (left := [*(folder / "tmp").glob("freg-scratch-*")]):
        yield f"{len(left)} folders are left under construction"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
