"""The envelope round the documents of a bulk answer, in all forms that are known."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.envelope import Oppslag, compose, match, parse
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.errors import RefusedError

DOCUMENT = {"identifikasjonsnummer": [{"foedselsEllerDNummer": "2"}, {"foedselsEllerDNummer": "1"}]}


def told(body: object) -> list[tuple[str | None, bool, str | None]]:
    found = parse(json.dumps(body).encode())
    return [(one.identifikator, one.person is not None, one.feilmelding) for one in found]


FORMS = {
    "the register's own": (
        {"oppslag": [{"foedselsEllerDNummer": "1", "folkeregisterperson": DOCUMENT}]},
        [("1", True, None)],
    ),
    "one object for the list": (
        {"oppslag": {"dokumentidentifikator": "a", "folkeregisterperson": DOCUMENT}},
        [("a", True, None)],
    ),
    "an error": (
        {"oppslag": [{"foedselsEllerDNummer": "1", "feilmelding": {"feilmelding": "Borte"}}]},
        [("1", False, "Borte")],
    ),
    "an error that is text": (
        [{"dokumentidentifikator": "a", "feilmelding": "x"}],
        [("a", False, "x")],
    ),
    "an error of an unknown form": (
        [{"dokumentidentifikator": "a", "feilmelding": [1]}],
        [("a", False, "uten forklaring")],
    ),
    "documents without wrapping": ([DOCUMENT, DOCUMENT], [(None, True, None)] * 2),
    "one document alone": (DOCUMENT, [(None, True, None)]),
    "nothing": ({}, []),
    "no list": ({"oppslag": None}, []),
    "an empty list": ({"oppslag": []}, []),
    "a number that is no text": (
        {"oppslag": [{"foedselsEllerDNummer": 7, "folkeregisterperson": DOCUMENT}]},
        [("00000000007", True, None)],
    ),
    "neither document nor error": ([{"dokumentidentifikator": "a"}], [("a", False, None)]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_understood(form: str) -> None:
    body, expected = FORMS[form]
    assert told(body) == expected


@pytest.mark.parametrize("body", [b"", b"{", b'{"oppslag": [', b"<html>", b"[1, 2", b"\xff\xfe"])
def test_what_is_cut_short_is_refused_without_being_quoted(body: bytes) -> None:
    with pytest.raises(ValueError, match="not complete") as wrong:
        parse(body)
    assert wrong.value.__cause__ is None


def test_an_error_message_with_a_number_in_it_is_masked() -> None:
    body = [{"foedselsEllerDNummer": "1", "feilmelding": "Fant ikke 03851598730"}]
    assert told(body)[0][2] == "Fant ikke ***********"


answers = st.lists(
    st.tuples(st.uuids().map(str), st.booleans(), st.text(max_size=5)), max_size=6,
    unique_by=lambda one: one[0],
)  # fmt: skip


@given(answers, st.randoms())
def test_what_is_composed_is_read_again_and_matched_in_any_order(
    made: list[tuple[str, bool, str]], random: object
) -> None:
    whole = [
        Oppslag(name, json.dumps({"navn": [{"fornavn": text}]}).encode() if there else None,
                None if there else "Borte")
        for name, there, text in made
    ]  # fmt: skip
    shuffled = list(whole)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    read = parse(compose(shuffled, "dokumentidentifikator"))
    matched = match([name for name, _, _ in made], read)
    assert [one and (one.identifikator, one.person, one.feilmelding) for one in matched] == [
        (one.identifikator, one.person, one.feilmelding) for one in whole
    ]


_values = st.none() | st.text(max_size=3) | st.integers(0, 9) | st.just({}) | st.just(DOCUMENT)
_entries = st.dictionaries(
    st.sampled_from(
        ["foedselsEllerDNummer", "dokumentidentifikator", "folkeregisterperson", "feilmelding", "x"]
    ),
    _values,
    max_size=4,
)


@given(st.lists(_entries | st.none(), max_size=4))
def test_answers_say_the_same_with_and_without_the_envelope(entries: list[object]) -> None:
    assert told({"oppslag": entries}) == told(entries)


def test_answers_without_identifiers_are_matched_by_order_if_the_counts_agree() -> None:
    one, two = (Oppslag(None, b"{}", None) for _ in range(2))
    assert match(["a", "b"], [one, two]) == [one, two]
    assert match(["a", "b"], [one]) == [None, None]


def test_a_look_up_by_an_old_number_may_be_answered_under_the_current_one() -> None:
    answer = Oppslag("2", json.dumps(DOCUMENT).encode(), None)
    other = Oppslag("3", b"{}", None)
    assert match(["3", "1"], [answer, other]) == [other, answer]


def test_each_answer_serves_one_question() -> None:
    answer = Oppslag("a", b"{}", None)
    assert match(["a", "a"], [answer]) == [answer, None]
    assert match(["a", "a"], [answer, answer]) == [answer, answer]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"dokumentidentifikator": ["a", "b"]}', ("dokumentidentifikator", ["a", "b"])),
        (b'{"foedselsEllerDNummer": ["1"], "nytt": 1}', ("foedselsEllerDNummer", ["1"])),
        (b"{}", (None, [])),
        (b'{"dokumentidentifikator": []}', (None, [])),
        (b'{"foedselsEllerDNummer": null, "feilmelding": null}', (None, [])),
        (b'{"dokumentidentifikator": [7, null, "b"]}', ("dokumentidentifikator", ["7", "b"])),
        (b'{"foedselsEllerDNummer": [1019012345]}', ("foedselsEllerDNummer", ["01019012345"])),
        (b'{"dokumentidentifikator": "a"}', ("dokumentidentifikator", ["a"])),
        (b'{"foedselsEllerDNummer": 1019012345}', ("foedselsEllerDNummer", ["01019012345"])),
        (b'{"dokumentidentifikator": ""}', (None, [])),
        (b'{"foedselsEllerDNummer": [], "feilmelding": ""}', (None, [])),
    ],
)
def test_batches(body: bytes, expected: object) -> None:
    assert parse_batch(body) == expected


@pytest.mark.parametrize(
    "reason",
    [
        b'"Teknisk feil"',
        b'{"feilmelding": "Teknisk feil"}',
        b'{"feilmelding": "Teknisk feil \xff"}',
        rb'"Teknisk feil \ud83d"',
        b'{"feilmelding": "Teknisk feil", "annet": "\xff"}',
    ],
)
def test_a_reason_in_place_of_a_batch_is_not_taken_for_the_end(reason: bytes) -> None:
    with pytest.raises(RefusedError, match="Teknisk feil"):
        parse_batch(b'{"feilmelding": %s}' % reason)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"feilmelding": "Teknisk feil"}, "Teknisk feil"),
        ({"feilmelding": {"feilmelding": "Teknisk feil"}, "dokumentidentifikator": []}, "Teknisk"),
        ({"kode": "FREG-001", "melding": "Teknisk feil"}, "Teknisk feil"),
        ({"code": "X", "message": "Teknisk feil", "httpStatus": 500}, "Teknisk feil"),
        ({"timestamp": "2026", "error": "Internal Server Error"}, "Internal Server Error"),
    ],
)
def test_an_error_in_place_of_a_batch_is_not_taken_for_the_end(
    body: dict[str, object], told: str
) -> None:
    with pytest.raises(RefusedError, match=told):
        parse_batch(json.dumps(body).encode())


def test_identifiers_of_two_kinds_are_no_batch() -> None:
    with pytest.raises(ValueError, match="two kinds"):
        parse_batch(b'{"foedselsEllerDNummer": ["1"], "dokumentidentifikator": ["a"]}')


def test_a_batch_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="no batch"):
        parse_batch(b'{"dokumentidentifikator": ["a"')
