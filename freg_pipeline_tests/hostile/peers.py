"""What a server can say that no server should: each in its name."""

from __future__ import annotations

import gzip
import zlib
from functools import cache

from freg_pipeline_tests.hostile.server import Connection, Peer

NUMBER = "03851598730"  # an identity number, which nothing may show
SECRET = "topsecretTOKENtopsecret"


def head(status: str, *headers: str) -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def said(status: str, body: bytes = b"", *headers: str) -> Peer:
    """An answer as it should be written."""
    whole = head(status, f"Content-Length: {len(body)}", *headers) + body
    return lambda to: to.send(whole)


def raw(*parts: bytes) -> Peer:
    """These bytes, and the end."""
    return lambda to: to.send(*parts)


def endless(before: bytes, part: bytes) -> Peer:
    """A beginning, and what never ends."""

    def peer(to: Connection) -> None:
        to.send(before)
        to.endless(part)

    return peer


def trickling(before: bytes, part: bytes) -> Peer:
    """A beginning, and what comes byte by byte for ever."""

    def peer(to: Connection) -> None:
        to.send(before)
        to.trickle(part)

    return peer


def silent(to: Connection) -> None:
    """Nothing at all, and no end."""
    to.socket.settimeout(30)
    to.socket.recv(1)


def echoing(status: str) -> Peer:
    """What was asked, token and all, as the register's own words."""

    def peer(to: Connection) -> None:
        asked = to.heads[-1].decode("latin-1").replace("\r\n", " ").replace('"', "'")
        text = f'{{"kode":"A","melding":"{NUMBER} {SECRET} {asked[:150]}"}}'.encode()
        said(status, text, f"X-Said: {SECRET}")(to)

    return peer


def _packed(packing: str, body: bytes, status: str = "200 OK") -> Peer:
    return said(status, body, f"Content-Encoding: {packing}")


@cache
def zeros(window: int) -> bytes:
    """300 MB of nothing in 300 kB: with a window of 31 gzip, of 15 deflate."""
    packer = zlib.compressobj(6, zlib.DEFLATED, window)
    return b"".join(packer.compress(bytes(1024**2)) for _ in range(300)) + packer.flush()


def _bomb(packing: str, status: str = "200 OK", window: int = 31) -> Peer:
    """Few bytes that unpack to many; made when they are wanted."""
    return lambda to: _packed(packing, zeros(window), status)(to)


_BOMBS: dict[str, Peer] = {
    "gzip bomb": _bomb("gzip"),
    "deflate bomb": _bomb("deflate", window=15),
    "gzip bomb twice": lambda to: _packed("gzip, gzip", gzip.compress(zeros(31)))(to),
    "br that is none": _bomb("br"),
    "zstd that is none": _bomb("zstd"),
    "gzip bomb as an error": _bomb("gzip", "400 Bad Request"),
    "gzip bomb as a fault": _bomb("gzip", "503 Service Unavailable"),
    "gzip that is cut short": _packed("gzip", gzip.compress(b'{"a":1}' * 999)[:-9]),
    "gzip that is none": _packed("gzip", b"{}"),
}


def _numbered(form: str, count: int) -> bytes:
    return "".join(form % number for number in range(count)).encode()


def _chunked(status: str) -> bytes:
    return head(status, "Transfer-Encoding: chunked")


_CHUNK = b"10000\r\n%s\r\n" % (b"[" * 0x10000)


def _waits(status: int, *values: str) -> dict[str, Peer]:
    return {
        f"{status}, Retry-After: {value}": said(f"{status} X", b"", f"Retry-After: {value}")
        for value in values
    }


def _many(first: bytes, one: bytes, last: bytes, size: int = 8_192) -> Peer:
    """So many kB of the same, which take many times as much once they are read."""
    count = (size * 1024 - len(first) - len(last)) // len(one)
    return lambda to: said("200 OK", first + one * count + last)(to)


