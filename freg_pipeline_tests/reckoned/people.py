"""The questions of docs/questions.md about moves, households, families and earlier days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from freg_pipeline_tests.living import Document, Living, Row, moment, rows_of
from freg_pipeline_tests.reckoned.shared import (
    Rows,
    answers,
    born,
    counted,
    homes,
    kommune,
    local,
    parents,
    protected,
    residents,
)

_YOUNG = date(2008, 6, 1)  # whoever is born after it is a child
_OLD = date(1946, 6, 1)  # whoever is born until then is eighty


def _end_of(day: date) -> datetime:
    """The first moment after a day in Norway."""
    after = date.fromordinal(day.toordinal() + 1)
    return datetime(after.year, after.month, after.day, tzinfo=ZoneInfo("Europe/Oslo"))


def _at(document: Document, entity: str, day: date) -> Row | None:
    """The row that held when a day ended; of several the one that began last."""
    end = _end_of(day)
    held = [
        row
        for row in rows_of(document, entity)
        if moment(row) < end
        and (
            moment(row, "opphoerstidspunkt") >= end
            if row.get("opphoerstidspunkt")
            else row.get("erGjeldende", True)
        )
    ]
    return max(held, key=moment, default=None)


@answers("How many lived in each kommune at the end of 2019?")
def _(lived: Living) -> Rows:
    day = date(2019, 12, 31)
    found = []
    for document in lived.persons.values():
        status, home = _at(document, "status", day), _at(document, "bostedsadresse", day)
        if home is not None and status is not None and status["status"] == "bosatt":
            found.append(kommune(home))
    return counted(found)


@answers("Which surnames were the most common at the end of 2009?")
def _(lived: Living) -> Rows:
    names = (_at(document, "navn", date(2009, 12, 31)) for document in lived.persons.values())
    found = counted(name["etternavn"] for name in names if name is not None)
    return sorted(found, key=lambda one: (-one[1], one[0]))[:10]


# -- moves -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Step:
    """Somebody's coming to a home, or leaving Norway."""

    start: datetime
    is_home: bool
    moved: str | None
    day: date
    kommune: str | None


def _steps(document: Document) -> list[_Step]:
    steps = {}
    for row in sorted(rows_of(document, "bostedsadresse"), key=lambda one: one["erGjeldende"]):
        moved = row.get("flyttedato")
        day = date.fromisoformat(moved) if moved else local(row)
        steps[moment(row), True] = _Step(moment(row), True, moved, day, kommune(row))
    for row in rows_of(document, "utflytting"):
        steps[moment(row), False] = _Step(moment(row), False, None, local(row), None)
    return sorted(steps.values(), key=lambda step: (step.start, not step.is_home))


def _between_kommuner(lived: Living) -> Iterator[tuple[_Step, _Step]]:
    """Moves from one kommune to another: the home before, and the one after."""
    for document in lived.persons.values():
        for before, after in pairwise(_steps(document)):
            moved = after.moved is None or after.moved != before.moved
            if before.is_home and after.is_home and moved and before.kommune != after.kommune:
                yield before, after


@answers("How many move between kommuner each year?")
def _(lived: Living) -> Rows:
    return counted(after.day.year for _, after in _between_kommuner(lived))


@answers("How many moved into Oslo and out of it, by year?")
def _(lived: Living) -> Rows:
    into: Counter[int] = Counter()
    out: Counter[int] = Counter()
    for before, after in _between_kommuner(lived):
        into[after.day.year] += after.kommune == "0301"
        out[after.day.year] += before.kommune == "0301"
    return [(year, into[year], out[year]) for year in into if into[year] or out[year]]


# -- households and families -----------------------------------------------------------------------


def _households(lived: Living) -> list[list[str]]:
    """Residents by dwelling, without those whom protection hides, or whose dwelling isn't known."""
    found = defaultdict(list)
    here = residents(lived) - protected(lived)
    for one, home in homes(lived).items():
        if one in here and "ukjentBosted" not in home:
            kind = home.get("vegadresse") or home["matrikkeladresse"]
            key = home.get("adresseIdentifikatorFraMatrikkelen") or repr(
                (
                    kommune(home), kind.get("adressekode"), kind.get("adressenavn"),
                    kind.get("adressenummer"), kind.get("matrikkelnummer"), kind.get("undernummer"),
                )
            )  # fmt: skip
            found[key, kind.get("bruksenhetsnummer")].append(one)
    return list(found.values())


@answers("How large are households?")
def _(lived: Living) -> Rows:
    return counted(len(members) for members in _households(lived))


@answers("How many who are eighty or older live alone, by kommune?")
def _(lived: Living) -> Rows:
    births, found = born(lived), homes(lived)
    alone = (members[0] for members in _households(lived) if len(members) == 1)
    return counted(kommune(found[one]) for one in alone if one in births and births[one] <= _OLD)


@answers("How many children have a grandmother in the same kommune?")
def _(lived: Living) -> Rows:
    mothers, fathers = parents(lived, "mor"), parents(lived, "far")
    births, here, found = born(lived), residents(lived), homes(lived)
    children = set()
    for child in here:
        for parent in (mothers.get(child), fathers.get(child)):
            grandmother = mothers.get(parent) if parent else None
            if (
                grandmother in here
                and child in births
                and births[child] > _YOUNG
                and kommune(found.get(child)) is not None
                and kommune(found.get(child)) == kommune(found.get(grandmother))
            ):
                children.add(child)
    return [(len(children),)]


@answers("How many siblings do children have?")
def _(lived: Living) -> Rows:
    mothers, births = parents(lived, "mor"), born(lived)
    families = Counter(mothers.values())
    return counted(
        families[mother] - 1
        for child, mother in mothers.items()
        if child in births and births[child] > _YOUNG
    )
