"""What a contract leaves open is one column: a text as it is, and anything else as its JSON."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from freg_pipeline.contract import Plan, ValueKind, compile_contract
from freg_pipeline.normalize import json_answer
from freg_pipeline_tests.answers import Normalized, normalize, normalize_answers
from freg_pipeline_tests.contracts import entity, field, small_contract

ONE = "41819077906"
# As in the published v1BETA1: a name has the name that it was registered with, in the same form.
NAVN = f"""<xs:complexType name="Navn"><xs:sequence>{field("fornavn")}
{field("originaltNavn", "t:Navn")}</xs:sequence></xs:complexType>"""
ENTITY = '<xs:element name="navn" type="t:Navn" minOccurs="0" maxOccurs="unbounded"/>'

OPEN = {
    "of its own type again": small_contract(ENTITY, NAVN),
    "without a type": small_contract(
        entity("navn", field("fornavn") + '<xs:element name="originaltNavn" minOccurs="0"/>')
    ),
    "of any type": small_contract(
        entity("navn", field("fornavn") + field("originaltNavn", "xs:anyType"))
    ),
    "of another schema": small_contract(
        entity("navn", field("fornavn")
               + '<xs:element ref="ds:originaltNavn" xmlns:ds="urn:other" minOccurs="0"/>')
    ),
    "of another schema's type": small_contract(
        entity("navn", field("fornavn")
               + '<xs:element name="originaltNavn" type="ds:Navn" xmlns:ds="urn:other"/>')
    ),
    "repeated": small_contract(
        ENTITY, NAVN.replace('type="t:Navn" minOccurs', 'type="t:Navn" maxOccurs="9" minOccurs')
    ),
    "of a type that extends the one round it": small_contract(
        ENTITY,
        NAVN.replace('"t:Navn"', '"t:Mer"') + '<xs:complexType name="Mer"><xs:complexContent>'
        f'<xs:extension base="t:Navn"><xs:sequence>{field("mer")}</xs:sequence></xs:extension>'
        "</xs:complexContent></xs:complexType>",
    ),
    "by reference to the element round it": small_contract(
        entity("navn", field("fornavn") + '<xs:element ref="t:originaltNavn" minOccurs="0"/>'),
        '<xs:element name="originaltNavn"><xs:complexType><xs:sequence>'
        '<xs:element ref="t:originaltNavn"/></xs:sequence></xs:complexType></xs:element>',
    ),
}  # fmt: skip
WRITTEN = [
    ({"fornavn": "Åse", "originaltNavn": {"fornavn": "😀"}}, None),
    ([{"a": 1}, [None, True, 1.5, "\u2028\\"]], None),
    (7, None),
    (False, None),
    ("som tekst", "som tekst"),
]


def _normalized(plan: Plan, value: object, *, ascii_only: bool = False) -> Normalized:
    document = {"navn": [{"fornavn": "A", "originaltNavn": value}, {"fornavn": "B"}]}
    text = json.dumps(document, ensure_ascii=ascii_only).encode()
    body = b'{"oppslag":[{"foedselsEllerDNummer":"%s","folkeregisterperson":%s}]}'
    return normalize_answers(
        plan, [([ONE], body % (ONE.encode(), text))], kind="foedselsEllerDNummer"
    )


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(("value", "text"), WRITTEN)
@pytest.mark.parametrize("case", [case for case in OPEN if "reference" not in case])
def test_whatever_is_there_is_kept(
    case: str, value: object, text: str | None, ascii_only: bool
) -> None:
    plan = compile_contract(OPEN[case])
    assert {column.name: column.type for column in plan.table("navn").columns} == {
        "fornavn": pa.string(), "originalt_navn": pa.string(),
    }  # fmt: skip
    found = _normalized(plan, value, ascii_only=ascii_only)
    assert found.outcomes == {"dokument": 1}
    assert found.unknown == {}
    kept = found.tables["navn"][0]["originalt_navn"]
    assert kept == text if text is not None else json.loads(kept) == value
    assert found.tables["navn"][1]["fornavn"] == "B"


@pytest.mark.parametrize("case", [case for case in OPEN if "reference" not in case])
def test_an_empty_text_is_nothing(case: str) -> None:
    found = _normalized(compile_contract(OPEN[case]), "")
    assert (found.outcomes, found.unknown) == ({"dokument": 1}, {})
    assert "originalt_navn" not in found.tables["navn"][0]


def test_a_reference_back_is_open_one_level_below() -> None:
    plan = compile_contract(OPEN["by reference to the element round it"])
    columns = {column.name: column.kind for column in plan.table("navn").columns}
    assert columns == {
        "fornavn": ValueKind.STRING,
        "originalt_navn_originalt_navn": ValueKind.OPAQUE,
    }


def test_text_that_is_no_unicode_within_it_is_read_and_counted() -> None:
    plan = compile_contract(OPEN["without a type"])
    body = (
        rb'{"oppslag":[{"foedselsEllerDNummer":"41819077906","folkeregisterperson":'
        rb'{"navn":[{"originaltNavn":{"a":"\ud83d\ude00\ud83d"}}]}}]}'
    )
    found = normalize_answers(plan, [([ONE], body)], kind="foedselsEllerDNummer")
    assert json.loads(found.tables["navn"][0]["originalt_navn"]) == {"a": "😀�"}
    assert found.unknown == {"navn.originaltNavn (ikke Unicode)": 1}


def test_an_entity_that_is_open_is_a_row_each() -> None:
    xsd = small_contract('<xs:element ref="ds:Signature" xmlns:ds="urn:x" maxOccurs="9"/>')
    plan = compile_contract(xsd)
    document = {"Signature": [{"verdi": "a"}, "b"]}
    found = normalize(plan, [document], kind="foedselsEllerDNummer", asked=[ONE])
    rows = [(row["rad_nr"], row["signature"]) for row in found.tables["signature"]]
    assert sorted(rows) == [(0, '{"verdi": "a"}'), (1, "b")]


def test_xml_is_told_as_json() -> None:
    plan = compile_contract(OPEN["of its own type again"])
    body = b"""<svar><oppslag><foedselsEllerDNummer>41819077906</foedselsEllerDNummer>
      <folkeregisterperson><navn><fornavn>A</fornavn><originaltNavn><fornavn>B</fornavn>
      </originaltNavn></navn></folkeregisterperson></oppslag></svar>"""
    answer = json_answer(body, plan.contract.structure)
    found = normalize_answers(plan, [([ONE], answer)], kind="foedselsEllerDNummer")
    assert json.loads(found.tables["navn"][0]["originalt_navn"]) == {"fornavn": "B"}


def test_a_type_of_another_schema_below_a_value_is_text() -> None:
    kind = '<xs:simpleType name="K"><xs:restriction base="ds:K" xmlns:ds="urn:x"/></xs:simpleType>'
    plan = compile_contract(small_contract(entity("ting", field("a", "t:K")), kind))
    assert plan.table("ting").columns[0].kind is ValueKind.STRING
