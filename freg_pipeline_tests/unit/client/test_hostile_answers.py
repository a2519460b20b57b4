"""Answers made to hold up whoever reads them: refused in one line, in time that follows their size.

What was once read over and over again is so large here that it took hours.
"""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest

from freg_pipeline.client.answers import failure
from freg_pipeline.client.hendelsesdokument import hendelsesdokumenter
from freg_pipeline.client.html import FirewallError
from freg_pipeline.client.oauth import refusal
from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline_tests.fuzz.parsers import READERS

_OPENED = [(b"[", b"]"), (b'{"a":', b"}")]
_DEEP = [opened * 100_000 + b"1" + closed * 100_000 for opened, closed in _OPENED]
_NAMES = [
    "sekvensnummer", "hendelse", "foedselsEllerDNummer", "feilmelding", "jobbId", "kode", "error",
    "access_token", "egenskapshendelse", "oppslag", "folkeregisterperson", "annet",
]  # fmt: skip
_JSON = [name for name in READERS if name not in {"contract", "list", "settings", "Retry-After"}]
_RULES = [b"a = " + opened * 100_000 for opened in (b"[", b"{a=")]
REQUEST = httpx.Request("GET", "http://register.test/v1/x")


@pytest.mark.parametrize("name", _JSON)
def test_what_is_nested_without_end_is_damaged_as_any_other(name: str) -> None:
    bodies = [*_DEEP]
    for field in _NAMES:
        bodies += [b'{"%s":%s}' % (field.encode(), deep) for deep in _DEEP]
        bodies += [b'[{"%s":%s}]' % (field.encode(), deep) for deep in _DEEP]
    for body in bodies:
        with suppress(FregError, ValueError):
            READERS[name].read(body)


@pytest.mark.parametrize("rules", _RULES, ids=["lists", "tables"])
def test_rules_that_are_nested_without_end_are_refused(rules: bytes) -> None:
    with pytest.raises(ConfigurationError, match="can't be read") as told:
        READERS["rules"].read(rules)
    assert len(str(told.value).splitlines()) == 1


_ENTITIES = (
    b'<!DOCTYPE r [<!ENTITY l0 "lololololol">%s<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    % (b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12)))
)


@pytest.mark.parametrize("name", _JSON)
@pytest.mark.parametrize("row", [b'<r a="&l11;"/>', b"<r>&l11;</r>", b"<kode>&f;</kode>"])
def test_entities_are_neither_expanded_nor_fetched(name: str, row: bytes) -> None:
    try:
        read = READERS[name].read(b'<?xml version="1.0"?>%s<r>%s</r>' % (_ENTITIES, row))
    except (FregError, ValueError) as error:
        read = error
    assert "root:" not in str(read)


@pytest.mark.parametrize("name", _JSON)
def test_a_text_that_is_cut_short_is_read_once(name: str) -> None:
    for text in (b'{"a":"' + b'\\"' * 1_000_000, b'["' + b'\\"' * 1_000_000 + b"\\"):
        with suppress(FregError, ValueError):
            READERS[name].read(text)


def test_a_page_of_nothing_but_beginnings_of_tags_is_read_once() -> None:
    headers = {"content-type": "text/html"}
    page = httpx.Response(200, content=b"<" * 2_000_000, headers=headers, request=REQUEST)
    assert "HTML page" in str(failure(page, "personer/soek", "an id"))


@pytest.mark.parametrize("charset", ["zlib", "hex", "rot13", "undefined", "utf-16", "no such"])
def test_a_page_is_read_whatever_it_claims_to_be_written_in(charset: str) -> None:
    page = b"<html>\xff Request Rejected. Your support ID is: 918273645</html>"
    headers = {"content-type": f"text/html; charset={charset}"}
    told = failure(httpx.Response(403, content=page, headers=headers, request=REQUEST), "x", "id")
    assert isinstance(told, FirewallError)
    assert "918273645" in str(told)


def test_what_maskinporten_says_without_end_is_read_once() -> None:
    said = b'{"error":"x","error_description":"%s"}' % (b"a" * 1_000_000)
    headers = {"date": "Fri, 31 Dec 99999999999 23:59:59 GMT"}
    told = refusal(httpx.Response(400, content=said, headers=headers), "a scope", 0.0)
    assert len(str(told)) < 600


def test_an_element_that_is_repeated_is_a_list() -> None:
    rows = b"<egenskapshendelse><entitet/></egenskapshendelse>" * 3
    body = b"<s><hendelse><hendelsestype>x</hendelsestype>%s</hendelse></s>" % rows
    (document,) = hendelsesdokumenter(body)
    assert len(document.egenskaper) == 3
