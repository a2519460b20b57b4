"""Ties the generations together: many adults are the children of couples in the population.

So there are grandparents, and some who are that in their turn, uncles, and families of several
households. Nobody is tied to a partner's parents, or born when the mother was a child or old.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from freg_pipeline.synthetic.people import TODAY, Person

Couple = tuple[Person, Person]

_YEAR = 365.25
_MOTHERS = (19.0, 42.0)  # ages at a birth
_FATHERS = (18.0, 62.0)
_APART = timedelta(days=300)  # the least between two births that are not of twins
_GROWN = 19 * _YEAR
_SEARCHED = 40  # so many of about the right age are looked at for one who fits


def tie_generations(random: Random, people: Sequence[Person], couples: Sequence[Couple]) -> None:
    """Give couples grown children, of those who were born in Norway and know no parent."""
    grown = sorted(
        (person for person in people if _may_be_a_child(person)),
        key=lambda person: (person.born, person.index),
    )
    births = [person.born for person in grown]
    partners = _partners(couples)
    for mother, father in couples:
        if father.woman:
            continue
        wanted = random.choice((0, 1, 2, 2, 3, 3, 4)) - len(mother.children)
        for _ in range(wanted):
            born = _some_birth(random, mother)
            if born is None:
                break
            start = bisect_left(births, born)
            for child in grown[start : start + _SEARCHED]:
                if child.mother is None and _fits(people, child, mother, father, partners):
                    _tie(people, child, mother, father)
                    break


def space_out(born: date, siblings: Sequence[date], last: date) -> date:
    """That day, or a later one that is far enough from the siblings' births; else one of theirs."""
    while any(abs(born - other) < _APART for other in siblings):
        born = max(other for other in siblings if abs(born - other) < _APART) + _APART
    return born if born <= last else max(siblings, default=last)


def _may_be_a_child(person: Person) -> bool:
    return person.home is not None and person.origin is None and not person.parents


def _partners(couples: Sequence[Couple]) -> dict[int, list[Person]]:
    partners: dict[int, list[Person]] = defaultdict(list)
    for first, second in couples:
        partners[first.index].append(second)
        partners[second.index].append(first)
    return partners


def _some_birth(random: Random, mother: Person) -> date | None:
    """A day on which she can have given birth to someone who is grown; None: it is too early."""
    first, last = (mother.born + timedelta(days=age * _YEAR) for age in _MOTHERS)
    last = min(last, TODAY - timedelta(days=_GROWN))
    return first + (last - first) * random.random() if first < last else None


def _fits(
    people: Sequence[Person],
    child: Person,
    mother: Person,
    father: Person,
    partners: dict[int, list[Person]],
) -> bool:
    return (
        _MOTHERS[0] <= _age(mother, child.born) <= _MOTHERS[1]
        and _FATHERS[0] <= _age(father, child.born) <= _FATHERS[1]
        and child.born < (mother.died or child.born + _APART)
        and child.born < (father.died or child.born + _APART)
        and all(abs(child.born - people[one].born) >= _APART for one in mother.children)
        and all(abs(child.born - people[one].born) >= _APART for one in father.children)
        and all(partner.mother != mother.index for partner in partners[child.index])
    )


def _age(person: Person, day: date) -> float:
    return (day - person.born).days / _YEAR


def _tie(people: Sequence[Person], child: Person, mother: Person, father: Person) -> None:
    child.mother, child.father = mother.index, father.index
    mother.children += (child.index,)
    father.children += (child.index,)
    _name(people, child, father.etternavn)


def _name(people: Sequence[Person], person: Person, etternavn: str) -> None:
    """Give a person a father's name, and a man's children with him."""
    if not person.woman:
        for index in person.children:
            if people[index].etternavn == person.etternavn:
                _name(people, people[index], etternavn)
    person.etternavn = etternavn
