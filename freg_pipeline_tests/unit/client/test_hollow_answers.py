"""Answers that would take many times their size in memory are refused before they are read."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import product

import msgspec
import pytest

from freg_pipeline.client.bounds import most_of_one
from freg_pipeline.client.density import FREE, HollowError, require_substance
from freg_pipeline.readable import readable_json, readable_xml
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.unit.lake.delivered import document, number

_MB = 1024**2
_LISTED = b"[" + b"[]," * FREE + b"7]"


@pytest.mark.parametrize(
    "body",
    [
        _LISTED,
        b"[" + b'"",' * 2 * FREE + b"7]",
        b"\xef\xbb\xbf <a>" + b"<b/>" * 2 * FREE + b"</a>",
        b"<a " + b'b="" ' * 2 * FREE + b"/>",
    ],
)
def test_what_is_nothing_but_signs_is_refused(body: bytes) -> None:
    with pytest.raises(HollowError, match=r"^personer/xsd answered [\d,]+ values in [\d,]+ bytes"):
        require_substance(body, "personer/xsd")


def test_what_the_register_sends_is_not() -> None:
    documents = msgspec.json.encode([document(number(n)) for n in range(20_000)])
    numbers = b'{"foedselsEllerDNummer":[%s]}' % b",".join(b"%011d" % n for n in range(300_000))
    contract = xsd() * 50
    events = b"<feed>%s</feed>" % (
        b"<entry><sekvensnummer>1</sekvensnummer><hendelsetype>endringINavn</hendelsetype>"
        b"<folkeregisteridentifikator>03851598730</folkeregisteridentifikator></entry>" * 30_000
    )
    for body in (documents, numbers, contract, events, _LISTED[: FREE // 2]):
        require_substance(body, "x")


def test_one_thing_is_smaller_than_as_many_as_are_asked_for() -> None:
    assert [most_of_one(n * _MB) // _MB for n in (1, 32, 256, 512)] == [1, 32, 32, 64]


_READ = [
    *product(
        [readable_json], [b'["a\n"', b"a\\ud83d", b"ab\xff", b"a\x01", b'"",', b'"\n",', b"\\n"]
    ),
    *product([readable_xml], [b"&#1;", b"ab\x01"]),
]


@pytest.mark.parametrize(("read", "text"), _READ)
@pytest.mark.parametrize("form", [b"%s", b'{"a":"%s"}'])
def test_what_is_no_unicode_is_made_so_in_memory_that_follows_its_size(
    read: Callable[[bytes], bytes], text: bytes, form: bytes
) -> None:
    body = form % (text * (300_000 // len(text)))
    read(body[:1_000])  # tables that are made once
    tracemalloc.start()
    try:
        read(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * len(body) + 500_000
