"""JSON in all its spellings, and what is no JSON at all: one document's trouble stays its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.normalize import batch, columns
from freg_pipeline_tests.answers import Normalized, bulk, normalize, normalize_answers
from freg_pipeline_tests.contracts import entity, field, small_contract

ONE, TWO = "41819077906", "03851598730"
NUMBER = '"identifikasjonsnummer":[{"foedselsEllerDNummer":"%s","status":"iBruk"}]'


def normalize_text(plan: Plan, *documents: str | bytes) -> Normalized:
    """Documents as they are written here, each with a number of its own before it."""
    names = [f"doc-{index}" for index in range(len(documents))]
    entries = []
    for name, document in zip(names, documents, strict=True):
        text = document.encode() if isinstance(document, str) else document
        person = b"{" + (NUMBER % ONE).encode() + (b"," + text if text else b"") + b"}"
        entries.append(b'{"dokumentidentifikator":"%s","folkeregisterperson":%s}'
                       % (name.encode(), person))  # fmt: skip
    body = b'{"oppslag":[' + b",".join(entries) + b"]}"
    return normalize_answers(plan, [(names, body)])


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"\u00c5SE", "ÅSE"),
        (r"\ud83d\ude00", "😀"),
        (r"a\/b", "a/b"),
        (r"\"\\\b\f\n\r\t", '"\\\b\f\n\r\t'),
        (r"\u0000", "\0"),
        ("ÆØÅ" * 30, "ÆØÅ" * 30),
        ("x" * 7 + "å", "x" * 7 + "å"),
        ("", None),
    ],
)
def test_text_is_what_its_escapes_say(written: str, text: str | None, plan: Plan) -> None:
    found = normalize_text(plan, f'"navn":[{{"fornavn":"{written}","etternavn":"E"}}]')
    assert found.tables["navn"][0].get("fornavn") == text
    assert found.tables["navn"][0]["etternavn"] == "E"


NO_JSON: dict[str, bytes] = {
    "an escape that is none": rb'"navn":[{"fornavn":"\x41"}]',
    "a comma too many": b'"navn":[{"fornavn":"A",}]',
    "a comma too few": b'"navn":[{"fornavn":"A" "etternavn":"B"}]',
    "a number that is none": b'"bostedsadresse":[{"grunnkrets":1-2}]',
    "not a number": b'"bostedsadresse":[{"grunnkrets":NaN}]',
}


@pytest.mark.parametrize("case", NO_JSON)
def test_a_document_that_is_no_json_is_put_aside_alone(case: str, plan: Plan) -> None:
    good = b'"navn":[{"fornavn":"B"}]'
    found = normalize_text(plan, good, NO_JSON[case], good)
    assert found.outcomes == {"dokument": 2, "feilet": 1}
    assert found.failed[0]["dok_nr"] == 1
    assert [row["dok_nr"] for row in found.tables["navn"]] == [0, 2]
    assert [row["dok_nr"] for row in found.tables["identifikasjonsnummer"]] == [0, 2]


def test_a_field_that_comes_twice_is_never_lost(plan: Plan) -> None:
    twice = '"navn":[{"fornavn":"A"}],"navn":[{"fornavn":"B"}]'
    ambiguous = '"navn":[{"fornavn":"A","fornavn":"B"}]'
    unset = '"navn":[{"fornavn":"A","fornavn":null}]'
    found = normalize_text(plan, twice, ambiguous, unset)
    rows = [(row["dok_nr"], row["rad_nr"], row["fornavn"]) for row in found.tables["navn"]]
    assert sorted(rows) == [(0, 0, "A"), (0, 1, "B"), (2, 0, "A")]
    assert [(row["dok_nr"], row["sti"]) for row in found.failed] == [(1, "navn.fornavn")]


def test_nulls_in_lists_are_no_rows_but_count(plan: Plan) -> None:
    plain = '"navn":[null,{"fornavn":"A"},null,{"fornavn":"B"}]'
    odd = '"navn":[null,{"fornavn":"A"},null,{"fornavn":"B","erGjeldende":"1"}]'
    found = normalize_text(plan, plain, odd)
    places = [(row["dok_nr"], row["rad_nr"]) for row in found.tables["navn"]]
    assert places == [(0, 1), (0, 3), (1, 1), (1, 3)]


@pytest.mark.parametrize("depth", [3, 400, 480, 900, 50_000])
def test_what_is_unknown_may_be_nested_to_any_depth(depth: int, plan: Plan) -> None:
    deep = '"ukjent":' + '{"a":[' * depth + "1" + "]}" * depth
    found = normalize_text(plan, f'"navn":[{{"fornavn":"A",{deep}}}]', "")
    assert found.outcomes == {"dokument": 2}
    assert sum(found.unknown.values()) == 1


def test_deep_nesting_where_the_contract_has_a_value_is_put_aside(plan: Plan) -> None:
    deep = "[" * 50_000 + "]" * 50_000
    found = normalize_text(plan, f'"navn":[{{"fornavn":{deep}}}]', "")
    assert found.outcomes == {"dokument": 1, "feilet": 1}


@pytest.mark.parametrize("form", ["[{}]", '{{"oppslag":[{}]}}', "{}"])
def test_an_answer_in_another_form_may_be_nested_to_any_depth(form: str, plan: Plan) -> None:
    deep = "{" + NUMBER % ONE + ',"ukjent":' + "[" * 50_000 + "]" * 50_000 + "}"
    found = normalize_answers(plan, [(["a"], form.format(deep).encode())])
    assert found.outcomes == {"feilet": 1}


def test_white_space_and_the_order_of_fields_mean_nothing(plan: Plan) -> None:
    row = {"fornavn": "A", "etternavn": "B", "erGjeldende": True, "kilde": "C"}
    turned = dict(reversed(row.items()))
    number = {"foedselsEllerDNummer": ONE, "status": "iBruk"}
    documents = [{"identifikasjonsnummer": [number], "navn": [one] * 3} for one in (row, turned)]
    tight = normalize_answers(plan, [(["doc-0", "doc-1"], bulk(documents))])
    wide_body = json.dumps(json.loads(bulk(documents)), indent="\t").encode() + b" \r\n"
    wide = normalize_answers(plan, [(["doc-0", "doc-1"], wide_body)])
    assert wide == tight
    assert {row["etternavn"] for row in tight.tables["navn"]} == {"B"}


def test_every_kind_of_value_of_a_contract() -> None:
    kinds = {
        "tall": "xs:long", "desimal": "xs:decimal", "flyt": "xs:double", "dato": "xs:date",
        "tid": "xs:dateTime", "aar": "xs:gYear", "sann": "xs:boolean", "tekst": "xs:string",
    }  # fmt: skip
    fields = "".join(field(name, kind) for name, kind in kinds.items())
    lists = "".join(field(f"{n}Liste", k, 'minOccurs="0" maxOccurs="unbounded"')
                    for n, k in kinds.items())  # fmt: skip
    numbers = entity("identifikasjonsnummer", field("foedselsEllerDNummer") + field("status"))
    single = '<xs:element name="merke" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>'
    plan = compile_contract(small_contract(numbers + entity("ting", fields + lists) + single))
    plain: dict[str, Any] = {
        "tall": -5, "desimal": "12.50", "flyt": 1e-3, "dato": "2000-02-29",
        "tid": "2000-02-29T00:00:00+01:00", "aar": 1999, "sann": False, "tekst": "a",
    }  # fmt: skip
    odd = {"tall": "-05", "desimal": " 12.5", "flyt": " 1e-3", "aar": "1999Z", "sann": "0"}
    person = {"foedselsEllerDNummer": ONE, "status": "iBruk"}
    rows = [{**values, **{f"{n}Liste": [v, None, v] for n, v in values.items()}}
            for values in (plain, {**plain, **odd})]  # fmt: skip
    documents = [{"identifikasjonsnummer": person, "ting": [row], "merke": ["x", "y"]}
                 for row in rows]  # fmt: skip
    found = normalize(plan, documents)
    assert found.failed == []
    first, second = ({k: v for k, v in r.items() if k != "dok_nr"} for r in found.tables["ting"])
    assert first == second
    assert first["desimal"] == "12.5000000000"
    assert (first["flyt"], first["flyt_liste"]) == (1e-3, [1e-3, 1e-3])
    assert first["tid_liste"] == [datetime(2000, 2, 28, 23, tzinfo=UTC)] * 2
    assert [row["merke"] for row in found.tables["merke"]] == ["x", "y", "x", "y"]


@pytest.mark.parametrize(("module", "limit"), [(batch, "ROWS_HELD"), (columns, "_MOST_TEXT")])
def test_row_groups_are_written_as_they_fill_and_nothing_is_lost(
    module: Any, limit: str, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, limit, 7)
    person = {"foedselsEllerDNummer": TWO, "status": "iBruk"}
    answers = []
    for chunk in range(12):
        names = [f"{chunk}-{index}" for index in range(3)]
        documents: list[Any] = [
            {"identifikasjonsnummer": [person], "navn": [{"fornavn": f"{name} {row}"}
             for row in range(chunk)]} for name in names
        ]  # fmt: skip
        documents[1] = {"navn": [{"fornavn": "nobody's"}]}
        answers.append((names, bulk(documents, names)))
    found = normalize_answers(plan, answers)
    expected = [f"{chunk}-{index} {row}" for chunk in range(12) for index in (0, 2)
                for row in range(chunk)]  # fmt: skip
    assert [row["fornavn"] for row in found.tables["navn"]] == expected
    assert {row["personidentifikator"] for row in found.tables["navn"]} == {TWO}
    assert found.outcomes == {"dokument": 24, "feilet": 12}
    assert [row["dok_nr"] for row in found.account] == list(range(36))
