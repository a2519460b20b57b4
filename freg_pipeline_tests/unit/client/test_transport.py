"""One request over HTTP: what is tried again, what isn't, and what an error says."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from freg_pipeline.client.access import ReadyToken
from freg_pipeline.client.answers import Answer
from freg_pipeline.client.html import FirewallError, PageError
from freg_pipeline.client.patience import Patience
from freg_pipeline.client.transport import Transport
from freg_pipeline.errors import (
    FregError,
    GoneError,
    NotFoundError,
    PassingError,
    RefusedError,
    ThrottledError,
    UnreachableError,
)
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import serving

NUMBER = "03851598730"


def get(
    base_url: str,
    service: str = "personer/xsd",
    *,
    patience: Patience | None = None,
    check: Callable[[bytes], object] | None = None,
    times: int = 1,
    **options: object,
) -> Answer:
    """GET one resource, so many times after each other; returns the last answer."""

    async def ask() -> Answer:
        settings = {"auth": ReadyToken(None), "connections": 2, "requests_per_minute": None}
        async with Transport(base_url, **{**settings, **options}) as transport:  # type: ignore[arg-type]
            for _ in range(times):
                answer = await transport.get(
                    service, service, accept="*/*", check=check, patience=patience
                )
            return answer

    return asyncio.run(ask())


def answering(*responses: Response) -> Starlette:
    """A service that gives these answers, one after the other, the last one for ever."""
    left = list(responses)

    async def answer(request: Request) -> Response:
        del request
        return left.pop(0) if len(left) > 1 else left[0]

    return Starlette(routes=[Route("/v1/{path:path}", answer)])


def test_an_answer_comes_with_its_circumstances(small_register: str) -> None:
    answer = get(small_register)
    assert answer.body.startswith(b"<?xml")
    assert answer.content_type == "application/xml"
    assert len(answer.correlation_id) == 36
    assert answer.hentet.tzinfo is not None


STATUSES: list[tuple[int, type[FregError], str]] = [
    (400, RefusedError, "Correct"),
    (401, RefusedError, "FREG_TOKEN"),
    (403, RefusedError, "package of rights"),
    (404, NotFoundError, "FREG_BASE_URL"),
    (406, RefusedError, "Correct"),
    (410, GoneError, "another name"),
]


@pytest.mark.parametrize(("status", "kind", "remedy"), STATUSES)
def test_a_refusal_is_told_once_with_what_to_do(
    status: int, kind: type[FregError], remedy: str
) -> None:
    body = '{"kode": "FREG-7", "melding": "Nei, ikke for 03851598730"}'
    with serving(answering(Response(body, status, media_type="application/json"))) as url:
        with pytest.raises(kind) as refused:
            get(url)
    text = str(refused.value)
    assert type(refused.value) is kind
    assert f"{status} FREG-7" in text
    assert "Nei, ikke for ***********" in text
    assert "correlation id" in text
    assert remedy in text


BODIES = [
    '{"kode": "A-1", "melding": "nei"}',
    '{"httpStatus": 400, "feilkode": "A-1", "feilmelding": "nei", "alvorlighetsgrad": "FEIL"}',
    '{"code": "A-1", "message": "nei", "httpStatus": 400, "feilreferanse": "r"}',
    '[{"kode": "A-1", "melding": "nei"}]',
    '{"feilmelding": {"feilkode": "A-1", "feilmelding": "nei"}}',
]


@pytest.mark.parametrize("body", BODIES)
def test_every_form_of_an_error_is_understood(body: str) -> None:
    with serving(answering(Response(body, 400))) as url, pytest.raises(RefusedError) as refused:
        get(url)
    assert refused.value.code == "A-1"
    assert refused.value.said.startswith("nei")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        # Fiks: what there is of the two
        ('{"status": 400, "error": "Bad Request", "message": "nei", "errorId": "r"}', "nei"),
        ('{"status": 400, "error": "Bad Request", "message": null}', "Bad Request"),
        ("<feil><error>Bad Request</error></feil>", "Bad Request"),
        # the description has an object for what is told beside
        (
            '{"feilmelding": "nei", "tilleggsinformasjon": {"felt": "part", "verdi": 7, "a": {}}}',
            "nei, felt: part, verdi: 7",
        ),
        ('{"feilmelding": "nei", "tilleggsinformasjon": "mer"}', "nei, mer"),
        ('{"feilmelding": "nei", "tilleggsinformasjon": {"fnr": "03851598730"}}',
         "nei, fnr: ***********"),
    ],
)  # fmt: skip
def test_all_that_an_error_says_is_told(body: str, said: str) -> None:
    with serving(answering(Response(body, 400))) as url, pytest.raises(RefusedError) as refused:
        get(url)
    assert refused.value.said == said
    assert f'"{said}"' in str(refused.value)


@pytest.mark.parametrize("body", ["", "nei", "{", "7", "null", '{"annet": 1}'])
def test_an_error_of_an_unknown_form_still_tells_its_status(body: str) -> None:
    with serving(answering(Response(body, 400))) as url:
        with pytest.raises(RefusedError, match="answered 400"):
            get(url)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_passing_fault_is_tried_again(status: int) -> None:
    with serving(answering(Response("", status), Response("ok"))) as url:
        assert get(url).body == b"ok"


def test_a_fault_that_stays_is_told_after_so_many_tries() -> None:
    asked = 0

    async def fail(request: Request) -> Response:
        nonlocal asked
        del request
        asked += 1
        return Response("", 503)

    with serving(Starlette(routes=[Route("/v1/{path:path}", fail)])) as url:
        with pytest.raises(PassingError, match="503"):
            get(url, patience=Patience(faults=3))
    assert asked == 3


def test_a_damaged_body_is_a_passing_fault() -> None:
    def check(body: bytes) -> None:
        if body != b"whole":
            msg = "cut"
            raise ValueError(msg)

    with serving(answering(Response("who"), Response("whole"))) as url:
        assert get(url, check=check).body == b"whole"
    with serving(answering(Response("who"))) as url, pytest.raises(PassingError, match="cut"):
        get(url, check=check, patience=Patience(faults=2))


@pytest.mark.parametrize("fault", ["reset", "truncated"])
def test_a_lost_connection_is_tried_again(fault: str, start_register: StartRegister) -> None:
    url = start_register(persons=20, faults=f"{fault}=#2")
    assert get(url, times=4).body.startswith(b"<?xml")


def test_429_is_waited_for_as_long_as_it_says_in_milliseconds() -> None:
    busy = Response("", 429, headers={"Retry-After": "300"})
    with serving(answering(busy, busy, Response("ok"))) as url:
        started = time.monotonic()
        assert get(url, patience=Patience(faults=1)).body == b"ok"
        assert 0.6 <= time.monotonic() - started < 300, "as seconds, it would be ten minutes"


def test_429_that_lasts_too_long_is_told() -> None:
    busy = Response("", 429, headers={"Retry-After": "20"})
    with serving(answering(busy)) as url, pytest.raises(ThrottledError) as told:
        get(url, patience=Patience(throttled_seconds=0.1))
    assert told.value.retry_after == pytest.approx(0.02)


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_goes_beyond_the_deadline_is_not_begun(status: int) -> None:
    later = Response("", status, headers={"Retry-After": "99999999999"})
    started = time.monotonic()
    with serving(answering(later)) as url, pytest.raises(PassingError) as told:
        get(url)
    assert time.monotonic() - started < 3600
    assert told.value.retry_after == 3600


def test_no_further_try_begins_after_the_deadline() -> None:
    started = time.monotonic()
    with serving(answering(Response("", 503))) as url, pytest.raises(PassingError, match="503"):
        get(url, patience=Patience(faults=1_000, deadline_seconds=0.5))
    assert time.monotonic() - started < 600, "a thousand tries take hours"


def test_an_answer_that_trickles_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"."
            await asyncio.sleep(0.05)

    async def trickle(request: Request) -> Response:
        return StreamingResponse(drops())

    monkeypatch.setattr("freg_pipeline.client.wire.TRY_SECONDS", 0.3)
    with serving(Starlette(routes=[Route("/v1/{path:path}", trickle)])) as url:
        with pytest.raises(PassingError, match="TimeoutError"):
            get(url, patience=Patience(faults=1))


ZEROS = bytes(4 * 1024**2)
PACKED = gzip.compress(ZEROS)


async def _without_end() -> AsyncIterator[bytes]:
    for _ in range(500):  # for a client: who reads so much has forgotten its bound
        yield ZEROS
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: StreamingResponse(_without_end()),
        lambda: Response(PACKED, headers={"Content-Encoding": "gzip"}),
        lambda: Response(ZEROS),
    ],
    ids=["without end", "gzip", "plain"],
)
def test_an_answer_that_is_too_large_is_refused(answer: Callable[[], Response]) -> None:
    with serving(answering(answer())) as url:
        with pytest.raises(RefusedError, match=r"larger than 1 MB.*FREG_MAX_ANSWER_MB"):
            get(url, most_bytes=1024**2)


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500])
def test_of_an_error_only_the_beginning_is_read(status: int) -> None:
    def answer() -> Response:
        return StreamingResponse(_without_end(), status, headers={"Retry-After": "1"})

    with serving(answering(answer(), answer(), answer())) as url, pytest.raises(FregError) as told:
        get(url, patience=Patience(faults=1, throttled_seconds=0))
    assert str(status) in str(told.value)


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "compress"])
def test_what_is_packed_without_bounds_is_not_unpacked(packing: str) -> None:
    answer = Response(gzip.compress(PACKED), headers={"Content-Encoding": packing})
    with serving(answering(answer)) as url, pytest.raises(PassingError, match="DecodingError"):
        get(url, patience=Patience(faults=1))


def test_an_answer_may_be_packed() -> None:
    packed = Response(gzip.compress(b"<xs:schema/>"), headers={"Content-Encoding": "gzip"})
    with serving(answering(packed)) as url:
        assert get(url).body == b"<xs:schema/>"


@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_firewalls_page_is_known_by_its_content_type(status: int) -> None:
    page = Response(
        "<html><body>Rejected. Your support ID is: 918273645</body></html>", status,
        media_type="text/html",
    )  # fmt: skip
    with serving(answering(page)) as url:
        with pytest.raises(FirewallError, match="support id 918273645"):
            get(url, patience=Patience(faults=1))
    with serving(answering(page, Response("ok"))) as url:
        assert get(url).body == b"ok"


@pytest.mark.parametrize("status", [502, 503, 504, 500, 429])
def test_a_gateways_own_page_is_a_passing_fault(status: int) -> None:
    page = f"<html><head><title>{status}</title></head><body><center>nginx</center></body></html>"
    nginx = Response(page, status, media_type="text/html", headers={"Server": "nginx/1.25.3"})
    with serving(answering(nginx, nginx, nginx, Response("ok"))) as url:
        assert get(url).body == b"ok"
    with serving(answering(nginx)) as url, pytest.raises(PassingError) as told:
        get(url, patience=Patience(faults=2, throttled_seconds=0.1))
    assert f"an HTML page under status {status} from nginx" in str(told.value)
    assert "firewall" not in str(told.value)


@pytest.mark.parametrize("status", [200, 403, 404, 407])
def test_a_page_of_somebody_else_is_not_taken_for_the_firewalls(status: int) -> None:
    page = "<html><head><title>ERROR</title></head><body>Sign in: 03851598730</body></html>"
    proxy = Response(page, status, media_type="text/html", headers={"Server": "squid/5.7"})
    with serving(answering(proxy)) as url, pytest.raises(PageError) as told:
        get(url, patience=Patience(faults=1))
    assert not isinstance(told.value, FirewallError | NotFoundError)
    assert "from squid" in str(told.value)
    assert "HTTPS_PROXY" in str(told.value)
    assert NUMBER not in str(told.value)


@pytest.mark.parametrize(
    ("location", "leads"),
    [
        (f"https://login.example.org:84/in?p={NUMBER}", "to https://login.example.org:84 "),
        ("/sso/", "elsewhere on the same host"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_with_where_it_leads_and_not_followed(
    status: int, location: str, leads: str
) -> None:
    there = Response("", status, headers={"Location": location})
    with serving(answering(there, Response("followed"))) as url:
        with pytest.raises(RefusedError) as told:
            get(url)
    assert f"answered by {status}, which redirects {leads}" in str(told.value)
    assert "FREG_BASE_URL" in str(told.value)
    assert NUMBER not in str(told.value)


def test_a_token_never_goes_where_a_redirect_leads() -> None:
    seen: list[str] = []

    async def note(request: Request) -> Response:
        seen.append(request.headers.get("authorization", ""))
        return Response("ok")

    with serving(Starlette(routes=[Route("/{path:path}", note)])) as other:
        there = Response("", 307, headers={"Location": f"{other}/v1/x"})
        with serving(answering(there)) as url, pytest.raises(RefusedError, match="307"):
            get(url, auth=ReadyToken(SecretStr("a-token")))
    assert seen == []


def test_an_address_where_nothing_answers_is_given_up_soon() -> None:
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="FREG_BASE_URL"):
        get("http://127.0.0.1:9/x")
    assert time.monotonic() - started < 60


def test_after_401_the_request_is_sent_once_more() -> None:
    with serving(answering(Response("", 401), Response("ok"))) as url:
        assert get(url).body == b"ok"
    with serving(answering(Response("", 401), Response("", 401), Response("ok"))) as url:
        with pytest.raises(RefusedError, match="401"):
            get(url)


def test_the_pace_is_kept(small_register: str) -> None:
    started = time.monotonic()
    get(small_register, times=7, requests_per_minute=300)  # five a second
    assert time.monotonic() - started >= 0.3


def test_no_log_tells_an_address_with_a_number_in_it(
    caplog: pytest.LogCaptureFixture, small_register: str
) -> None:
    async def ask() -> None:
        transport = Transport(
            small_register, auth=ReadyToken(None), connections=1, requests_per_minute=None
        )
        async with transport:
            await transport.get("personer/{personidentifikator}", f"personer/{NUMBER}")

    with caplog.at_level(logging.DEBUG), pytest.raises(NotFoundError) as refused:
        asyncio.run(ask())
    assert caplog.records
    assert NUMBER not in caplog.text
    assert NUMBER not in str(refused.value)
