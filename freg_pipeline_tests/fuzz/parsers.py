"""Every reader of what comes from outside, on inputs made wrong: ``python -m …fuzz.parsers``.

Each either understands what it is given, or says in one line of its own that it doesn't, without
an identity number: no other error comes of any bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from freg_pipeline.client.answers import failure
from freg_pipeline.client.feed import parse_feed
from freg_pipeline.client.hendelsesdokument import hendelsesdokumenter
from freg_pipeline.client.oauth import Granted, Metadata, decode, refusal
from freg_pipeline.client.retry_after import LONGEST_SECONDS, retry_after
from freg_pipeline.client.sekvensnummer import parse_number
from freg_pipeline.client.treff import parse_treff
from freg_pipeline.client.uttrekk import _job, _job_id
from freg_pipeline.contract import compile_contract
from freg_pipeline.envelope import parse
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.errors import FregError, UnforeseenError
from freg_pipeline.extract.listfile import read_list
from freg_pipeline.outside import looks_like_number
from freg_pipeline.pseudonyms.rules import parse_rules, profile
from freg_pipeline.settings import Settings, load
from freg_pipeline.store.record import decode_record
from freg_pipeline_tests.contracts import entity, field, small_contract

NUMBER = b"03851598730"
REQUEST = httpx.Request("GET", "http://register.test/v1/x")


def _answer(body: bytes, status: int = 400, kind: str = "application/json") -> httpx.Response:
    return httpx.Response(status, content=body, headers={"content-type": kind}, request=REQUEST)


def _refused(body: bytes) -> None:
    for kind in ("application/json", "text/html", body[:40].decode("latin-1")):
        for status in (200, 400, 403, 429, 503):
            if status != 200 or "html" in kind:
                _check_error(failure(_answer(body, status, kind), "personer/soek", "an id"))


def _token(body: bytes) -> None:
    _check_error(refusal(_answer(body), "folkeregister:x", 0.0))
    for kind in (Metadata, Granted):
        try:
            decode(_answer(body, 200), kind, "token")
        except FregError as error:
            _check_error(error)


def _waited(body: bytes) -> None:
    for name in (b"retry-after", b"date"):
        headers = [(b"retry-after", b"Fri, 31 Dec 2027 23:59:59 GMT"), (name, body)]
        seconds = retry_after(httpx.Response(503, headers=headers[name == b"retry-after" :]))
        assert seconds is None or 0 <= seconds <= LONGEST_SECONDS
        refusal(httpx.Response(400, headers=headers, request=REQUEST), "x", 0.0)


def _listed(body: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        list(read_list(Path(file.name)))


def _set(body: bytes) -> None:
    name, _, value = body.decode("utf-8", "replace").partition("=")
    if name in Settings.model_fields:
        load(**{name: value})


class Reader(NamedTuple):
    """What reads, and inputs to begin with."""

    read: Callable[[bytes], object]
    inputs: list[bytes]


_EVENT = (
    b'{"sekvensnummer":7,"hendelse":{"hendelsetype":"endringINavn",'
    b'"folkeregisteridentifikator":"%s","ajourholdstidspunkt":"2026-01-01T00:00:00Z"}}' % NUMBER
)
_XML = b'<?xml version="1.0" encoding="utf-8"?>'
READERS = {
    "page of events": Reader(parse_feed, [
        b"[%s]" % _EVENT, b'{"hendelser":[%s]}' % _EVENT,
        _XML + b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><content><lagretHendelse>'
        b"<sekvensnummer>7</sekvensnummer><hendelse><folkeregisteridentifikator>%s"
        b"</folkeregisteridentifikator></hendelse></lagretHendelse></content></entry></feed>"
        % NUMBER,
    ]),
    "hits": Reader(parse_treff, [
        b'{"foedselsEllerDNummer":["%s",%s]}' % (NUMBER, NUMBER), b'{"feilmelding":"for mange"}',
        _XML + b"<svar><foedselsEllerDNummer>%s</foedselsEllerDNummer></svar>" % NUMBER,
    ]),
    "event documents": Reader(hendelsesdokumenter, [
        b'[{"dokumentidentifikator":"a","hendelse":{"hendelsestype":"x","egenskapshendelse":'
        b'[{"entitet":"navn","entitetsendring":"korrigere","navn":{"fornavn":"A"}}]}}]',
        _XML + b"<s><o><hendelse><hendelsestype>x</hendelsestype><egenskapshendelse><navn/>"
        b"</egenskapshendelse></hendelse></o><o><feilmelding>nei</feilmelding></o></s>",
    ]),
    "sequence number": Reader(parse_number, [
        b"17", b'"17"', b'{"sekvensnummer":17}', _XML + b"<sekvensnummer>17</sekvensnummer>",
    ]),
    "batch": Reader(parse_batch, [
        b'{"foedselsEllerDNummer":["%s"]}' % NUMBER, b'{"dokumentidentifikator":["a",7,null]}',
        b'{"feilmelding":{"feilmelding":"nei"}}', b'{"feilmelding":"nei"}',
    ]),
    "receipt": Reader(lambda body: (_job(body), _job_id(body, "uttrekk/komplett")), [
        b'{"jobbId":"5f0b8b1e"}', b'{"feilmelding":{"feilmelding":"nei"}}', b'{"jobbId":".."}',
    ]),
    "bulk answer": Reader(parse, [
        b'{"oppslag":[{"foedselsEllerDNummer":"%s","folkeregisterperson":{"navn":[{"fornavn":"A"}'
        b']}},{"foedselsEllerDNummer":"1","feilmelding":{"feilmelding":"Ukjent"}}]}' % NUMBER,
        _XML + b"<svar><oppslag><foedselsEllerDNummer>%s</foedselsEllerDNummer>"
        b"<folkeregisterperson><navn/></folkeregisterperson></oppslag></svar>" % NUMBER,
    ]),
    "error": Reader(_refused, [
        b'{"kode":"FREG-1","melding":"ikke %s"}' % NUMBER, b'[{"feilmelding":{"feilkode":7}}]',
        _XML + b"<feil><kode>A</kode><melding>%s</melding></feil>" % NUMBER,
        b"text/html; charset=zlib <html>Request Rejected. Support ID is: 91827364</html>",
    ]),
    "token": Reader(_token, [
        b'{"access_token":"a.b.c","expires_in":119,"scope":"x"}',
        b'{"issuer":"https://m/","token_endpoint":"https://m/token"}',
        b'{"error":"invalid_grant","error_description":"MP-110 %s.%s"}' % (b"a" * 40, b"b" * 40),
    ]),
    "Retry-After": Reader(_waited, [
        b"120", "²".encode(), b"-1", b"1e400", b"Fri, 31 Dec 9999 23:59:59 GMT",
        b"1 Jan 0001 00:00:00 -0000",
    ]),
    "contract": Reader(compile_contract, [
        small_contract(
            entity("navn", field("fornavn") + field("gyldig", "xs:date")) + field("e", "t:E"),
            '<xs:simpleType name="E"><xs:restriction base="xs:string"><xs:enumeration value="a"/>'
            "</xs:restriction></xs:simpleType>",
        ),
    ]),
    "list": Reader(_listed, [
        NUMBER + b"\n" + NUMBER + b"\r\n", b'navn;fnr\n"A";"%s"\n' % NUMBER, b"PAR1xxxxPAR1",
    ]),
    "settings": Reader(_set, [
        b"base_url=https://user:pass@host/x", b"store=s3://bucket/prefix", b"parts=alle,-navn",
        b"keep_answers_days=30", b"concurrency=4", b"readers=everyone", b"s3_endpoint=http://h:1",
    ]),
    "rules": Reader(lambda body: parse_rules(body, "rules.toml"), [
        profile("research"), b'minimum = 5\n[tables.navn]\nfornavn = "drop"\n',
    ]),
    "record": Reader(lambda body: decode_record(body, dict, "a/key", "a store"), [
        b'{"format":1,"sha256":"00","record":{"a":1}}', b'{"a":1}',
    ]),
}  # fmt: skip
_ODD = [
    b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"', b"\\", b'\\ud83d', b"{", b"}",
    b"[", b"]", b"<", b">", b"</", b"<!--", b"<![CDATA[", b"&x;", b"&#0;", b"&#xD800;", b"null",
    b"true", b"1e999", b"-1", b"9" * 30, b"9" * 5_000, b"[" * 3_000, b'{"a":' * 3_000,
    b"<a>" * 3_000,
    NUMBER,
    b"\r", b"\n", b";", b"=", b"\x1b[31m", b'<!DOCTYPE a [<!ENTITY x "y">]>', "æ²".encode(),
]  # fmt: skip


def _edited(body: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for place, gone, put in edits:
        at = int(place * len(body))
        body = body[:at] + put + body[at + gone :]
    return body


def _bodies(reader: Reader) -> st.SearchStrategy[bytes]:
    edit = st.tuples(
        st.floats(0, 1),
        st.sampled_from([0, 0, 1, 2, 10, 1_000]),
        st.sampled_from(_ODD) | st.binary(max_size=4),
    )
    return st.builds(_edited, st.sampled_from(reader.inputs), st.lists(edit, max_size=4))


def _check_error(error: FregError | ValueError) -> None:
    text = str(error)
    assert not isinstance(error, UnforeseenError)
    assert len(text.splitlines()) <= 1
    assert not looks_like_number(text)


def fuzz(name: str, examples: int, begin: int = 0) -> None:
    """Try a reader on so many inputs.

    Raises:
        Exception: what it raised of one, which hypothesis has made as small as it can.
    """
    reader = READERS[name]

    @seed(begin)
    @settings(
        max_examples=examples, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(_bodies(reader))
    def attempt(body: bytes) -> None:
        try:
            reader.read(body)
        except (FregError, ValueError) as error:
            _check_error(error)

    attempt()


def main() -> None:
    """Try each reader for so long, other inputs each time; stop at the first that goes wrong."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--reader", action="append", choices=READERS, help="only this one; several")
    parser.add_argument("--seconds", type=float, default=600.0, help="for each reader")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    told = parser.parse_args()
    for name in told.reader or READERS:
        tried, ends = 0, time.monotonic() + told.seconds
        while time.monotonic() < ends:
            fuzz(name, 1_000, told.seed + tried)
            tried += 1_000
        sys.stdout.write(f"{name}: {tried:,} inputs, from seed {told.seed}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
