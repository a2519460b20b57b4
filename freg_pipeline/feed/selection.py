"""Whom a sync of a selection looks up: its persons, and those who may have become one of them.

A release that isn't everyone's (tilpasset, liste, soek) stays that of its persons. The event list
tells of everybody, so it is asked who of them is in the release, by the current or an earlier
number. Of the others, those are looked at whom an event may have made one: under a new number, or,
of a tilpasset uttrekk, because they fit its criteria now. What is looked at for that is thrown away
at once: these are persons whom nobody has asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from typing import Any

import msgspec
import pyarrow as pa

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.envelope import is_xml, match, numbers_of, parse
from freg_pipeline.extract.crowd import for_each
from freg_pipeline.extract.uttrekk import Request, Uttrekk, chunks
from freg_pipeline.feed.criteria import fits
from freg_pipeline.feed.persons import Persons
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.manifest import Manifest
from freg_pipeline.lake.query import connect
from freg_pipeline.normalize import json_answer
from freg_pipeline.readable import read_json
from freg_pipeline.store import read_record, write_record

_LOOK = ("person-basis",)  # what criteria are about, and the numbers
# Changes of one entity that say nothing about who the person is.
_SAME_PERSON = "endringI"
_NEW_NUMBER = {"endringIIdentifikasjonsnummer", "endringIIdentitetsgrunnlag"}


async def selected(
    register: Register,
    uttrekk: Uttrekk,
    current: Manifest,
    first: Request,
    events: Sequence[FeedEntry],
    persons: Persons,
    *,
    concurrency: int,
) -> Persons:
    """Those of the persons of a sync who belong to the release that it continues.

    Decided once: it is kept with the sync, since the register's answer may change.

    Args:
        register: whom to ask.
        uttrekk: of kind hendelser.
        current: the release.
        first: what the release was made of in the beginning.
        events: the sync's events.
        persons: whom they concern.
        concurrency: look-ups under way at once.

    Raises:
        RefusedError, PassingError: as for every request.
    """
    key = uttrekk.key("feed/utvalg.json")
    if not uttrekk.store.exists(key):
        numbers = {number for told in persons.by_document.values() for number in told}
        numbers |= set(persons.by_number)
        found = members(uttrekk, current, numbers)
        maybe = sorted(_maybe(events, first) & numbers - found)
        newcomers = _Newcomers(register, uttrekk, current, first)
        await for_each(chunks(maybe), newcomers.look, concurrency)
        write_record(uttrekk.store, key, sorted(found | newcomers.found))
    wanted = set(read_record(uttrekk.store, key, list[str]))
    return Persons(
        {
            document: [number for number in numbers if number in wanted]
            for document, numbers in persons.by_document.items()
            if not wanted.isdisjoint(numbers)
        },
        tuple(number for number in persons.by_number if number in wanted),
    )


def members(uttrekk: Uttrekk, current: Manifest, numbers: Collection[str]) -> set[str]:
    """Those of the numbers that are, or were, numbers of persons of a release."""
    asked = pa.table({"nummer": pa.array(sorted(numbers), pa.string())})
    with closing(connect(uttrekk.store, current)) as connection:
        connection.register("asked", asked)
        rows = connection.execute(
            "SELECT nummer FROM asked SEMI JOIN person ON nummer = personidentifikator UNION "
            "SELECT nummer FROM asked SEMI JOIN tidligere_identifikator ON nummer = identifikator"
        ).fetchall()
    return {number for (number,) in rows}


def _maybe(events: Iterable[FeedEntry], first: Request) -> set[str]:
    """The numbers whose events may have made somebody a person of the release."""
    return {
        event.folkeregisteridentifikator
        for event in events
        if event.folkeregisteridentifikator is not None
        and (
            first.kind == "tilpasset"
            or event.hendelsetype is None
            or event.hendelsetype in _NEW_NUMBER
            or not event.hendelsetype.startswith(_SAME_PERSON)
        )
    }


class _Newcomers:
    """Looks at persons who are not in the release, and remembers those who belong to it."""

    def __init__(
        self, register: Register, uttrekk: Uttrekk, current: Manifest, first: Request
    ) -> None:
        self._register = register
        self._uttrekk = uttrekk
        self._current = current
        self._kriterier = first.kriterier if first.kind == "tilpasset" else None
        self._plan = load_plan(uttrekk.store, uttrekk.request.contract)
        self.found: set[str] = set()

    async def look(self, numbers: list[str]) -> None:
        """Look at up to 1,000."""
        answer = await self._register.personer.bulkoppslag(numbers, _LOOK)
        body = answer.body
        if is_xml(body):
            body = json_answer(body, self._plan.contract.structure)
        documents = {
            number: oppslag.person
            for number, oppslag in zip(numbers, match(numbers, parse(body)), strict=True)
            if oppslag is not None and oppslag.person is not None
        }
        told = {number: set(numbers_of(person)) for number, person in documents.items()}
        known = members(self._uttrekk, self._current, set().union(*told.values()))
        self.found |= {number for number in documents if told[number] & known}
        if self._kriterier is not None:
            self.found |= {
                number
                for number, person in documents.items()
                if fits(_decoded(person), self._kriterier)
            }


def _decoded(person: bytes) -> dict[str, Any]:
    document = read_json(msgspec.json.decode, person)
    return document if isinstance(document, dict) else {}
