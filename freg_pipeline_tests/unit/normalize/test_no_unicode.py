"""Text that is no Unicode is read as U+FFFD and counted: nobody, and no other text, is lost."""

from __future__ import annotations

import json

import pytest

from freg_pipeline.client.feed import parse_feed
from freg_pipeline.client.hendelsesdokument import hendelsesdokumenter
from freg_pipeline.client.treff import parse_treff
from freg_pipeline.contract import Plan
from freg_pipeline.envelope import is_xml, numbers_of, parse
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.normalize import json_answer
from freg_pipeline_tests.answers import Normalized, normalize_answers

ONE = "41819077906"
NUMBER = f'"identifikasjonsnummer":[{{"foedselsEllerDNummer":"{ONE}","status":"iBruk"}}]'

TEXTS: dict[str, tuple[bytes, str]] = {
    "half of a surrogate pair": (rb"X\ud83dY", "X�Y"),
    "the other half": (rb"X\uDE00", "X�"),
    "both, the wrong way round": (rb"\ude00\ud83d", "��"),
    "half of one before a whole one": (rb"\ud83d\ud83d\ude00", "�😀"),
    "half of one at the end": (rb"\\\ud83d", "\\�"),
    "no escape at all": (rb"\\ud83d", "\\ud83d"),
    "bytes that are no UTF-8": (b"\xc3(", "�("),
    "half of a letter": (b"\xc3", "�"),
    "a letter in too long a form": (b"\xc0\xaf", "��"),
    "a surrogate in UTF-8": (b"\xed\xa0\x80", "���"),
    "beyond Unicode": (b"\xf5\x80\x80\x80", "����"),
}
WHERE = {
    "as asked": b'{"oppslag":[%s]}',
    "another form": b"[%s]",
    "after a byte order mark": b'\xef\xbb\xbf{"oppslag":[%s]}',
    "with a damaged key beside it": b'{"oppslag":[%s],"\xff":1}',
}


def normalized(plan: Plan, form: bytes, *persons: bytes) -> Normalized:
    names = [f"doc-{index}" for index in range(len(persons))]
    entries = (
        b'{"dokumentidentifikator":"%s","folkeregisterperson":{%s,%s}}'
        % (name.encode(), NUMBER.encode(), person)
        for name, person in zip(names, persons, strict=True)
    )
    return normalize_answers(plan, [(names, form % b",".join(entries))])


@pytest.mark.parametrize("form", WHERE)
@pytest.mark.parametrize("case", TEXTS)
def test_a_text_that_is_none_costs_nobody_anything(case: str, form: str, plan: Plan) -> None:
    written, text = TEXTS[case]
    good = b'"navn":[{"fornavn":"B"}]'
    bad = b'"navn":[{"fornavn":"%s","etternavn":"\xc3\x86"}]' % written
    found = normalized(plan, WHERE[form], good, bad, good)
    assert found.outcomes == {"dokument": 3}
    names = {row["dok_nr"]: (row["fornavn"], row.get("etternavn")) for row in found.tables["navn"]}
    assert names == {0: ("B", None), 1: (text, "Æ"), 2: ("B", None)}
    counted = {} if case == "no escape at all" else {"navn.fornavn (ikke Unicode)": 1}
    assert found.unknown == counted


@pytest.mark.parametrize("name", [rb"\ud83d", b"\xff"])
def test_a_field_s_name_that_is_none_is_an_unknown_field(name: bytes, plan: Plan) -> None:
    found = normalized(
        plan, WHERE["as asked"], b'"navn":[{"fornavn":"A","%s":"%s"}]' % (name, name)
    )
    assert found.outcomes == {"dokument": 1}
    assert found.unknown == {"navn.�": 1}


def test_control_signs_as_they_are_stay_what_they_are(plan: Plan) -> None:
    found = normalized(plan, WHERE["as asked"], b'"navn":[{"fornavn":"A\nB\tC\0D"}]')
    assert found.tables["navn"][0]["fornavn"] == "A\nB\tC\0D"


