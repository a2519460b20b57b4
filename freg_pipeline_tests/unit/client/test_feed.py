"""Pages of the event list, in every form, and what the list says when there is none."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry, FeedPage, parse_feed
from freg_pipeline.errors import RefusedError, TooOldError
from freg_pipeline.settings import load
from freg_pipeline_tests.registers import serving

EVENT = {
    "folkeregisteridentifikator": "41819077906",
    "hendelsetype": "endringINavn",
    "hendelsesdokument": "aa11",
    "persondokument": "bb22",
    "ajourholdstidspunkt": "2026-06-20T09:26:03.689+02:00",
}
ENTRY = FeedEntry(7, "41819077906", "endringINavn", "aa11", "bb22", EVENT["ajourholdstidspunkt"])
BARE = FeedEntry(9)

# As the register's documentation shows it, which says hendelsestype there.
ATOM = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>x</id><title>Offentlig hendelsesliste</title>
<link rel='self' href='https://register/feed?seq=7'/><link rel='next' href='https://register/9'/>
<entry xmlns:ns2="folkeregisteret:tilgjengeliggjoering:hendelse:v1"><title>Hendelse</title>
<id>tag:skatteetaten.no,2017-10-10:hendelse:v1:7</id><content><ns2:lagretHendelse>
<ns2:sekvensnummer>7</ns2:sekvensnummer><ns2:hendelse>
<ns2:folkeregisteridentifikator>41819077906</ns2:folkeregisteridentifikator>
<ns2:hendelsestype>endringINavn</ns2:hendelsestype>
<ns2:hendelsesdokument>aa11</ns2:hendelsesdokument><ns2:persondokument>bb22</ns2:persondokument>
<ns2:ajourholdstidspunkt>2026-06-20T09:26:03.689+02:00</ns2:ajourholdstidspunkt>
</ns2:hendelse></ns2:lagretHendelse></content></entry>
<entry><content><l xmlns="urn:v1"><sekvensnummer>9</sekvensnummer><hendelse/></l></content></entry>
</feed>"""
XML = "<l xmlns='u'><lagretHendelse><sekvensnummer>9</sekvensnummer></lagretHendelse></l>"


def page(*events: Any) -> bytes:
    return json.dumps(events).encode()


def test_json_as_published() -> None:
    body = page({"sekvensnummer": 7, "hendelse": EVENT}, {"sekvensnummer": 9, "hendelse": {}})
    assert parse_feed(body) == [ENTRY, BARE]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", []),
        (b"{}", []),
        (b' {"hendelser": [{"sekvensnummer": 9}]}', [BARE]),
        (b'{"hendelser": []}', []),
        (b'{"sekvensnummer": 9, "hendelse": null}', [BARE]),
        (b'[null, {"sekvensnummer": 9}, null]', [BARE]),
        (b'[{"sekvensnummer": 9, "hendelse": {"folkeregisteridentifikator": 3851598730}}]',
         [FeedEntry(9, "03851598730")]),
        (b'[{"sekvensnummer": "9", "nytt": [1], "hendelse": {"nytt": {"a": 1}}}]', [BARE]),
        (b'[{"sekvensnummer": 9, "hendelse": {"persondokument": 12}}]',
         [FeedEntry(9, persondokument="12")]),
        (b'[{"sekvensnummer": 9, "hendelse": {"persondokument": ""}}]', [BARE]),
        (ATOM.encode(), [ENTRY, BARE]),
        (XML.encode(), [BARE]),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><id>x</id></feed>", []),
    ],
)  # fmt: skip
def test_every_form_of_a_page(body: bytes, expected: list[FeedEntry]) -> None:
    assert parse_feed(body) == expected


@pytest.mark.parametrize(
    "body",
    [b"", b"[{", b"7", b'"tekst"', b'{"a": 1}', b'{"a": [], "b": []}', b"[{}]",
     b'[{"sekvensnummer": null}]', b'[{"sekvensnummer": -1}]', b'[{"sekvensnummer": 1e17}]',
     b'[{"sekvensnummer": 9223372036854775808}]', b'[{"sekvensnummer": %s}]' % (b"9" * 5_000),
     b"\xff\xfe", b"<feed><entry>",
     ATOM.encode()[:-40], b"<feed><entry><id>1</id></entry></feed>"],
)  # fmt: skip
def test_a_damaged_page_is_told_without_its_content(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"answer|sequence number") as caught:
        parse_feed(body)
    assert "41819077906" not in str(caught.value)


text = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["C"]))


@given(st.lists(st.tuples(st.integers(0, 2**62), text, text)))
def test_every_event_of_a_page_is_found_in_its_order(events: list[tuple[int, Any, Any]]) -> None:
    body = page(
        *({"sekvensnummer": number, "hendelse": {"hendelsetype": kind, "persondokument": document}}
          for number, kind, document in events)
    )  # fmt: skip
    found = parse_feed(body)
    assert [entry.sekvensnummer for entry in found] == [number for number, _, _ in events]
    assert [entry.hendelsetype for entry in found] == [
        (kind or "").strip() or None for _, kind, _ in events
    ]


def test_no_identity_number_in_a_repr() -> None:
    assert "41819077906" not in repr([ENTRY])


class _Liste:
    """A register of one service: answers with what a test says, and notes what it was asked."""

    def __init__(self, **answers: Response) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self._answers = answers

    async def feed(self, request: Request) -> Response:
        headers = request.headers
        self.asked.append(
            (request.query_params["seq"], headers["accept"], headers.get("if-none-match"))
        )
        asked = f"seq{request.query_params['seq']}"
        return self._answers[asked if asked in self._answers else "other"]

    async def siste(self, request: Request) -> Response:
        return PlainTextResponse("99")

    def feeds(self, seq: int, **options: Any) -> FeedPage | None:
        routes = [
            Route("/v1/hendelser/feed", self.feed),
            Route("/v1/hendelser/siste/sekvensnummer", self.siste),
        ]

        async def run(url: str) -> FeedPage | None:
            async with Register.from_settings(load(base_url=url)) as register:
                return await register.hendelser.feed(seq, **options)

        with serving(Starlette(routes=routes)) as url:
            return asyncio.run(run(url))


def test_a_page_and_its_etag_over_http() -> None:
    body = page({"sekvensnummer": 7, "hendelse": EVENT})
    liste = _Liste(other=Response(body, headers={"ETag": '"v1"'}, media_type="application/json"))
    found = liste.feeds(7)
    assert found is not None
    assert (found.entries, found.etag, found.raw.body) == ((ENTRY,), '"v1"', body)
    assert liste.asked == [("7", "application/json", None)]
    assert "41819077906" not in repr(found)


def test_nothing_new_is_told_apart_from_an_empty_page() -> None:
    liste = _Liste(seq7=Response(status_code=304), other=Response("[]"))
    assert liste.feeds(7, etag='"v1"') is None
    assert liste.asked == [("7", "application/json", '"v1"')]
    empty = liste.feeds(8, form="atom")
    assert empty is not None
    assert empty.entries == ()
    assert liste.asked[1] == ("8", "application/atom+xml", None)


TOO_OLD = "Sekvensnummer kan ikke være mere enn 36 måneder gammelt"


def test_a_number_that_is_too_old_leads_to_a_full_load() -> None:
    said = json.dumps({"kode": "FREG-006", "melding": TOO_OLD})
    liste = _Liste(other=Response(said, 406, media_type="application/json"))
    with pytest.raises(TooOldError, match=r"36 måneder.*freg uttrekk komplett") as caught:
        liste.feeds(1)
    assert (caught.value.exit_code, caught.value.status) == (3, 406)
    assert len(liste.asked) == 1


def test_a_406_that_says_nothing_is_tried_with_a_young_number() -> None:
    liste = _Liste(seq1=Response(status_code=406), seq99=Response("[]"))
    with pytest.raises(TooOldError):
        liste.feeds(1)


@pytest.mark.parametrize("body", [b"", b'{"code": "X", "message": "Bruk application/json"}'])
def test_a_form_that_is_refused_is_no_old_number(body: bytes) -> None:
    liste = _Liste(other=Response(body, 406, media_type="application/json"))
    with pytest.raises(RefusedError, match="406") as caught:
        liste.feeds(1)
    assert not isinstance(caught.value, TooOldError)
