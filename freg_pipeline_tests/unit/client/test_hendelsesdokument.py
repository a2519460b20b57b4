"""Events' documents, in every form of answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from freg_pipeline.client.hendelsesdokument import (
    Egenskapshendelse,
    Hendelsesdokument,
    compose,
    hendelsesdokumenter,
)

NAVN = {"fornavn": "RØD", "etternavn": "FJELL", "erGjeldende": True}
DOCUMENT: dict[str, Any] = {
    "dokumentidentifikator": "aa11",
    "skjemaversjon": "1.4",
    "hendelse": {
        "folkeregisteridentifikator": "41819077906",
        "hendelsestype": "endringINavn",
        "ajourholdstidspunkt": "2026-06-20T09:26:03+02:00",
        "egenskapshendelse": [
            {"entitet": "navn", "entitetsendring": "registrereNy", "navn": NAVN},
            {"entitet": "navn", "entitetsendring": "korrigere"},
        ],
    },
}
XML = """<dokumentForHendelse xmlns="folkeregisteret:tilgjengeliggjoering:hendelse:v1">
<dokumentidentifikator>aa11</dokumentidentifikator><skjemaversjon>1.4</skjemaversjon><hendelse>
<folkeregisteridentifikator>41819077906</folkeregisteridentifikator>
<hendelsestype>endringINavn</hendelsestype>
<ajourholdstidspunkt>2026-06-20T09:26:03+02:00</ajourholdstidspunkt>
<egenskapshendelse><brukAvSamiskSpraak><spraak>nordsamisk</spraak><spraak>lulesamisk</spraak>
<kilde></kilde></brukAvSamiskSpraak><entitet>brukAvSamiskSpraak</entitet>
<entitetsendring>registrereNy</entitetsendring></egenskapshendelse>
<egenskapshendelse><entitet>navn</entitet><entitetsendring>korrigere</entitetsendring>
</egenskapshendelse></hendelse></dokumentForHendelse>"""


def read(content: Any) -> list[Hendelsesdokument]:
    return hendelsesdokumenter(json.dumps(content).encode())


def changed(**egenskap: Any) -> Egenskapshendelse:
    (document,) = read({"hendelse": {"egenskapshendelse": egenskap}})
    (found,) = document.egenskaper
    return found


def test_a_document_as_published() -> None:
    (found,) = read(DOCUMENT)
    assert found.dokumentidentifikator == "aa11"
    assert found.hendelsestype == "endringINavn"
    assert found.folkeregisteridentifikator == "41819077906"
    assert found.ajourholdstidspunkt == "2026-06-20T09:26:03+02:00"
    first, second = found.egenskaper
    assert (first.entitet, first.entitetsendring) == ("navn", "registrereNy")
    assert json.loads(first.innhold or "") == NAVN
    assert second == Egenskapshendelse("navn", "korrigere", None)


@pytest.mark.parametrize(
    "answer",
    [
        [DOCUMENT, DOCUMENT],
        {"hendelser": [DOCUMENT, DOCUMENT]},
        {"oppslag": [DOCUMENT, {"dokumentForHendelse": DOCUMENT}]},
        [{"dokumentidentifikator": "aa11", "dokument": DOCUMENT}, None, DOCUMENT],
    ],
)
def test_every_wrapping_of_a_bulk_answer(answer: Any) -> None:
    assert read(answer) == read(DOCUMENT) * 2


def test_answers_without_a_document() -> None:
    refused = {"dokumentidentifikator": "a", "feilmelding": {"feilmelding": "Ukjent 41819077906"}}
    assert read({"oppslag": [refused, {"dokumentidentifikator": "b"}]}) == [
        Hendelsesdokument("a", feilmelding="Ukjent ***********"),
        Hendelsesdokument("b", feilmelding="uten forklaring"),
    ]
    assert read([]) == read({}) == read({"hendelser": []}) == []


def test_single_instead_of_list_and_numbers_instead_of_text() -> None:
    assert changed(entitet="navn", navn=NAVN).innhold is not None
    assert read({"dokumentidentifikator": 5, "hendelse": {}}) == [Hendelsesdokument("5")]
    assert read({"dokumentidentifikator": 5, "hendelse": None})[0].feilmelding is not None


def test_an_entity_under_another_name_than_its_code_is_kept() -> None:
    found = changed(entitet="kontaktadresse", entitetsendring="annullere", postadresse={"a": 1})
    assert found == Egenskapshendelse("kontaktadresse", "annullere", '{"a": 1}')
    two = changed(entitet="ny", a={"x": 1}, b=2)
    assert json.loads(two.innhold or "") == {"a": {"x": 1}, "b": 2}


def test_the_same_document_as_xml() -> None:
    (found,) = hendelsesdokumenter(XML.encode())
    assert (found.dokumentidentifikator, found.hendelsestype) == ("aa11", "endringINavn")
    first, second = found.egenskaper
    assert first.entitet == "brukAvSamiskSpraak"
    assert json.loads(first.innhold or "") == {"spraak": ["nordsamisk", "lulesamisk"], "kilde": ""}
    assert second == Egenskapshendelse("navn", "korrigere", None)
    both = f"<svar>{XML}<oppslag><dokumentForHendelse/></oppslag>{XML}</svar>".encode()
    assert hendelsesdokumenter(both) == [found, found]
    refused = "<svar><oppslag><dokumentidentifikator>a</dokumentidentifikator><feilmelding>"
    refused += "<feilmelding>Ukjent</feilmelding></feilmelding></oppslag></svar>"
    assert hendelsesdokumenter(refused.encode()) == [Hendelsesdokument("a", feilmelding="Ukjent")]


@pytest.mark.parametrize("body", [b"", b"[{", b"7", b"[7]", b"<a>", XML.encode()[:200], b"\xff"])
def test_a_damaged_answer_is_told_without_its_content(body: bytes) -> None:
    with pytest.raises(ValueError, match="answer") as caught:
        hendelsesdokumenter(body)
    assert "41819077906" not in str(caught.value)


def test_no_identity_number_in_a_repr() -> None:
    assert "41819077906" not in repr(read(DOCUMENT))
    assert "FJELL" not in repr(read(DOCUMENT))


@pytest.mark.parametrize("body", [json.dumps([DOCUMENT]), XML])
def test_changes_are_taken_out_of_an_answer_and_all_else_stays(body: str) -> None:
    before = hendelsesdokumenter(body.encode())
    assert hendelsesdokumenter(compose(before, lambda change: True)) == before
    (after,) = hendelsesdokumenter(
        compose(before, lambda change: change.entitetsendring == "korrigere")
    )
    assert after.egenskaper == before[0].egenskaper[1:]
    assert after.hendelsestype == before[0].hendelsestype
    assert hendelsesdokumenter(compose(before, lambda change: False))[0].egenskaper == ()


def test_refusals_and_documents_without_an_identifier_stay_where_they_are() -> None:
    answer = [{"dokumentidentifikator": "aa", "feilmelding": {"feilmelding": "Fant ikke"}},
              {"hendelse": {"hendelsestype": "personErDoed"}}]  # fmt: skip
    told = hendelsesdokumenter(compose(read(answer), lambda change: False))
    assert told == read(answer)


def test_a_change_of_history_says_so() -> None:
    assert changed(entitet="navn", navn={**NAVN, "erGjeldende": False}).is_history
    assert changed(entitet="navn", navn={**NAVN, "erGjeldende": "false"}).is_history
    assert not changed(entitet="navn", navn=NAVN).is_history
    assert not changed(entitet="navn").is_history
