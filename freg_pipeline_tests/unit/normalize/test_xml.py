"""XML answers give the same tables as JSON ones, cell by cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from freg_pipeline.contract import Contract, Field, Plan, Structure
from freg_pipeline.envelope import compose, match, numbers_of, parse
from freg_pipeline.normalize import json_answer
from freg_pipeline_tests.answers import Normalized, entity_rows, normalize, normalize_answers

CASES = sorted((Path(__file__).parents[2] / "cases" / "person").glob("*.json"))
ONE = "41819077906"
PERSON = f"""<p:folkeregisterperson xmlns:p="urn:any" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<p:identifikasjonsnummer><p:foedselsEllerDNummer>{ONE}</p:foedselsEllerDNummer><p:status>iBruk</p:status>
</p:identifikasjonsnummer>{{}}</p:folkeregisterperson>"""  # fmt: skip


def to_xml(contract: Contract, document: dict[str, Any], namespace: str) -> bytes:
    """A golden document in XML, in the contract's order, without the code under test."""

    def fill(parent: Any, structure: Structure, values: dict[str, Any]) -> None:
        for field in structure.fields:
            if field.name in values:
                value = values[field.name]
                for one in value if isinstance(value, list) else [value]:
                    child(parent, field, one)

    def child(parent: Any, field: Field, value: Any) -> None:
        element = etree.SubElement(parent, f"{{{namespace}}}{field.name}")
        if isinstance(field.type, Structure):
            fill(element, field.type, value)
        else:
            element.text = str(value).lower() if isinstance(value, bool) else str(value)

    root = etree.Element(f"{{{namespace}}}folkeregisterperson")
    fill(root, contract.structure, document)
    text: bytes = etree.tostring(root, pretty_print=True)
    return text


def wrapped(*persons: bytes | str) -> bytes:
    """Persons in one answer, named doc-0, doc-1, …"""
    texts = [one.decode() if isinstance(one, bytes) else one for one in persons]
    oppslag = "".join(
        f"<oppslag><dokumentidentifikator>doc-{index}</dokumentidentifikator>{text}</oppslag>"
        for index, text in enumerate(texts)
    )
    return f'<?xml version="1.0"?><svar xmlns="urn:s">{oppslag}</svar>'.encode()


def normalize_xml(plan: Plan, *persons: bytes | str) -> Normalized:
    asked = [f"doc-{index}" for index in range(len(persons))]
    body = json_answer(wrapped(*persons), plan.contract.structure)
    return normalize_answers(plan, [(asked, body)])


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
@pytest.mark.parametrize("namespace", ["folkeregisteret:tilgjengeliggjoering:person:v1", "urn:x"])
def test_golden_documents_give_the_golden_rows(path: Path, namespace: str, plan: Plan) -> None:
    case = json.loads(path.read_text())
    found = normalize_xml(plan, to_xml(plan.contract, case["document"], namespace))
    assert entity_rows(found) == case["tables"]
    assert found.failed == []


def test_empty_elements_are_nothing(plan: Plan) -> None:
    navn = "<p:navn><p:kilde></p:kilde><p:aarsak/><p:ajourholdstidspunkt/><p:erGjeldende/></p:navn>"
    (row,) = normalize_xml(plan, PERSON.format(navn)).tables["navn"]
    assert {"kilde", "aarsak", "ajourholdstidspunkt", "er_gjeldende"}.isdisjoint(row)
    in_json = {"kilde": "", "aarsak": "", "ajourholdstidspunkt": ""}
    number = {"foedselsEllerDNummer": ONE, "status": "iBruk"}
    same = normalize(plan, [{"identifikasjonsnummer": [number], "navn": [in_json]}])
    assert same.tables["navn"] == [row]


def test_attributes_of_the_schema_instance_are_about_the_xml(plan: Plan) -> None:
    navn = '<p:navn xsi:type="p:Navn"><p:fornavn xsi:type="s">A</p:fornavn></p:navn>'
    dead = '<p:doedsfall><p:doedsdato xsi:nil="true"/></p:doedsfall>'
    found = normalize_xml(plan, PERSON.format(dead + navn))
    assert found.unknown == {}
    assert found.tables["navn"][0]["fornavn"] == "A"
    assert "doedsdato" not in found.tables["doedsfall"][0]


def test_unknown_elements_and_attributes_are_counted_by_path(plan: Plan) -> None:
    navn = '<p:navn><p:fornavn spraak="nb">A</p:fornavn><p:ny><p:dyp>1</p:dyp></p:ny></p:navn>'
    found = normalize_xml(plan, PERSON.format(navn + "<p:nytt>x</p:nytt>"))
    assert found.unknown == {"navn.fornavn@spraak": 1, "navn.ny.dyp": 1, "nytt": 1}
    assert found.tables["navn"][0]["fornavn"] == "A"


def test_truths_numbers_and_blanks(plan: Plan) -> None:
    home = (
        "<p:bostedsadresse><p:erGjeldende> 1 </p:erGjeldende><p:grunnkrets> 0101 </p:grunnkrets>"
        "<p:flyttedato> 2020-01-31 </p:flyttedato></p:bostedsadresse>"
    )
    (row,) = normalize_xml(plan, PERSON.format(home)).tables["bostedsadresse"]
    assert (row["er_gjeldende"], row["grunnkrets"], row["flyttedato"]) == (True, 101, "2020-01-31")


def test_a_document_that_cannot_be_decoded_is_put_aside(plan: Plan) -> None:
    bad = PERSON.format("<p:bostedsadresse><p:grunnkrets>mange</p:grunnkrets></p:bostedsadresse>")
    found = normalize_xml(plan, bad, PERSON.format(""))
    assert found.outcomes == {"feilet": 1, "dokument": 1}
    assert found.failed[0]["sti"] == "bostedsadresse.grunnkrets"


def test_comments_and_processing_instructions_are_nothing(plan: Plan) -> None:
    navn = "<!-- c --><p:navn><!-- c --><p:fornavn>A<!-- c --></p:fornavn><?x y?></p:navn>"
    assert normalize_xml(plan, PERSON.format(navn)).tables["navn"][0]["fornavn"] == "A"


def test_the_envelope_is_read_matched_and_composed_without_a_contract() -> None:
    body = wrapped(PERSON.format(""), "<feilmelding><feilmelding>Borte</feilmelding></feilmelding>")
    first, second = match(["doc-0", "doc-1"], parse(body))
    assert first is not None
    assert second is not None
    assert numbers_of(first.person) == [ONE]
    assert second.feilmelding == "Borte"
    again = parse(compose([second, first], "dokumentidentifikator"))
    assert [one.identifikator for one in again] == ["doc-1", "doc-0"]
    assert again[0].feilmelding == "Borte"
    assert numbers_of(again[1].person) == [ONE]


@pytest.mark.parametrize("form", [PERSON.format(""), f"<liste>{PERSON.format('')}</liste>"])
def test_documents_without_wrapping(form: str) -> None:
    (answer,) = parse(form.encode())
    assert answer.identifikator is None
    assert numbers_of(answer.person) == [ONE]


@pytest.mark.parametrize("body", [b"<svar><oppslag>", b"<", b"<svar>&ext;</svar>"])
def test_what_is_cut_short_is_refused_without_being_quoted(body: bytes) -> None:
    with pytest.raises(ValueError, match="not complete XML"):
        parse(body)
