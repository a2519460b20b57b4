"""An archive that refuses a whole look-up for the sake of one document in it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.envelope import parse
from freg_pipeline.errors import RefusedError
from freg_pipeline.extract.batches import add_batches
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline_tests.registers import serving
from freg_pipeline_tests.unit.feed.made import begun, register, store_in

REFUSAL = {"kode": "FREG-017", "melding": "Dokumentet er slettet"}


UNKNOWN_PART = {"kode": "FREG-003", "melding": "Ukjent part: opphold"}


def archive(*known: str, refusal: dict[str, str] = REFUSAL) -> Starlette:
    """Knows some documents; a look-up that names another one is refused as a whole."""

    async def many(request: Request) -> Response:
        asked = json.loads(await request.body())["dokumentidentifikator"]
        if not set(asked) <= set(known):
            return JSONResponse(refusal, 400)
        return JSONResponse([{"dokumentidentifikator": one, "kjoenn": []} for one in asked])

    async def single(request: Request) -> Response:
        wanted = request.path_params["document"]
        if wanted not in known:
            return JSONResponse(refusal, 400)
        return JSONResponse({"kjoenn": []})

    return Starlette(
        routes=[
            Route("/v1/personer/bulkoppslag/arkiv", many, methods=["POST"]),
            Route("/v1/personer/arkiv/{document}", single),
        ]
    )


async def fetch(uttrekk: Uttrekk, url: str) -> None:
    async with register(url) as asked:
        await fetch_batch(asked, uttrekk, 0, concurrency=2)


def test_the_others_are_asked_for_one_by_one(tmp_path: Path) -> None:
    uttrekk = begun(store_in(tmp_path))
    add_batches(uttrekk, 0, "dokumentidentifikator", ["a", "borte", "b"])
    with serving(archive("a", "b")) as url:
        asyncio.run(fetch(uttrekk, url))
    (answer,) = uttrekk.answers(0)
    told = [(one.identifikator, one.feilmelding) for one in parse(answer.body)]
    assert told == [("a", None), ("borte", "Dokumentet er slettet"), ("b", None)]


def test_a_refusal_of_every_document_is_about_something_else(tmp_path: Path) -> None:
    """A wrong part, for one. Nobody is gone for that."""
    uttrekk = begun(store_in(tmp_path))
    add_batches(uttrekk, 0, "dokumentidentifikator", ["a", "b"])
    unknown_part = archive(refusal=UNKNOWN_PART)
    with serving(unknown_part) as url, pytest.raises(RefusedError, match="bulkoppslag/arkiv"):
        asyncio.run(fetch(uttrekk, url))
    assert uttrekk.answered(0) == set()


def test_documents_that_are_all_deleted_stop_nothing(tmp_path: Path) -> None:
    uttrekk = begun(store_in(tmp_path))
    add_batches(uttrekk, 0, "dokumentidentifikator", ["a", "b"])
    with serving(archive()) as url:
        asyncio.run(fetch(uttrekk, url))
    (answer,) = uttrekk.answers(0)
    assert [one.feilmelding for one in parse(answer.body)] == ["Dokumentet er slettet"] * 2
