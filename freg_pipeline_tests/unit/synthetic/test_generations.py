"""The population is one that could live: generations, ages at births, days within lives."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freg_pipeline.synthetic import RegisterOptions, SyntheticRegister
from freg_pipeline.synthetic.events import milliseconds
from freg_pipeline.synthetic.households import make_people
from freg_pipeline.synthetic.people import TODAY, Person

YEAR = 365.25
# Of these a person has one row at a time: the next begins when the one before ends.
ONE_AT_A_TIME = ("navn", "bostedsadresse", "sivilstand", "status", "identitetsgrunnlag")
MADE_AHEAD = {"gyldigTil", "oppholdTil", "sluttdatoForKontrakt"}  # days that may be to come


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return make_people(Random(3), 4_000)


@pytest.fixture(scope="module", params=[0, 1_500], ids=["as first served", "after 1,500 events"])
def register(request: pytest.FixtureRequest) -> Iterator[SyntheticRegister]:
    with closing(SyntheticRegister(RegisterOptions(persons=1_000, seed=5))) as made:
        made.living.happen(request.param)
        yield made


def age(person: Person, day: date) -> float:
    return (day - person.born).days / YEAR


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), registrations=st.integers(1, 400))
def test_nobody_is_older_than_a_mother_or_has_parents_of_an_age_that_cannot_be(
    seed: int, registrations: int
) -> None:
    people = make_people(Random(seed), registrations)
    assert len(people) == registrations
    for person in people:
        for index in person.parents:
            assert person.index in people[index].children
            assert 17.5 < age(people[index], person.born) < 65
            assert person.born <= (people[index].died or person.born)
        if person.mother is not None:
            assert age(people[person.mother], person.born) < 48
        for child in person.children:
            assert person.index in people[child].parents
        assert len(set(person.children)) == len(person.children)
        births = sorted(people[child].born for child in person.children if person.woman)
        for before, after in pairwise(births):
            assert after == before or (after - before).days >= 270, "twins, or a year apart"
        if person.spouse is not None:
            spouse = people[person.spouse]
            assert spouse.spouse == person.index
            assert not set(spouse.parents) & {*person.parents, person.index}
            assert person.since is not None
            assert age(person, person.since) > 17.5


def test_many_know_a_grandparent_and_some_a_great_grandparent(people: list[Person]) -> None:
    def forebears(of: list[Person]) -> list[Person]:
        return [people[index] for person in of for index in person.parents]

    children = [person for person in people if person.parents and age(person, TODAY) < 20]
    grandchildren = [child for child in children if forebears(forebears([child]))]
    great = [child for child in children if forebears(forebears(forebears([child])))]
    assert len(grandchildren) > len(children) / 3
    assert len(great) > 20
    aunts = [
        person
        for person in people
        for sibling in forebears([person])
        for other in {index for parent in sibling.parents for index in people[parent].children}
        if other != sibling.index
    ]
    assert len(aunts) > 200


def test_ages_are_spread_as_in_a_people(people: list[Person]) -> None:
    living = [one for one in people if one.status in {"bosatt", "foedselsregistrert"}]
    decades = Counter(int(age(person, TODAY)) // 10 for person in living)
    shares = {decade: count / len(living) for decade, count in decades.items()}
    for decade in range(6):
        assert 0.07 < shares[decade] < 0.22, decade
    assert shares[6] > shares[7] > shares[8] > shares[9]
    assert 0.12 < sum(shares[decade] for decade in (7, 8, 9)) + shares[6] / 3 < 0.2
    assert max(shares) <= 9
    women = [person for person in living if person.woman]
    assert 0.45 < len(women) / len(living) < 0.55
    mothers = [person for person in women if person.children]
    assert 1.5 < sum(len(mother.children) for mother in mothers) / len(mothers) < 2.8


def test_those_who_live_together_moved_in_together(people: list[Person]) -> None:
    households = defaultdict(list)
    for person in people:
        if person.home is not None:
            households[person.home.number].append(person)
    assert Counter(len(one) for one in households.values())[4] > 20
    for household in households.values():
        assert len({person.home and person.home.since for person in household}) == 1


def current_documents(register: SyntheticRegister) -> list[dict[str, Any]]:
    archive = register.archive
    places = [place for place in archive.in_force() if place is not None]
    return [json.loads(archive.document(place)) for place in places]


def test_no_day_is_after_the_registers_own_or_before_the_person(
    register: SyntheticRegister,
) -> None:
    now = register.archive.now
    assert now >= milliseconds(TODAY)
    years: Counter[str] = Counter()
    for document in current_documents(register):
        born = next(row["foedselsdato"] for row in document["foedsel"] if row["erGjeldende"])
        for name, text in _days(document):
            moment = datetime.fromisoformat(f"{text[:10]}T00:00:00+00:00")
            if name not in MADE_AHEAD:
                assert moment.timestamp() * 1_000 <= now, (name, text)
            if name == "gyldighetstidspunkt":
                assert text[:10] >= born
                years[text[:4]] += 1
    assert {"2021", "2022", "2023", "2024", "2025", "2026"} <= set(years)
    assert years["2025"] > years["2015"] / 2


def _days(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from _days(inner, inner_name)
    elif isinstance(value, list):
        for inner in value:
            yield from _days(inner, name)
    elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        born_elsewhere = name == "foedselsdato"  # of people who are only described
        if not born_elsewhere:
            yield name, value


@pytest.mark.parametrize("entity", ONE_AT_A_TIME)
def test_a_row_ends_when_the_next_begins_to_the_fraction(
    entity: str, register: SyntheticRegister
) -> None:
    neighbours = 0
    for document in current_documents(register):
        rows = document.get(entity, [])
        assert sum(row["erGjeldende"] for row in rows) <= 1
        for row in rows:
            assert row["erGjeldende"] == ("opphoerstidspunkt" not in row)
        rows = sorted(rows, key=lambda row: datetime.fromisoformat(row["gyldighetstidspunkt"]))
        for before, after in pairwise(rows):
            end, begin = before["opphoerstidspunkt"], after["gyldighetstidspunkt"]
            assert end == begin or (entity == "bostedsadresse" and _lived_abroad(document))
            neighbours += 1
    assert neighbours > 30


def _lived_abroad(document: dict[str, Any]) -> bool:
    return any(row["status"] == "utflyttet" for row in document["status"])


def test_people_move_within_a_city_that_has_several_kommuner(register: SyntheticRegister) -> None:
    moves: Counter[tuple[str, str]] = Counter()
    postnummer = defaultdict(set)
    for document in current_documents(register):
        homes = [_kommune(row) for row in document.get("bostedsadresse", [])]
        moves.update(pairwise(reversed(homes)))
        for row in document.get("bostedsadresse", []):
            place = row.get("vegadresse") or row.get("matrikkeladresse") or {}
            if "poststed" in place:
                postnummer[_kommune(row)].add(place["poststed"]["postnummer"])
    assert sum(count for (a, b), count in moves.items() if a == b) > 100
    assert sum(count for (a, b), count in moves.items() if {a, b} <= {"0301", "3201", "3203"}) > 20
    for kommune in ("0301", "4601", "5001", "1103", "3301"):
        assert len(postnummer[kommune]) > 3
    assert "4033" in postnummer["1103"] & (postnummer["1108"] | postnummer["1124"])


def _kommune(row: dict[str, Any]) -> str:
    if "ukjentBosted" in row:
        return str(row["ukjentBosted"]["bostedskommune"])
    if "matrikkeladresse" in row:
        return str(row["matrikkeladresse"]["matrikkelnummer"]["kommunenummer"])
    return str(row["vegadresse"]["kommunenummer"])


def test_the_dead_do_nothing_more_and_married_before_they_died(people: list[Person]) -> None:
    dead = [person for person in people if person.died is not None]
    assert len(dead) > 100
    for person in dead:
        assert person.died is not None
        assert person.died <= TODAY
        homes = [home for home in (person.home, *person.earlier_homes) if home is not None]
        days = [person.since, *(home.since for home in homes)]
        assert all(day < person.died for day in days if day is not None)
    assert {person.died.year for person in dead if person.died} >= {2023, 2024, 2025}
