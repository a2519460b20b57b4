"""Strangers are asked about no more than it takes to know whether they belong, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.contract import fingerprint
from freg_pipeline.errors import PassingError
from freg_pipeline.feed.newcomers import Newcomers
from freg_pipeline.feed.selection import _connected
from freg_pipeline_tests.registers import serving
from freg_pipeline_tests.unit.feed.made import begun, register, store_in
from freg_pipeline_tests.unit.lake.delivered import XSD

X, Y, Z = "01810098194", "41819077906", "30908299902"


class Persons:
    """Answers look-ups, and notes what they ask for; leaves out whom it doesn't know."""

    def __init__(
        self, documents: dict[str, dict[str, Any]], reasons: dict[str, str] | None = None
    ) -> None:
        self._documents = documents
        self._reasons = reasons or {}
        self.parts: list[str] = []

    @contextmanager
    def served(self) -> Iterator[str]:
        route = Route("/v1/personer/bulkoppslag", self._bulk, methods=["POST"])
        with serving(Starlette(routes=[route])) as url:
            yield url

    async def _bulk(self, request: Request) -> Response:
        self.parts = request.query_params.getlist("part")
        asked = (await request.json())["foedselsEllerDNummer"]
        return JSONResponse(
            {
                "oppslag": [
                    {"foedselsEllerDNummer": one, "folkeregisterperson": self._documents[one]}
                    for one in asked
                    if one in self._documents
                ]
                + [
                    {"foedselsEllerDNummer": one, "feilmelding": {"feilmelding": reason}}
                    for one, reason in self._reasons.items()
                    if one in asked
                ]
            }
        )


@contextmanager
def newcomers(persons: Persons, folder: Path, *, must_know: bool = True) -> Iterator[Newcomers]:
    store = store_in(folder)
    store.write(f"contracts/{fingerprint(XSD)}.xsd", XSD)
    with persons.served() as url:
        yield Newcomers(
            register(url), begun(store, contract=fingerprint(XSD)), 2, must_know=must_know
        )


def told(*numbers: str) -> dict[str, Any]:
    return {"identifikasjonsnummer": [{"foedselsEllerDNummer": number} for number in numbers]}


def test_a_number_is_asked_about_for_its_persons_numbers_alone(tmp_path: Path) -> None:
    persons = Persons({X: told(X, Y)})
    with newcomers(persons, tmp_path) as asked:
        assert asyncio.run(_numbers(asked, {X})) == {X: {X, Y}}
    assert persons.parts == ["identifikasjonsnummer"]  # a sync that asks for history asks here, too


def test_criteria_ask_for_what_they_are_about(tmp_path: Path) -> None:
    woman = {
        "kjoenn": [{"kjoenn": "kvinne", "erGjeldende": True}],
        "status": [{"status": "bosatt", "erGjeldende": True}],
    }
    persons = Persons({X: woman, Y: {}})
    kriterier = TilpassetKriterier(personstatustyper=("bosatt",), kjoenn="kvinne")
    with newcomers(persons, tmp_path) as asked:
        assert asyncio.run(_fitting(asked, {X, Y}, kriterier)) == {X}
    assert persons.parts == ["status", "kjoenn"]


def test_who_is_left_out_of_the_answers_is_not_passed_over(tmp_path: Path) -> None:
    with (
        newcomers(Persons({X: told(X)}), tmp_path) as asked,
        pytest.raises(PassingError, match="left 1 of 2 look-ups unanswered") as raised,
    ):
        asyncio.run(_numbers(asked, {X, Y}))
    assert Y not in str(raised.value)


@pytest.mark.parametrize(
    ("reason", "is_nobody"), [("Teknisk feil, prøv igjen senere", False), ("Ukjent person", True)]
)
def test_whom_a_fault_hides_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str, is_nobody: bool
) -> None:
    monkeypatch.setattr("freg_pipeline.extract.look_up.FIRST_PAUSE", 0.0)
    with newcomers(Persons({X: told(X)}, {Y: reason}), tmp_path) as asked:
        if is_nobody:
            assert asyncio.run(_numbers(asked, {X, Y})) == {X: {X}}
            return
        with pytest.raises(PassingError, match="left 1 of 2 look-ups unanswered"):
            asyncio.run(_numbers(asked, {X, Y}))


def test_whom_a_fault_hides_for_good_is_passed_over_where_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("freg_pipeline.extract.look_up.FIRST_PAUSE", 0.0)
    persons = Persons({X: told(X)}, {Y: "Teknisk feil"})
    with newcomers(persons, tmp_path, must_know=False) as asked:
        assert asyncio.run(_numbers(asked, {X, Y})) == {X: {X}}
    assert "1 of 2 look-ups got no answer" in caplog.text


async def _numbers(asked: Newcomers, numbers: set[str]) -> dict[str, set[str]]:
    async with asked._register:
        return await asked.numbers_told(numbers)


async def _fitting(asked: Newcomers, numbers: set[str], kriterier: TilpassetKriterier) -> set[str]:
    async with asked._register:
        return await asked.fitting(numbers, kriterier)


def test_numbers_are_followed_from_document_to_document() -> None:
    documents = {Z: {Z, Y}, Y: {Y, X}, "a stranger's": {"a stranger's"}}
    assert _connected(documents, {X}) == {Y, Z}
    assert _connected(documents, set()) == set()
