"""Whom a course's tables must hold: who was asked for, and hasn't been erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from freg_pipeline_tests.chaos.actions import BORN
from freg_pipeline_tests.living import Document, rows_of


def asked_for(
    people: Mapping[str, Document],
    numbers: Mapping[str, str],
    question: str,
    first: Mapping[str, Document],
    on_list: Sequence[str],
) -> tuple[set[str], set[str]]:
    """Who must be in the tables, and who may be: current numbers.

    Args:
        people: today's documents, by current number.
        numbers: every number that anyone has or has had, and today's for it.
        question: what was loaded.
        first: the documents at the beginning.
        on_list: the numbers of the list.
    """
    if question == "komplett":
        return {*people}, {*people}
    if question in {"liste", "soek"}:
        asked = on_list if question == "liste" else _born_then(first)
        listed = {numbers[one] for one in asked if one in numbers}
        once = {
            numbers[row["foedselsEllerDNummer"]]
            for one in asked
            for row in rows_of(first[one], "identifikasjonsnummer")
            if row["foedselsEllerDNummer"] in numbers
        }
        if question == "soek":  # made again later, it finds whoever fits then
            found = {*_born_then(people)}
            return listed & found, listed | once | found
        return listed, listed | once
    women = {number for number, one in people.items() if _now(one, "kjoenn") == {"kvinne"}}
    return {number for number in women if _now(people[number], "status") == {"bosatt"}}, women


def _born_then(people: Mapping[str, Document]) -> list[str]:
    """Whom the search finds."""
    return [
        number
        for number, one in people.items()
        if any(BORN[0] <= year <= BORN[1] for year in _years(one))
        and "opphoert" not in _now(one, "status")
    ]


def _years(document: Document) -> set[str]:
    rows = (row for row in rows_of(document, "foedsel") if row.get("erGjeldende", True))
    return {str(row["foedselsaar"]) for row in rows}


def _now(document: Document, entity: str) -> set[str]:
    """The values of a field of an entity's own name, in the rows in force."""
    return {row[entity] for row in rows_of(document, entity) if row.get("erGjeldende", True)}


def erased_of(
    people: Mapping[str, Document], first: Mapping[str, Document], asked: AbstractSet[str]
) -> tuple[set[str], set[str]]:
    """Who of today has one of the numbers that were to be erased, and who of them was it then.

    Whoever goes on for two persons, of whom one was erased, may stay or not.

    Args:
        people: today's documents, by current number.
        first: those at the beginning.
        asked: the numbers that were to be erased.
    """
    told = {number: {*_numbers(one)} for number, one in people.items()}
    erased = {number for number, of in told.items() if not of.isdisjoint(asked)}
    others = {
        number
        for number in erased
        if any(one in first and asked.isdisjoint(_numbers(first[one])) for one in told[number])
    }
    return erased, erased - others


def all_numbers_of(persons: AbstractSet[str], people: Mapping[str, Document]) -> set[str]:
    return {number for one in persons for number in _numbers(people[one])}


def _numbers(document: Document) -> list[str]:
    rows = rows_of(document, "identifikasjonsnummer")
    return [row["foedselsEllerDNummer"] for row in rows]