def test_a_number_that_is_none_is_nobody_s(plan: Plan) -> None:
    body = rb'{"oppslag":[{"foedselsEllerDNummer":"\ud83d","folkeregisterperson":{%s}}]}'
    found = normalize_answers(plan, [([ONE], body % NUMBER.encode())], kind="foedselsEllerDNummer")
    assert found.outcomes == {"dokument": 1}


def test_a_reason_that_is_none_is_still_a_reason(plan: Plan) -> None:
    for text in (rb"\ud83d", b"\xff"):
        body = b'{"oppslag":[{"dokumentidentifikator":"a","feilmelding":{"feilmelding":"%s"}}]}'
        found = normalize_answers(plan, [(["a"], body % text)])
        assert found.outcomes == {"feilet": 1}
        assert found.account[0]["aarsak"] == "registeret svarte: �"


@pytest.mark.parametrize("written", [b"X&#xD83D;Y", b"X&#55357;Y", b"X\x0bY", b"X\xffY", b"X&#0;Y"])
def test_xml_with_signs_that_it_does_not_allow(written: bytes, plan: Plan) -> None:
    person = (
        b"<folkeregisterperson><identifikasjonsnummer><foedselsEllerDNummer>%s"
        b"</foedselsEllerDNummer></identifikasjonsnummer><navn><fornavn>%s</fornavn></navn>"
        b"</folkeregisterperson>"
    )
    entries = [
        b"<oppslag><dokumentidentifikator>%s</dokumentidentifikator>%s</oppslag>"
        % (name, person % (ONE.encode(), text))
        for name, text in ((b"a", b"A"), (b"b", written), (b"c", b"C"))
    ]
    body = b'<?xml version="1.0" encoding="UTF-8"?><svar>' + b"".join(entries) + b"</svar>"
    assert is_xml(body)
    answer = json_answer(body, plan.contract.structure)
    found = normalize_answers(plan, [(["a", "b", "c"], answer)])
    assert found.outcomes == {"dokument": 3}
    assert {row["fornavn"] for row in found.tables["navn"]} == {"A", "X�Y", "C"}
    assert found.unknown == {"navn.fornavn (ikke Unicode)": 1}
    assert [numbers_of(one.person) for one in parse(body)] == [[ONE]] * 3
    with pytest.raises(ValueError, match="complete"):
        parse(body[:-9])


@pytest.mark.parametrize("text", [rb"\ud83d", b"\xff", b"\x01"])
def test_events_batches_and_hits_are_read_all_the_same(text: bytes) -> None:
    page = b'[{"sekvensnummer":7,"hendelse":{"hendelsetype":"%s","persondokument":"a"}}]'
    assert [(one.sekvensnummer, one.persondokument) for one in parse_feed(page % text)] == [
        (7, "a")
    ]
    document = (
        b'{"oppslag":[{"dokumentidentifikator":"d","hendelse":{"hendelsestype":"x",'
        b'"egenskapshendelse":[{"entitet":"navn","navn":{"fornavn":"%s"}}]}}]}'
    )
    (found,) = hendelsesdokumenter(document % text)
    content = found.egenskaper[0].innhold
    assert content is not None
    assert json.loads(content)["fornavn"] in {"�", "\x01"}
    assert parse_batch(b'{"dokumentidentifikator":["%s","b"]}' % text)[1][1] == "b"
    assert parse_treff(b'{"foedselsEllerDNummer":["%s","b"]}' % text)[1] == "b"


@pytest.mark.parametrize("body", [rb'{"oppslag":[{"a":"\ud83d"}', rb'{"oppslag":["\ud83d]}', b""])
def test_what_is_cut_off_is_not_taken_for_whole(body: bytes) -> None:
    with pytest.raises(ValueError, match="complete"):
        parse(body)
