"""Answers that neither hold a document nor say that there is none: asked again, then failed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.client import Register
from freg_pipeline.envelope import parse
from freg_pipeline.extract.batches import add_batches
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline_tests.registers import serving
from freg_pipeline_tests.unit.feed.made import begun, register, store_in

FAULT = "Teknisk feil, prøv igjen senere"
A, B, C = "41819077906", "03851598730", "20036914700"


class Faulty:
    """Answers for B by a reason, so many times; C is gone."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked: list[list[str]] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/personer/bulkoppslag", self._bulk, methods=["POST"])])

    async def _bulk(self, request: Request) -> Response:
        asked = (await request.json())["foedselsEllerDNummer"]
        self.asked.append(asked)
        return JSONResponse({"oppslag": [self._one(one) for one in asked]})

    def _one(self, number: str) -> dict[str, Any]:
        answer: dict[str, Any] = {"foedselsEllerDNummer": number}
        if number == C:
            return {**answer, "feilmelding": {"feilmelding": "Fant ikke personen"}}
        if number == B and len(self.asked) <= self.times:
            return {**answer, "feilmelding": {"feilmelding": FAULT}}
        return {**answer, "folkeregisterperson": {"kjoenn": []}}


async def fetch(uttrekk: Uttrekk, asked: Register) -> None:
    async with asked:
        await fetch_batch(asked, uttrekk, 0, concurrency=2)


@pytest.mark.parametrize(("times", "asked", "reason"), [(1, 2, None), (2, 3, None), (9, 3, FAULT)])
def test_a_reason_that_is_no_word_of_being_gone_is_asked_about_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    asked: int,
    reason: str | None,
) -> None:
    monkeypatch.setattr("freg_pipeline.extract.look_up.FIRST_PAUSE", 0.01)
    uttrekk = begun(store_in(tmp_path))
    add_batches(uttrekk, 0, "foedselsEllerDNummer", [A, B, C])
    faulty = Faulty(times)
    with serving(faulty.app()) as url:
        asyncio.run(fetch(uttrekk, register(url)))
    assert faulty.asked == [[A, B, C], *[[B]] * (asked - 1)]
    (answer,) = uttrekk.answers(0)
    told = [(one.identifikator, one.feilmelding) for one in parse(answer.body)]
    assert told == [(A, None), (B, reason), (C, "Fant ikke personen")]