# What never comes to anything: it is waited for, and tried again, and told as a fault (1).
ENDLESS: dict[str, Peer] = {
    "interim answers without end": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "early hints without end": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"),
    "silence": silent,
    "a head that trickles": trickling(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "a body that trickles": trickling(_chunked("200 OK"), b"1\r\n \r\n"),
    "an error that trickles": trickling(_chunked("400 No"), b"1\r\n \r\n"),
}
# What passes, perhaps: it is tried again, and told as a fault (1).
FAULTS: dict[str, Peer] = {
    "a status line without end": endless(b"HTTP/1.1 200 ", b"A"),
    "a header without end": endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"A"),
    "headers without end": endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "other protocols": raw(head("101 Switching Protocols", "Upgrade: websocket")),
    "HTTP/0.9": raw(b'{"sekvensnummer": 7}'),
    "HTTP/2 at once": raw(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d\0\x04\0\0\xff\xff"),
    "another protocol": raw(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    "status 999": said("999 Nothing", b"{}"),
    "status 000": said("000 Nothing", b"{}"),
    "a header that is none": raw(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n7"),
    "nothing": raw(),
    "half a head": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "429 without end": endless(_chunked("429 Too Many"), _CHUNK),
    "500 without end": endless(_chunked("500 Error"), _CHUNK),
    "503 without end": endless(_chunked("503 Away"), _CHUNK),
    "shorter than it says": raw(head("200 OK", "Content-Length: 5000"), b"[]"),
    "a length below nothing": raw(head("200 OK", "Content-Length: -1"), b"[]"),
    "two lengths": raw(head("200 OK", "Content-Length: 2", "Content-Length: 3"), b"[]\n"),
    "a length that is a word": raw(head("200 OK", "Content-Length: all"), b"[]"),
    "a length beyond numbers": raw(head("200 OK", f"Content-Length: {'9' * 60}"), b"[]"),
    "chunks that are none": raw(_chunked("200 OK"), b"zz\r\n[]\r\n"),
    "a chunk beyond numbers": raw(_chunked("200 OK"), b"f" * 40 + b"\r\n[]"),
    "a chunk's size without end": endless(_chunked("200 OK"), b"0"),
    "a chunk's words without end": endless(_chunked("200 OK"), b"1;a"),
    "trailers without end": endless(_chunked("200 OK") + b"1\r\n7\r\n0\r\n", b"X-A: b\r\n"),
    "chunks without their end": raw(_chunked("200 OK"), b"1\r\n7\r\n"),
    "a coding that is none": raw(head("200 OK", "Transfer-Encoding: gzip, identity"), b"7"),
    "gzip bomb twice": lambda to: _packed("gzip, gzip", gzip.compress(zeros(31)))(to),
    "br that is none": _bomb("br"),
    "zstd that is none": _bomb("zstd"),
    "gzip bomb as a fault": _bomb("gzip", "503 Service Unavailable"),
    "gzip that is cut short": _packed("gzip", gzip.compress(b"7" * 99_999)[:-20]),
    "gzip that is none": _packed("gzip", b"{}"),
    "what was asked, as a fault": echoing("500 Error"),
    **_waits(429, "-1", "\xb2", "1e9", "Fri, 31 Dec 9999 23:59:59 GMT", "0", "3600000"),
    **_waits(503, "9" * 30, "1.5", "NaN", "Thu, 01 Jan 1970 00:00:00 GMT", ""),
}
# What doesn't: it is told as a no (3).
REFUSALS: dict[str, Peer] = {
    "a reason that steers": said(f"400 \x1b]0;{NUMBER}\x07", b""),
    "no content": raw(head("204 No Content", "Content-Length: 5"), b"[[[[["),
    "not modified": raw(head("304 Not Modified")),
    "a part of it": said("206 Partial Content", b"7"),
    **{
        f"{status} without end": endless(_chunked(f"{status} X"), _CHUNK)
        for status in (200, 201, 301, 400, 401, 403, 404, 410)
    },
    "a body to the end that never comes": endless(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "gzip bomb": _bomb("gzip"),
    "deflate bomb": _bomb("deflate", window=15),
    "deflate bomb without its frame": _bomb("deflate", window=-15),
    "gzip bomb as an error": _bomb("gzip", "400 Bad Request"),
    "what was asked": echoing("400 Bad Request"),
    "what was asked, as a refusal": echoing("401 Unauthorized"),
    "it leads to itself": lambda to: said("307 X", b"", f"Location: {to.target}")(to),
    "it leads nowhere": said("302 X", b"", "Location: http://[/x"),
    "it leads to a file": said("302 X", b"", "Location: file:///etc/passwd"),
    "it leads on without encryption": said("302 X", b"", f"Location: http://x.example/{NUMBER}"),
    "it leads without end": said("308 X", b"", f"Location: https://{'a' * 60_000}/"),
    "several choices": said("300 X", b"[]"),
    "a list of lists": _many(b"[", b"[],", b"7]"),
    "a list of objects": _many(b"[", b"{},", b"7]"),
    "texts of nothing": _many(b"[", b'"",', b"7]"),
    "one-letter numbers": _many(b'{"sekvensnummer":[', b"7,", b"7]}"),
    "answers of nothing": _many(b'{"oppslag":[', b"{},", b"{}]}"),
    "XML of nothing but elements": _many(b"<a>", b"<oppslag/>", b"</a>"),
    "XML of nothing but entries": _many(b"<feed>", b"<e/>", b"</feed>"),
    "XML of nothing but attributes": lambda to: said(
        "200 OK", b"<a%s/>" % _numbered(' a%x=""', 600_000)
    )(to),
}
# Answers, which mean nothing to most who ask: damaged (1), or shown as they are (0).
ANSWERS: dict[str, Peer] = {
    "thousands of headers": raw(
        b"HTTP/1.1 200 OK\r\n" + _numbered("X-%d: a\r\n", 1_000) + b"Content-Length: 1\r\n\r\n7"
    ),
    "HTTP/9.9": raw(b"HTTP/9.9 200 OK\r\nContent-Length: 1\r\n\r\n7"),
    "odd letters in headers": raw(
        head("200 OK", 'ETag: "\xff\xfe\xe6"', "Content-Length: 1", "X: \x80"), b"7"
    ),
    "a content type without end": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 1\r\n\r\n7" % (b"a" * 50_000)
    ),
    "longer than it says": raw(head("200 OK", "Content-Length: 2"), b"[]" * 5_000),
    "cookies": said("200 OK", b"7", *[f"Set-Cookie: a{n}={'b' * 3_000}" for n in range(20)]),
    "an offer of other protocols": said(
        "200 OK", b"7", "Upgrade: h2c, websocket", "Connection: Upgrade", 'Alt-Svc: h3=":443"'
    ),
    "half pairs without end": _many(b'{"sekvensnummer":"', rb"a\ud83d", b'"}', 900),
    "no text without end": _many(b'{"melding":"', b"ab\xff", b'"}', 900),
    "control signs without end": _many(b'{"melding":"', b"ab\x01", b'"}', 900),
    "XML of nothing but references": _many(b"<sekvensnummer>", b"&#1;", b"</sekvensnummer>", 900),
    "length and chunks": raw(
        head("200 OK", "Content-Length: 2", "Transfer-Encoding: chunked"), b"2\r\n[]\r\n0\r\n\r\n"
    ),
    **{
        name: said("200 OK", body)
        for name, body in {
            "one name twice": b'{"sekvensnummer":7,"sekvensnummer":"a","oppslag":[],"oppslag":7}',
            "no number": b'[NaN,{"sekvensnummer":Infinity}]',
            "half a pair": b'{"melding":"\\ud800","foedselsEllerDNummer":["\\udfff"]}',
            "numbers beyond numbers": b'{"sekvensnummer":%s}' % (b"9" * 5_000),
            "an exponent": b'{"sekvensnummer":1e999}',
            "nested without end": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            "brackets without end": b"[" * 1_000_000,
            "null": b"null",
            "an empty body": b"",
            "UTF-16": '{"a":7}'.encode("utf-16"),
            "XML that grows": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "%s"><!ENTITY b "%s">'
            b'<!ENTITY c "%s"><!ENTITY f SYSTEM "file:///etc/passwd">]><a>&c;&f;</a>'
            % (b"a" * 999, b"&a;" * 999, b"&b;" * 999),
            "an XSD from elsewhere": b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            b'<xs:include schemaLocation="file:///etc/passwd"/>'
            b'<xs:import namespace="a" schemaLocation="http://127.0.0.1:9/x"/></xs:schema>',
            "XML nested without end": b"<a>" * 200_000,
        }.items()
    },
}
# Of those, what services refuse (3): nothing but brackets, or a reason in place of an answer.
REFUSED_BY_SOME = {"brackets without end", "XML nested without end", "half a pair"}
PEERS: dict[str, Peer] = {**ENDLESS, **FAULTS, **REFUSALS, **ANSWERS}
