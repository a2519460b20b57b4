"""Answers without those who are kept out are answers all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.client.feed import FeedEntry, parse_feed
from freg_pipeline.client.hendelsesdokument import hendelsesdokumenter
from freg_pipeline.envelope import parse
from freg_pipeline.extract.blank import (
    answer_without,
    batch_without,
    blanked,
    composed_page,
    event_documents_without,
    events_without,
    is_blank,
)
from freg_pipeline.journal.keptout import REASON

OUT, OTHER = "01845815093", "14888041398"
_values = st.recursive(
    st.sampled_from([OUT, OTHER, int(OUT), int(OTHER), None, True, 1.5, f"tel {OUT}!", f"9{OUT}"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
)


def _expected(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _expected(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_expected(one) for one in value]
    if isinstance(value, str) and value == f"tel {OUT}!":
        return "tel xxxxxxxxxxx!"
    return None if value in {OUT, int(OUT)} and not isinstance(value, bool) else value


@given(_values)
def test_json_stays_json_and_only_the_number_becomes_null(value: Any) -> None:
    for separators in ((",", ":"), (" , ", " : ")):
        text = json.dumps(value, separators=separators).encode()
        assert json.loads(blanked(text, {OUT})) == _expected(value)


def test_a_document_goes_and_the_others_lose_the_reference() -> None:
    body = json.dumps(
        {
            "oppslag": [
                {"dokumentidentifikator": "a", "folkeregisterperson": _person(OUT)},
                {"dokumentidentifikator": "b", "folkeregisterperson": _person(OTHER, mor=OUT)},
                {"dokumentidentifikator": "c", "folkeregisterperson": _person(OTHER, mor=OTHER)},
            ]
        }
    ).encode()
    left = answer_without(body, "dokumentidentifikator", {OUT})
    assert left is not None
    gone, named, untouched = parse(left)
    assert (gone.identifikator, gone.person, gone.feilmelding) == ("a", None, REASON)
    assert json.loads(named.person or b"") == _person(OTHER, mor=None)
    assert json.loads(untouched.person or b"") == _person(OTHER, mor=OTHER)
    assert answer_without(left, "dokumentidentifikator", {OUT}) is None


def _person(number: str, **more: str | None) -> dict[str, Any]:
    own = [{"foedselsEllerDNummer": number, "status": "iBruk"}]
    return {"identifikasjonsnummer": own, **({"familierelasjon": [more]} if more else {})}


def test_by_number_not_even_the_question_is_left() -> None:
    entry = {"foedselsEllerDNummer": OUT, "folkeregisterperson": {"navn": [{"fornavn": "Ola"}]}}
    left = answer_without(json.dumps({"oppslag": [entry]}).encode(), "foedselsEllerDNummer", {OUT})
    assert left is not None
    assert OUT.encode() not in left
    assert b"Ola" not in left


def test_an_event_keeps_its_place_in_the_list_and_nothing_else() -> None:
    events = [
        FeedEntry(7, OUT, "doedsfall", "h7", "p7", "2026-01-01T00:00:00Z"),
        FeedEntry(9, OTHER, "flytting", "h9", "p9", "2026-01-02T00:00:00Z"),
    ]
    left = events_without(events, {OUT})
    assert parse_feed(composed_page(left)) == left
    assert [is_blank(one) for one in left] == [True, False]
    assert left[0].sekvensnummer == 7
    assert (left[0].hendelsesdokument, left[0].persondokument) == (None, None)
    assert left[1] == events[1]


@pytest.mark.parametrize("known", ["by number", "by document"])
def test_an_events_document_goes(known: str) -> None:
    number = OUT if known == "by number" else OTHER
    body = json.dumps(
        [
            {"dokumentidentifikator": "h7", "hendelse": _event(number, "Storgata")},
            {"dokumentidentifikator": "h9", "hendelse": _event(OTHER, "Lillegata")},
        ]
    ).encode()
    left = event_documents_without(body, {OUT}, {"h7"} if known == "by document" else ())
    assert left is not None
    gone, kept = hendelsesdokumenter(left)
    assert (gone.dokumentidentifikator, gone.egenskaper, gone.feilmelding) == ("h7", (), REASON)
    assert "Lillegata" in (kept.egenskaper[0].innhold or "")
    assert b"Storgata" not in left


def _event(number: str, street: str) -> dict[str, Any]:
    change = {"entitet": "navn", "entitetsendring": "korrigere", "navn": {"gate": street}}
    return {"folkeregisteridentifikator": number, "egenskapshendelse": [change]}


def test_a_batch_keeps_everyones_place() -> None:
    assert batch_without([OTHER, OUT, OTHER], {OUT}) == [OTHER, "slettet", OTHER]
    assert batch_without([OTHER], {OUT}) is None
