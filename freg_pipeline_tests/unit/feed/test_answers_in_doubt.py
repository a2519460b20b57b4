"""Packages without document pointers: an answer by number that looks older than what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.client import Register
from freg_pipeline.course import collect
from freg_pipeline.lake.query import query
from freg_pipeline.lake.release import build_release
from freg_pipeline.settings import Settings, load
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.registers import serving
from freg_pipeline_tests.unit.feed.made import event
from freg_pipeline_tests.unit.lake.delivered import (
    XSD,
    deliver,
    document,
    local_store,
    navn,
    number,
)

A, B = number(0), number(1)
STORED = document(A, day=5, navn=[navn("Ada")])
BEFORE = document(A, day=2, navn=[navn("Ane")])
AFTER = document(A, day=7, navn=[navn("Alma")])


class Lagging:
    """Answers one look-up after the other by documents of its own; the last one stays."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/personer/xsd", lambda _: Response(XSD, media_type="application/xml")),
                Route("/v1/personer/bulkoppslag", self._bulk, methods=["POST"]),
                Route("/v1/hendelser/siste/sekvensnummer", lambda _: JSONResponse(120)),
                Route("/v1/hendelser/feed", self._feed),
            ]
        )

    async def _feed(self, request: Request) -> Response:
        events = [event(110, A), event(120, B)]
        seq = int(request.query_params["seq"])
        return JSONResponse([one for one in events if one["sekvensnummer"] >= seq])

    async def _bulk(self, request: Request) -> Response:
        asked = (await request.json())["foedselsEllerDNummer"]
        if not {A, B} & set(asked):  # which parts there are is found out by somebody's number
            reason = {"feilmelding": "Fant ikke personen"}
            told = [{"foedselsEllerDNummer": one, "feilmelding": reason} for one in asked]
            return JSONResponse({"oppslag": told})
        self.asked.append(asked)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        given = {A: answer, B: document(B, day=6, navn=[navn("Bo")])}
        told = [{"foedselsEllerDNummer": one, "folkeregisterperson": given[one]} for one in asked]
        return JSONResponse({"oppslag": told})


def synced(folder: Path, register: Lagging) -> list[Any]:
    """First names after a release of STORED was brought up to date."""
    store = local_store(folder)
    build_release(store, deliver(store, "one", [("d-a", STORED)]))
    with serving(register.app()) as url:
        settings = load(base_url=url, confirm_seconds=0.01)
        asyncio.run(collected(store, settings))
    return query(store, "SELECT fornavn FROM navn ORDER BY personidentifikator").fetchall()


async def collected(store: LocalStore, settings: Settings) -> None:
    async with Register.from_settings(settings) as register:
        taken = await collect(store, register, settings, lambda what, total: lambda more: None)
    assert taken is not None
    manifest = build_release(store, taken.uttrekk)
    assert manifest.accounting.unexplained == 0


@pytest.mark.parametrize(
    ("answers", "name", "times"),
    [
        ([AFTER], "Alma", 1),  # nothing to doubt
        ([BEFORE, AFTER], "Alma", 2),  # it lagged behind, and came up
        ([BEFORE, BEFORE, AFTER], "Alma", 3),
        ([BEFORE], "Ane", 3),  # it stays so: the change was taken back
    ],
    ids=["newer", "lags", "lags twice", "taken back"],
)
def test_an_answer_in_doubt_is_asked_for_again(
    tmp_path: Path, answers: Sequence[dict[str, Any]], name: str, times: int
) -> None:
    register = Lagging(*answers)
    assert synced(tmp_path, register) == [(name,), ("Bo",)]
    assert register.asked == [sorted([A, B]), *[[A]] * (times - 1)]


def test_what_was_asked_again_is_not_asked_once_more(tmp_path: Path) -> None:
    """A sync that is gone on with finds the answers."""
    store = local_store(tmp_path)
    build_release(store, deliver(store, "one", [("d-a", STORED)]))
    register = Lagging(BEFORE)
    with serving(register.app()) as url:
        settings = load(base_url=url, confirm_seconds=0.01)
        for _ in range(2):
            asyncio.run(_collect_only(store, settings))
    assert len(register.asked) == 3


async def _collect_only(store: LocalStore, settings: Settings) -> None:
    async with Register.from_settings(settings) as register:
        assert await collect(store, register, settings, lambda what, total: lambda more: None)
