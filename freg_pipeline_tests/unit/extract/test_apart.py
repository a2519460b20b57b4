"""Documents without history, with their persons' numbers from a look-up of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from freg_pipeline.envelope import match, numbers_of, parse
from freg_pipeline.extract.apart import TRIES, with_numbers
from freg_pipeline.extract.number_rows import number_rows
from freg_pipeline.extract.parts import HISTORY, NUMBERS
from freg_pipeline.journal.raw import RawMeta

X, Y, Z = "01810098194", "41819077906", "30908299902"
PARTS, APART = ("navn",), ("identifikasjonsnummer", "historikk")

Persons = dict[str, dict[str, Any]]


def row(number: str, *, current: bool = True) -> dict[str, Any]:
    return {"foedselsEllerDNummer": number, "erGjeldende": current, "kilde": "K & S"}


def person(*rows: dict[str, Any], **entities: Any) -> dict[str, Any]:
    return {"navn": [{"fornavn": "Ola"}], "identifikasjonsnummer": list(rows), **entities}


def as_json(entries: list[dict[str, Any]]) -> bytes:
    return json.dumps({"oppslag": entries}).encode()


def as_xml(entries: list[dict[str, Any]]) -> bytes:
    inner = "".join(_element("oppslag", one) for one in entries)
    return f"<svar xmlns='urn:f'>{inner}</svar>".encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, one) for one in value)
    if isinstance(value, dict):
        inner = "".join(_element(*one) for one in value.items())
    else:
        inner = str(value).lower() if isinstance(value, bool) else str(value)
        inner = inner.replace("&", "&amp;")
    return f"<{name}>{inner}</{name}>"


class Answers:
    """Answers look-ups from one state of the register after the other, the last one for ever."""

    def __init__(self, form: Callable[[list[dict[str, Any]]], bytes], *states: Persons) -> None:
        self._form = form
        self._states = iter(states)
        self._state: Persons = {}
        self.asked: list[tuple[tuple[str, ...], list[str]]] = []

    async def look_up(self, parts: tuple[str, ...], asked: list[str]) -> tuple[RawMeta, bytes]:
        self._state = next(self._states, self._state)
        self.asked.append((parts, asked))
        body = self._form([self._entry(one, past=HISTORY in parts) for one in asked])
        return RawMeta(len(body), datetime.now(UTC), "", "of this look-up"), body

    def _entry(self, asked: str, *, past: bool) -> dict[str, Any]:
        if asked not in self._state:
            return {"foedselsEllerDNummer": asked, "feilmelding": {"feilmelding": "Fant ikke"}}
        document = dict(self._state[asked])
        rows = document["identifikasjonsnummer"]
        document["identifikasjonsnummer"] = [
            one for one in rows if past or one.get("erGjeldende") is not False
        ]
        if past:
            del document["navn"]
        return {"foedselsEllerDNummer": asked, "folkeregisterperson": document}


@pytest.fixture(params=[as_json, as_xml], ids=["json", "xml"])
def form(request: pytest.FixtureRequest) -> Iterator[Any]:
    return request.param


def found(answers: Answers, *asked: str) -> list[Any]:
    meta, body = asyncio.run(
        with_numbers(answers.look_up, PARTS, APART, "foedselsEllerDNummer", list(asked))
    )
    assert meta.composed
    assert meta.size == len(body)
    assert meta.correlation_id == "of this look-up"
    return match(asked, parse(body))


def test_a_document_tells_the_ended_numbers_after_the_current_ones(form: Any) -> None:
    answers = Answers(form, {X: person(row(Y, current=False), row(X), row(Z, current=False))})
    (oppslag,) = found(answers, X)
    rows = number_rows(oppslag.person)
    assert [(one.number, one.is_history) for one in rows] == [(X, False), (Y, True), (Z, True)]
    assert b"Ola" in oppslag.person
    assert answers.asked == [(PARTS, [X]), (APART, [X])]


def test_what_is_not_there_stays_told_as_the_register_told_it(form: Any) -> None:
    answers = Answers(form, {X: person(row(X))})
    gone, there = found(answers, Y, X)
    assert (gone.person, gone.feilmelding) == (None, "Fant ikke")
    assert numbers_of(there.person) == [X]


@pytest.mark.parametrize(
    "after",
    [
        {X: person(row(Y), row(X, current=False))},  # merged into another one, or renumbered
        {X: person(row(Y))},
        {},
    ],
)
def test_who_changes_between_the_two_is_looked_up_again(form: Any, after: Persons) -> None:
    before = {X: person(row(X)), Z: person(row(Z))}
    other = {Z: before[Z]}
    answers = Answers(form, before, {**after, **other})
    changed, same = found(answers, X, Z)
    assert numbers_of(same.person) == [Z]
    told = [one["foedselsEllerDNummer"] for one in after.get(X, {}).get(NUMBERS, [])]
    assert numbers_of(changed.person) == told
    assert answers.asked[2:] == [(PARTS, [X]), (APART, [X])][:2]
    assert (changed.person is None) == (not after)


def test_what_never_agrees_is_left_unanswered(form: Any) -> None:
    answers = Answers(form, *[{X: person(row(X))}, {X: person(row(Y))}] * TRIES)
    assert found(answers, X) == [None]
    assert len(answers.asked) == 2 * TRIES


def test_who_is_gone_for_one_of_the_two_only_is_looked_up_again(form: Any) -> None:
    there = {X: person(row(X))}
    answers = Answers(form, {}, there, there)
    (oppslag,) = found(answers, X)
    assert numbers_of(oppslag.person) == [X]
    assert len(answers.asked) == 4
    assert found(Answers(form, *[{}, there] * TRIES), X) == [None], "neither there nor gone"


@pytest.mark.parametrize("faulty", [PARTS, APART])
def test_a_fault_of_one_of_the_two_is_what_is_told(form: Any, faulty: tuple[str, ...]) -> None:
    class Faulty(Answers):
        async def look_up(self, parts: tuple[str, ...], asked: list[str]) -> tuple[RawMeta, bytes]:
            meta, body = await super().look_up(parts, asked)
            reason = {"feilmelding": {"feilmelding": "Teknisk feil"}}
            faults = [{"foedselsEllerDNummer": one, **reason} for one in asked]
            return meta, form(faults) if parts == faulty else body

    answers = Faulty(form, {X: person(row(X))})
    (oppslag,) = found(answers, X)
    assert (oppslag.person, oppslag.feilmelding) == (None, "Teknisk feil")
    assert len(answers.asked) == 2 * TRIES


def test_packages_without_numbers_are_given_what_there_is(form: Any) -> None:
    answers = Answers(form, {X: {"navn": [{"fornavn": "Ola"}], "identifikasjonsnummer": []}})
    (oppslag,) = found(answers, X)
    assert numbers_of(oppslag.person) == []
    assert b"Ola" in oppslag.person


def test_one_row_alone_and_rows_that_say_nothing_of_their_currency(form: Any) -> None:
    single = {"foedselsEllerDNummer": X}
    answers = Answers(form, {X: {**person(single), "identifikasjonsnummer": [single]}})
    (oppslag,) = found(answers, X)
    assert [(one.number, one.is_history) for one in number_rows(oppslag.person)] == [(X, False)]
    assert number_rows(json.dumps({"identifikasjonsnummer": single}).encode())[0].number == X


@pytest.mark.parametrize("odd_rows", ["?", 7, [7], [None], None, {}, [[]]])
def test_an_odd_document_loses_nothing(odd_rows: Any) -> None:
    odd = {"navn": [{"fornavn": "Ola"}], "identifikasjonsnummer": odd_rows}

    async def look_up(parts: tuple[str, ...], asked: list[str]) -> tuple[RawMeta, bytes]:
        body = as_json([{"foedselsEllerDNummer": X, "folkeregisterperson": odd}])
        return RawMeta(len(body), datetime.now(UTC), "", ""), body

    body = asyncio.run(with_numbers(look_up, PARTS, APART, "foedselsEllerDNummer", [X]))[1]
    (oppslag,) = parse(body)
    assert oppslag.person is not None
    told = json.loads(oppslag.person)
    assert told["navn"] == odd["navn"]
    assert told["identifikasjonsnummer"] in (odd_rows, [odd_rows])


def test_half_of_a_surrogate_pair_in_a_document_hinders_nothing() -> None:
    half = '"X\\ud83d"'
    document = f'{{"navn":[{half}],"identifikasjonsnummer":[{{"kilde":{half}}}]}}'
    body = f'{{"oppslag":[{{"foedselsEllerDNummer":"{X}","folkeregisterperson":{document}}}]}}'

    async def look_up(parts: tuple[str, ...], asked: list[str]) -> tuple[RawMeta, bytes]:
        return RawMeta(len(body), datetime.now(UTC), "", ""), body.encode()

    found = asyncio.run(with_numbers(look_up, PARTS, APART, "foedselsEllerDNummer", [X]))[1]
    assert found.count(b'"X') == 2


def test_no_number_shows_in_a_row_s_own_words() -> None:
    (one,) = number_rows(json.dumps(person(row(X))).encode())
    assert X not in repr(one)
