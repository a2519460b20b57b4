"""The services, against the synthetic register."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.client import BatchState, Register, SoekKriterier, TilpassetKriterier
from freg_pipeline.client.sekvensnummer import parse_number
from freg_pipeline.client.treff import parse_treff
from freg_pipeline.client.uttrekk import BatchAnswer
from freg_pipeline.envelope import parse
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.errors import FregError, GoneError, NotFoundError, RefusedError
from freg_pipeline.settings import load
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import serving


def ask(url: str, question: Callable[[Register], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Register.from_settings(load(base_url=url)) as register:
            return await question(register)

    return asyncio.run(run())


async def collect(register: Register, job: str) -> list[str]:
    """All identifiers of a job."""
    found: list[str] = []
    number = 0
    while True:
        batch: BatchAnswer = await register.uttrekk.batch(job, number)
        if batch.state is BatchState.END:
            return found
        if batch.raw is None:
            await asyncio.sleep(0.02)
            continue
        found += parse_batch(batch.raw.body)[1]
        number += 1


def test_a_komplett_uttrekk_in_batches(small_register: str) -> None:
    async def question(register: Register) -> list[str]:
        number = await register.hendelser.siste_sekvensnummer()
        return await collect(register, await register.uttrekk.bestill_komplett(number))

    identifiers = ask(small_register, question)
    assert len(set(identifiers)) == len(identifiers) == 1_000


def test_a_tilpasset_uttrekk(small_register: str) -> None:
    kriterier = TilpassetKriterier(personstatustyper=("doed",)).to_register()

    async def question(register: Register) -> list[str]:
        return await collect(register, await register.uttrekk.bestill_tilpasset(kriterier))

    numbers = ask(small_register, question)
    assert 0 < len(numbers) < 100
    assert all(len(number) == 11 for number in numbers)


def test_a_job_that_is_gone(small_register: str) -> None:
    with pytest.raises(GoneError):
        ask(small_register, lambda register: register.uttrekk.batch("no-such-job", 0))


def test_an_order_that_the_register_answers_with_an_error_text() -> None:
    async def refuse(request: Request) -> Response:
        del request
        return Response('{"feilmelding": "Ikke i dag"}', media_type="application/json")

    with serving(Starlette(routes=[Route("/v1/uttrekk/komplett", refuse)])) as url:
        with pytest.raises(RefusedError, match="Ikke i dag"):
            ask(url, lambda register: register.uttrekk.bestill_komplett(1))


@pytest.mark.parametrize("named", ["", " ", ".", "..", "x" * 201])
def test_a_job_under_a_name_that_leads_elsewhere_is_no_job(named: str) -> None:
    async def accept(request: Request) -> Response:
        del request
        return JSONResponse({"jobbId": named})

    with serving(Starlette(routes=[Route("/v1/uttrekk/komplett", accept)])) as url:
        with pytest.raises(RefusedError, match="created no job, and gave no reason"):
            ask(url, lambda register: register.uttrekk.bestill_komplett(1))


def test_more_than_a_thousand_are_not_sent(small_register: str) -> None:
    with pytest.raises(FregError, match="at most 1000"):
        ask(small_register, lambda register: register.personer.bulkoppslag(["1"] * 1001, []))


def test_look_ups_come_in_the_order_asked_with_errors_in_place(small_register: str) -> None:
    kriterier = TilpassetKriterier(personstatustyper=("doed",)).to_register()

    async def question(register: Register) -> tuple[list[str], bytes]:
        numbers = await collect(register, await register.uttrekk.bestill_tilpasset(kriterier))
        asked = [numbers[2], "00000000000", numbers[0]]
        answer = await register.personer.bulkoppslag(asked, ["navn"])
        return asked, answer.body

    asked, body = ask(small_register, question)
    answers = parse(body)
    assert [answer.identifikator for answer in answers] == asked
    assert [answer.person is not None for answer in answers] == [True, False, True]


@pytest.mark.parametrize(
    "body",
    ["63727", " 63727\n", '{"sekvensnummer": 63727}', "<sekvensnummer>63727</sekvensnummer>",
     '<?xml version="1.0"?><s xmlns="urn:v1">63727</s>', '"63727"',
     '{"sekvensnummer": 63727, "versjon": 2}', '{"versjon": 2, "sekvensnummer": "63727"}',
     "<siste><versjon>2</versjon><sekvensnummer>63727</sekvensnummer></siste>", "0063727"],
)  # fmt: skip
def test_the_last_sequence_number_in_every_form(body: str) -> None:
    async def answer(request: Request) -> Response:
        del request
        return Response(body)

    app = Starlette(routes=[Route("/v1/hendelser/siste/sekvensnummer", answer)])
    with serving(app) as url:
        assert ask(url, lambda register: register.hendelser.siste_sekvensnummer()) == 63727


@pytest.mark.parametrize(
    "body",
    ["-63727", '{"sekvensnummer": -63727}', '{"versjon": 63727}', '{"siste": {"x": 63727}}',
     "[63727]", "63727.5", "true", "", "63 727", "nr 63727", "<s><versjon>2</versjon></s>",
     "<sekvensnummer>-63727</sekvensnummer>", '{"sekvensnummer": true}', "²"],
)  # fmt: skip
def test_what_is_no_sequence_number_is_not_taken_for_one(body: str) -> None:
    with pytest.raises(ValueError, match="no sequence number"):
        parse_number(body.encode())


NONE = ('{"kode": "FREG-404", "melding": "Ingen treff"}', "")


@pytest.mark.parametrize("body", NONE)
def test_a_search_answered_by_404_has_no_hits(body: str) -> None:
    with serving(_searching(Response(body, 404), number=Response("7"))) as url:
        found = ask(url, lambda register: register.personer.soek(SoekKriterier(navn="Ingen")))
    assert found.numre == ()
    assert parse_treff(found.raw.body) == []


@pytest.mark.parametrize("body", NONE)
def test_a_404_from_a_wrong_address_is_not_taken_for_no_hits(body: str) -> None:
    nothing = Response(body, 404)
    with serving(_searching(nothing, number=nothing)) as url, pytest.raises(NotFoundError):
        ask(url, lambda register: register.personer.soek(SoekKriterier(navn="Ingen")))


def _searching(hits: Response, number: Response) -> Starlette:
    async def soek(request: Request) -> Response:
        del request
        return hits

    async def siste(request: Request) -> Response:
        del request
        return number

    return Starlette(
        routes=[Route("/v1/personer/soek", soek), Route("/v1/hendelser/siste/sekvensnummer", siste)]
    )


def test_eleven_jobs_at_once_are_too_many(start_register: StartRegister) -> None:
    url = start_register(persons=20, ready_after_seconds=60)

    async def question(register: Register) -> None:
        for _ in range(11):
            await register.uttrekk.bestill_komplett(1)

    with pytest.raises(FregError, match="429"):
        ask(url, question)


_EMPTY = {"dokumentidentifikator": []}
_FULL = {"dokumentidentifikator": ["a"]}


@pytest.mark.parametrize(
    ("following", "state"),
    [
        ([_FULL], BatchState.READY),
        ([_EMPTY, _FULL], BatchState.READY),
        ([{}], BatchState.END),
        ([_EMPTY] * 5, BatchState.END),
        ([{"antall": 0}, _FULL], BatchState.READY),
        ([404], BatchState.NOT_READY),
        ([410], BatchState.END),
    ],
    ids=[
        "a batch",
        "an empty one, and a batch",
        "the end",
        "nothing but empty",
        "an unknown field, and a batch",
        "404",
        "410",
    ],
)
def test_an_empty_list_is_a_batch_without_anybody_if_others_follow(
    following: list[Any], state: BatchState
) -> None:
    batches = [_EMPTY, *following]

    async def batch(request: Request) -> Response:
        answer = batches[request.path_params["number"]]
        return JSONResponse({}, answer) if isinstance(answer, int) else JSONResponse(answer)

    routes = [Route("/v1/uttrekk/job/batch/{number:int}", batch)]
    with serving(Starlette(routes=routes)) as url:
        found: BatchAnswer = ask(url, lambda register: register.uttrekk.batch("job", 0))
    assert (found.state, found.count) == (state, 0)
    assert (found.raw is None) == (state is BatchState.NOT_READY)


def test_a_receipt_may_begin_with_a_byte_order_mark() -> None:
    async def receipt(_: Request) -> Response:
        return Response(b'\xef\xbb\xbf{"jobbId": "a"}', media_type="application/json")

    with serving(Starlette(routes=[Route("/v1/uttrekk/komplett", receipt)])) as url:
        assert ask(url, lambda register: register.uttrekk.bestill_komplett(1)) == "a"
