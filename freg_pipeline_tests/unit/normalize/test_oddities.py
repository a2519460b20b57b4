"""What real documents carry: nothing is lost, nothing stops the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.normalize.values import moment
from freg_pipeline_tests.answers import bulk, entity_rows, normalize, normalize_answers
from freg_pipeline_tests.contracts import entity, field, small_contract

ONE, TWO = "41819077906", "03851598730"


def person(number: str = ONE, **entities: Any) -> dict[str, Any]:
    row = {"foedselsEllerDNummer": number, "status": "iBruk", "identifikatortype": "dNummer"}
    return {"identifikasjonsnummer": [row], **entities}


def navn(**fields: Any) -> dict[str, Any]:
    return {"fornavn": "SKEPTISK", "etternavn": "TREKASSE", **fields}


# -- fields and codes that the contract does not know ------------------------------------------


def test_an_unknown_field_is_counted_by_path_and_the_known_ones_land(plan: Plan) -> None:
    found = normalize(plan, [person(navn=[navn(tilnavn="X1"), navn()]), person(TWO, navn=[navn()])])
    assert found.unknown == {"navn.tilnavn": 1}
    assert [row["fornavn"] for row in found.tables["navn"]] == ["SKEPTISK"] * 3


def test_an_unknown_field_deep_in_a_structure_is_found(plan: Plan) -> None:
    home = {
        "adressegradering": "ugradert",
        "vegadresse": {"adressenavn": "A", "ny": {"dyp": [1, 2]}},
    }
    found = normalize(plan, [person(bostedsadresse=[home])])
    assert found.unknown == {"bostedsadresse.vegadresse.ny.dyp": 2}


def test_an_unknown_entity_is_counted_with_its_fields(plan: Plan) -> None:
    found = normalize(plan, [person(nyttElement=[{"a": "x", "b": 1}, {"a": "y"}], navn=[navn()])])
    assert found.unknown == {"nyttElement.a": 2, "nyttElement.b": 1}
    assert len(found.tables["navn"]) == 1


def test_the_example_of_an_unknown_field_is_masked(plan: Plan) -> None:
    found = normalize(plan, [person(navn=[navn(ny="Kari 01019912345")])])
    assert found.tables["ukjent_felt"][0]["eksempel"] == "xxxx 99999999999"


def test_unknown_fields_are_counted_alike_when_another_document_is_odd(plan: Plan) -> None:
    documents = [person(navn=[navn(ny="a")]), person(TWO, navn=navn(ny="b"))]
    assert normalize(plan, documents).unknown == {"navn.ny": 2}


def test_an_unknown_code_is_data(plan: Plan) -> None:
    rows = [{"identitetsgrunnlagstatus": "unik"}]
    found = normalize(plan, [person(identitetsgrunnlag=rows)])
    assert found.tables["identitetsgrunnlag"][0]["identitetsgrunnlagstatus"] == "unik"
    assert found.failed == []


# -- forms that differ from the contract's, with the same meaning ------------------------------


def test_one_object_where_the_contract_says_a_list(plan: Plan) -> None:
    listed = normalize(plan, [person(navn=[navn()])])
    single = normalize(plan, [person(navn=navn())])
    assert entity_rows(single) == entity_rows(listed)


def test_a_list_where_the_contract_says_one_object(plan: Plan) -> None:
    death = {"doedsdato": "2020-02-29"}
    found = normalize(plan, [person(doedsfall=[death]), person(TWO, doedsfall=death)])
    assert [row["doedsdato"] for row in found.tables["doedsfall"]] == ["2020-02-29"] * 2


@pytest.mark.parametrize(
    ("given", "landed"), [(7, "7"), (7.5, "7.5"), (True, "true"), (12345678901234567890, None)]
)
def test_another_value_where_the_contract_says_string(
    given: Any, landed: str | None, plan: Plan
) -> None:
    found = normalize(plan, [person(navn=[navn(mellomnavn=given)])])
    assert found.tables["navn"][0]["mellomnavn"] == (landed or str(given))
    assert found.failed == []


def test_numbers_and_booleans_as_text(plan: Plan) -> None:
    home = {"adressegradering": "ugradert", "grunnkrets": "0123", "erGjeldende": "true"}
    row = normalize(plan, [person(bostedsadresse=[home])]).tables["bostedsadresse"][0]
    assert (row["grunnkrets"], row["er_gjeldende"]) == (123, True)


@pytest.mark.parametrize("year", ["1985", 1985])
def test_foedselsaar_as_text_and_as_a_number(year: Any, plan: Plan) -> None:
    found = normalize(plan, [person(foedsel=[{"foedselsaar": year}])])
    assert found.tables["foedsel"][0]["foedselsaar"] == 1985


def test_empty_elements_lists_and_nulls_are_nothing(plan: Plan) -> None:
    document = person(
        navn=[navn(mellomnavn="", kilde="", ajourholdstidspunkt="")],
        status=[],
        kjoenn=None,
        foedsel=[{"foedselsaar": "1985", "foedselsdato": ""}],
        brukAvSamiskSpraak=[{"spraak": ["", "nordsamisk"]}, {"spraak": []}],
    )
    found = normalize(plan, [document])
    assert found.failed == []
    row = found.tables["navn"][0]
    assert {"mellomnavn", "kilde", "ajourholdstidspunkt"}.isdisjoint(row)
    spoken = [one["spraak"] for one in found.tables["bruk_av_samisk_spraak"]]
    assert spoken == [[None, "nordsamisk"], []]
    assert "foedselsdato" not in found.tables["foedsel"][0]
    assert {"status", "kjoenn"}.isdisjoint(found.tables)


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2019-04-23T10:09:42+02:00", "2019-04-23T08:09:42+00:00"),
        ("2019-04-23T10:09:42.1+02:00", "2019-04-23T08:09:42.100000+00:00"),
        ("2019-04-23T10:09:42.123456789Z", "2019-04-23T10:09:42.123456+00:00"),
        ("2019-04-23T10:09:42-11:30", "2019-04-23T21:39:42+00:00"),
        ("2019-04-23T10:09:42", "2019-04-23T08:09:42+00:00"),  # Norwegian summer time
        ("2019-01-23T10:09:42", "2019-01-23T09:09:42+00:00"),  # Norwegian winter time
        (" 2019-04-23T10:09:42Z ", "2019-04-23T10:09:42+00:00"),
    ],
)
def test_times_are_utc_whatever_their_form(given: str, utc: str, plan: Plan) -> None:
    found = normalize(plan, [person(navn=[navn(ajourholdstidspunkt=given)])])
    assert found.tables["navn"][0]["ajourholdstidspunkt"] == utc


@pytest.mark.parametrize("given", ["1999-12-31", "1999-12-31Z", "1999-12-31+01:00", " 1999-12-31 "])
def test_dates_whatever_their_form(given: str, plan: Plan) -> None:
    found = normalize(plan, [person(doedsfall={"doedsdato": given})])
    assert found.tables["doedsfall"][0]["doedsdato"] == "1999-12-31"


def test_letters_of_every_kind(plan: Plan) -> None:
    text = 'ÆØÅ æøå ŧđ 😀 "quoted" \\ \n\t \u2028'
    found = normalize(plan, [person(navn=[navn(mellomnavn=text)])])
    assert found.tables["navn"][0]["mellomnavn"] == text


# -- documents that can't be decoded -----------------------------------------------------------

BROKEN: dict[str, tuple[Any, str]] = {
    "a date that is none": ({"doedsfall": {"doedsdato": "1999-13-45"}}, "doedsfall.doedsdato"),
    "a time that is none": ({"navn": [navn(ajourholdstidspunkt="i går")]}, "navn.ajourhold"),
    "a list where a value belongs": ({"navn": [navn(fornavn=["A", "B"])]}, "navn"),
    "a value where a structure belongs": ({"bostedsadresse": [{"vegadresse": "A"}]}, "bosted"),
    "an object where a date belongs": ({"doedsfall": {"doedsdato": {"a": 1}}}, "doedsfall"),
    "text where a number belongs": ({"bostedsadresse": [{"grunnkrets": "mange"}]}, "bosted"),
    "an entity that is a text": ({"navn": "TREKASSE"}, "navn"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_document_that_cannot_be_decoded_is_put_aside_and_the_others_land(
    case: str, plan: Plan
) -> None:
    broken, path = BROKEN[case]
    documents = [
        person(ONE, navn=[navn()]),
        person("30908299902", **broken),
        person(TWO, navn=[navn()]),
    ]
    found = normalize(plan, documents)
    assert found.outcomes == {"dokument": 2, "feilet": 1}
    (failed,) = found.failed
    assert failed["identifikator"] == "doc-1"
    assert failed["sti"].startswith(path)
    assert failed["aarsak"]
    assert {row["personidentifikator"] for row in found.tables["navn"]} == {ONE, TWO}
    # The reason tells no value: it may be a person's.
    told = f"{failed['sti']} {failed['aarsak']}"
    assert not any(value in told for value in ("TREKASSE", "1999-13-45", "i går", "mange", "30908"))


@pytest.mark.parametrize("document", ["TREKASSE", 7, [1], True])
def test_something_that_is_no_document_at_all(document: Any, plan: Plan) -> None:
    found = normalize(plan, [document, person(ONE)])
    assert found.outcomes == {"dokument": 1, "feilet": 1}


def test_a_document_that_names_nobody_fails_in_an_archive_and_not_in_a_look_up(plan: Plan) -> None:
    nameless = {"navn": [navn()]}
    assert normalize(plan, [nameless]).failed[0]["sti"] == "identifikasjonsnummer"
    found = normalize(plan, [nameless], kind="foedselsEllerDNummer", asked=[ONE])
    assert found.tables["navn"][0]["personidentifikator"] == ONE


@pytest.mark.parametrize("around", ["X", "[X]", '{"oppslag":X}', '{"oppslag":[X]}'])
@pytest.mark.parametrize("named", ["", f'"foedselsEllerDNummer":"{ONE}",'])
def test_anothers_error_under_status_200_empties_nobody(
    around: str, named: str, plan: Plan
) -> None:
    body = around.replace("X", f'{{{named}"error":"the backend is away"}}').encode()
    found = normalize_answers(plan, [([ONE], body)], kind="foedselsEllerDNummer")
    assert found.outcomes == {"feilet": 1}
    assert found.tables.keys() <= {"dokument"}


# -- whose document, and how new ---------------------------------------------------------------


def test_the_person_is_the_number_in_use_not_one_that_is_opphoert(plan: Plan) -> None:
    rows = [
        {"foedselsEllerDNummer": TWO, "status": "opphoert", "erGjeldende": False},
        {"foedselsEllerDNummer": ONE, "status": "iBruk", "erGjeldende": True},
    ]
    for order in (rows, rows[::-1]):
        found = normalize(plan, [{"identifikasjonsnummer": order}])
        assert found.account[0]["personidentifikator"] == ONE


def test_a_person_whose_only_number_is_opphoert_keeps_it(plan: Plan) -> None:
    rows = [{"foedselsEllerDNummer": TWO, "status": "opphoert"}]
    found = normalize(plan, [{"identifikasjonsnummer": rows}])
    assert found.account[0]["personidentifikator"] == TWO


def test_a_document_is_as_new_as_the_latest_time_of_recording_anywhere_in_it(plan: Plan) -> None:
    document = person(
        navn=[navn(ajourholdstidspunkt="2020-01-01T00:00:00Z")],
        status=[
            {"status": "bosatt", "ajourholdstidspunkt": "2021-05-05T01:00:00+02:00"},
            {"status": "bosatt", "ajourholdstidspunkt": "2019-01-01T00:00:00Z"},
        ],
    )
    found = normalize(plan, [document, person(TWO)])
    assert found.account[0]["ajourholdt"] == "2021-05-04T23:00:00+00:00"
    assert "ajourholdt" not in found.account[1]


# -- answers as a whole ------------------------------------------------------------------------


def test_answers_in_another_order_land_with_what_was_asked(plan: Plan) -> None:
    body = bulk([person(TWO), person(ONE)], ["b", "a"])
    found = normalize_answers(plan, [(["a", "b"], body)])
    pairs = [(row["identifikator"], row["personidentifikator"]) for row in found.account]
    assert pairs == [("a", ONE), ("b", TWO)]


def test_what_the_register_no_longer_has_is_gone_and_what_nobody_answered_failed(
    plan: Plan,
) -> None:
    body = json.dumps(
        {
            "oppslag": [
                {"dokumentidentifikator": "a", "feilmelding": {"feilmelding": "Slettet"}},
                {"dokumentidentifikator": "b", "folkeregisterperson": person(ONE)},
            ]
        }
    ).encode()
    found = normalize_answers(plan, [(["a", "b", "c"], body)])
    assert found.outcomes == {"borte": 1, "dokument": 1, "feilet": 1}
    assert found.account[0]["aarsak"] == "Slettet"
    assert found.account[2]["identifikator"] == "c"


def test_a_bare_list_of_documents_and_one_document_alone(plan: Plan) -> None:
    listed = json.dumps([person(ONE), person(TWO)]).encode()
    alone = json.dumps(person(ONE)).encode()
    found = normalize_answers(plan, [(["a", "b"], listed), (["c"], alone)])
    assert [row["personidentifikator"] for row in found.account] == [ONE, TWO, ONE]


def test_an_empty_answer_and_a_batch_of_nothing(plan: Plan) -> None:
    assert normalize_answers(plan, [(["a"], b"{}")]).outcomes == {"feilet": 1}
    assert normalize_answers(plan, []).tables == {}


def test_more_answers_than_are_held_at_once(plan: Plan) -> None:
    answers = [
        ([f"{chunk}-{index}" for index in range(3)],
         bulk([person(ONE, navn=[navn(mellomnavn=f"{chunk}-{index}")]) for index in range(3)],
              [f"{chunk}-{index}" for index in range(3)]))
        for chunk in range(25)
    ]  # fmt: skip
    found = normalize_answers(plan, answers)
    expected = [f"{chunk}-{index}" for chunk in range(25) for index in range(3)]
    assert [row["mellomnavn"] for row in found.tables["navn"]] == expected
    assert [row["dok_nr"] for row in found.tables["navn"]] == list(range(75))


def test_lists_within_lists_are_tables_with_a_number_for_each_level() -> None:
    inner = field("verdi")
    deep = (
        '<xs:element name="ytre" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>'
        '<xs:element name="indre" minOccurs="0" maxOccurs="unbounded"><xs:complexType>'
        f"<xs:sequence>{inner}</xs:sequence></xs:complexType></xs:element>"
        "</xs:sequence></xs:complexType></xs:element>"
    )
    numbers = entity("identifikasjonsnummer", field("foedselsEllerDNummer") + field("status"))
    plan = compile_contract(small_contract(numbers + entity("ting", deep)))
    document = {
        "identifikasjonsnummer": [{"foedselsEllerDNummer": ONE, "status": "iBruk"}],
        "ting": [
            {"ytre": [{"indre": [{"verdi": "a"}]}, {"indre": []}, {"indre": [{"verdi": "b"}]}]},
            {},
            {"ytre": [{"indre": [{"verdi": "c"}, {"verdi": "d"}]}]},
        ],
    }
    rows = normalize(plan, [document]).tables["ting__indre"]
    keys = [(row["rad_nr"], row["element_nr"], row["element_nr_2"], row["verdi"]) for row in rows]
    assert keys == [(0, 0, 0, "a"), (0, 2, 0, "b"), (2, 0, 0, "c"), (2, 0, 1, "d")]


def test_the_end_of_a_day_is_the_first_moment_of_the_next() -> None:
    """As xsd:dateTime allows it."""
    assert moment("1999-12-31T24:00:00Z") == datetime(2000, 1, 1, tzinfo=UTC)
    assert moment("2026-02-28T24:00:00.000+01:00") == datetime(2026, 2, 28, 23, tzinfo=UTC)
    for text in ("1999-12-31T24:00:01Z", "9999-12-31T24:00:00Z"):
        with pytest.raises(ValueError, match="tidspunkt"):
            moment(text)


@pytest.mark.parametrize("written", ["1e999999999", "-1e999999999", "NaN", "Infinity", "1e28"])
def test_a_decimal_beyond_its_column_puts_its_document_aside(written: str) -> None:
    plan = compile_contract(small_contract(entity("ting", field("belop", "xs:decimal"))))
    documents = [{"ting": [{"belop": written}]}, {"ting": [{"belop": "1.5"}]}]
    found = normalize(plan, documents, kind="foedselsEllerDNummer")
    assert found.outcomes == {"dokument": 1, "feilet": 1}
    assert found.failed[0]["sti"] == "ting.belop"


BLANK: list[dict[str, Any]] = [
    {},
    {"navn": []},
    {"identifikasjonsnummer": [], "status": None},
    {"kode": "FREG-500", "melding": "Teknisk feil"},
    {"folkeregisterperson": person(navn=[navn()])},
]


@pytest.mark.parametrize("document", BLANK)
def test_a_document_that_holds_nothing_is_no_person(document: dict[str, Any], plan: Plan) -> None:
    """Taken for one it would empty the tables of whoever was asked for."""
    entries = [
        {"foedselsEllerDNummer": ONE, "folkeregisterperson": document},
        {"foedselsEllerDNummer": TWO, "folkeregisterperson": {"navn": [navn()]}},
    ]
    answer = json.dumps({"oppslag": entries}).encode()
    found = normalize_answers(plan, [([ONE, TWO], answer)], kind="foedselsEllerDNummer")
    assert found.outcomes == {"feilet": 1, "dokument": 1}
    assert [row["aarsak"] for row in found.failed] == ["dokumentet er tomt"]
    assert [row["personidentifikator"] for row in found.tables["navn"]] == [TWO]
