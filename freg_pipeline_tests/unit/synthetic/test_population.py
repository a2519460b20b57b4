"""The population: valid, consistent in both directions, and rich in everything the model has."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from lxml import etree

from freg_pipeline.contract import Field, Plan, Structure, compile_contract
from freg_pipeline.identifiers import NumberKind, parse
from freg_pipeline.synthetic import RegisterOptions, SyntheticRegister, xsd
from freg_pipeline.synthetic.numbers import Numbers

Document = dict[str, Any]
NAMESPACE = "folkeregisteret:tilgjengeliggjoering:person:v1"
ADDRESSES = (
    "bostedsadresse", "oppholdsadresse", "deltBosted", "postadresse", "postadresseIUtlandet"
)  # fmt: skip
NEVER_FILLED = {"preferertKontaktadresse", "fratattRettsligHandleevne"}


@pytest.fixture(scope="module", params=[0, 2_000], ids=["as first served", "after 2,000 events"])
def register(request: pytest.FixtureRequest) -> Iterator[SyntheticRegister]:
    with closing(SyntheticRegister(RegisterOptions(persons=1_000))) as made:
        made.living.happen(request.param)
        yield made


@pytest.fixture(scope="module")
def first() -> Iterator[SyntheticRegister]:
    """The register as it is first served."""
    with closing(SyntheticRegister(RegisterOptions(persons=1_000))) as made:
        yield made


@pytest.fixture(scope="module")
def documents(register: SyntheticRegister) -> list[Document]:
    """The documents in force."""
    archive = register.archive
    in_force = archive.valid_from(archive.last_sequence_number)
    return [json.loads(archive.document(archive.by_id(one) or 0)) for one in in_force]


@pytest.fixture(scope="module")
def by_number(documents: list[Document]) -> dict[str, Document]:
    return {own_number(document): document for document in documents}


def own_number(document: Document) -> str:
    return str(document["identifikasjonsnummer"][0]["foedselsEllerDNummer"])


def current(document: Document, entity: str) -> list[Document]:
    return [row for row in document.get(entity, []) if row["erGjeldende"]]


def test_one_seed_is_one_population() -> None:
    def all_of(seed: int) -> list[bytes]:
        with closing(SyntheticRegister(RegisterOptions(persons=60, seed=seed))) as made:
            return list(made.archive.documents())

    assert all_of(7) == all_of(7)
    assert all_of(7) != all_of(8)


def test_there_are_as_many_registrations_as_asked_for_and_few_are_merged(
    first: SyntheticRegister,
) -> None:
    people = first.archive.people
    assert len(people) == 1_000
    assert 1 <= sum(person.merged_into is not None for person in people) <= 5
    assert any(person.ended for person in people)


def test_every_number_is_valid_synthetic_and_one_persons(documents: list[Document]) -> None:
    seen: Counter[str] = Counter()
    for document in documents:
        for row in document["identifikasjonsnummer"]:
            number = parse(row["foedselsEllerDNummer"])
            assert number.synthetic
            kind = "dNummer" if number.kind is NumberKind.D_NUMMER else "foedselsnummer"
            assert row["identifikatortype"] == kind
        seen[own_number(document)] += 1
    assert set(seen.values()) == {1}


def test_d_numbers_of_this_century_use_individual_numbers_that_do_not_tell_it() -> None:
    numbers = Numbers(Random(1))
    told = {
        year: {int(numbers.d_nummer(date(year, 2, 28), woman=True)[6:9]) for _ in range(60)}
        for year in (1999, 2000, 2039, 2040)
    }
    for year in (2000, 2039):
        assert min(told[year]) >= 200
        assert min(told[year]) < 500 <= max(told[year])
    assert max(told[1999]) < 500 <= min(told[2040])


def test_where_a_day_has_no_number_left_the_one_before_gives_it() -> None:
    numbers = Numbers(Random(1))
    given = [numbers.foedselsnummer(date(2007, 6, 1), woman=True) for _ in range(500)]
    assert len(set(given)) == len(given)
    days = Counter(number[:6] for number in given)
    assert list(days) == ["018607", "318507", "308507"]
    assert 190 < days["018607"] < 220
    assert all(parse(number).synthetic for number in given)
    assert numbers.foedselsnummer(date(2007, 6, 1), woman=False)[:6] == "018607"


def test_every_document_is_valid_by_the_contract_that_is_served(
    documents: list[Document],
) -> None:
    schema = etree.XMLSchema(etree.fromstring(xsd()))
    structure = compile_contract(xsd()).contract.structure
    for document in documents:
        tree = _xml("folkeregisterperson", structure, document)
        assert schema.validate(tree), schema.error_log.last_error


def _xml(name: str, structure: Structure, values: Document) -> Any:
    """A document in XML, in the contract's order."""
    element = etree.Element(f"{{{NAMESPACE}}}{name}")
    for field in structure.fields:
        if field.name in values:
            value = values[field.name]
            for one in value if isinstance(value, list) else [value]:
                element.append(_child(field, one))
    assert {field.name for field in structure.fields} >= set(values)
    return element


def _child(field: Field, value: Any) -> Any:
    if isinstance(field.type, Structure):
        return _xml(field.name, field.type, value)
    child = etree.Element(f"{{{NAMESPACE}}}{field.name}")
    child.text = str(value).lower() if isinstance(value, bool) else str(value)
    return child


def test_every_entity_and_every_field_of_it_occurs_in_a_thousand_persons(
    register: SyntheticRegister, plan: Plan
) -> None:
    met: set[tuple[str, ...]] = set()

    def walk(path: tuple[str, ...], value: Any) -> None:
        for one in value if isinstance(value, list) else [value]:
            met.add(path)
            if isinstance(one, dict):
                for name, inner in one.items():
                    walk((*path, name), inner)

    for text in register.archive.documents():
        for entity, value in json.loads(text).items():
            walk((entity,), value)
    for entity in plan.entities:
        assert ((entity,) in met) == (entity not in NEVER_FILLED), entity
    fields = {path[-1] for path in met}  # a rare structure's field may be met in another one
    unmet = {
        (*table.path, *column.path)
        for table in plan.tables
        if table.entity not in NEVER_FILLED
        for column in table.columns
        if column.path[-1] not in fields
    }
    assert unmet == set()


def test_relatives_name_each_other_by_the_numbers_they_have_now(
    by_number: dict[str, Document],
) -> None:
    pairs = 0
    for number, document in by_number.items():
        for row in current(document, "familierelasjon"):
            if "relatertPerson" not in row:
                continue
            back = [
                one
                for one in current(by_number[row["relatertPerson"]], "familierelasjon")
                if one.get("relatertPerson") == number
                and one["relatertPersonsRolle"] == row["minRolleForPerson"]
                and one["minRolleForPerson"] == row["relatertPersonsRolle"]
            ]
            assert len(back) == 1
            pairs += 1
    assert pairs > 500


def test_spouses_share_their_sivilstand(by_number: dict[str, Document]) -> None:
    couples = 0
    for number, document in by_number.items():
        (row,) = current(document, "sivilstand")
        if "relatertVedSivilstand" in row:
            (other,) = current(by_number[row["relatertVedSivilstand"]], "sivilstand")
            assert other["relatertVedSivilstand"] == number
            assert other["sivilstand"] == row["sivilstand"]
            assert other["sivilstandsdato"] == row["sivilstandsdato"]
            couples += 1
    assert couples > 50


def test_a_merged_persons_number_stands_with_the_person_that_goes_on(
    register: SyntheticRegister, by_number: dict[str, Document]
) -> None:
    people = register.archive.people
    for person in people:
        if person.merged_into is not None:
            goes_on = by_number[people[person.merged_into].number]
            rows = {r["foedselsEllerDNummer"]: r for r in goes_on["identifikasjonsnummer"]}
            assert rows[person.number]["status"] == "opphoert"
            assert not rows[person.number]["erGjeldende"]
            (own,) = current(by_number[person.number], "identifikasjonsnummer")
            assert own["status"] == "opphoert"


def test_at_most_one_current_address_of_each_kind_and_a_home_for_everyone_with_a_number(
    documents: list[Document],
) -> None:
    homes = 0
    for document in documents:
        for kind in ADDRESSES:
            assert len(current(document, kind)) <= 1
        d_nummer = document["identifikasjonsnummer"][0]["identifikatortype"] == "dNummer"
        status = current(document, "status")[0]["status"]
        protected = {row["graderingsnivaa"] for row in document.get("adressebeskyttelse", [])}
        if d_nummer:
            assert "bostedsadresse" not in document
        elif status != "utflyttet" and "strengtFortrolig" not in protected:
            (home,) = current(document, "bostedsadresse")
            kinds = {"vegadresse", "matrikkeladresse", "ukjentBosted"} & set(home)
            assert len(kinds) == 1
            homes += 1
    assert homes > 800


def test_protected_persons_addresses_carry_their_grade(documents: list[Document]) -> None:
    met: Counter[str] = Counter()
    for document in documents:
        for row in current(document, "adressebeskyttelse"):
            grade = row["graderingsnivaa"]
            met[grade] += 1
            if grade == "ugradert":
                continue
            addresses = [one for kind in ADDRESSES for one in document.get(kind, [])]
            assert addresses
            assert {one["adressegradering"] for one in addresses} == {grade}
            if grade == "strengtFortrolig":
                assert document.keys() & set(ADDRESSES) == {"postadresse"}
                assert current(document, "postadresse")
    assert met["fortrolig"]
    assert met["strengtFortrolig"]


def test_klientadresse_marks_one_single_address(documents: list[Document]) -> None:
    marked = Counter[int]()
    for document in documents:
        grades = [row["adressegradering"] for kind in ADDRESSES for row in document.get(kind, [])]
        marked[grades.count("klientadresse")] += 1
        protections = [row["graderingsnivaa"] for row in document.get("adressebeskyttelse", [])]
        assert "klientadresse" not in protections
    assert set(marked) == {0, 1}


def test_forms_vary_as_real_documents_do(documents: list[Document]) -> None:
    text = json.dumps(documents)
    assert '"kilde": ""' in text
    times = re.findall(r'T\d\d:\d\d:\d\d(?:\.(\d+))?(Z|[+-]\d\d:\d\d)"', text)
    assert {offset for _, offset in times} == {"+02:00"}, "in winter, too"
    assert {len(fraction) for fraction, _ in times} == {0, 3, 6, 9}
    assert {len(code) for code in re.findall('"landkode": "([A-Z]+)"', text)} == {2, 3}
    for value in (
        "nav", "bank", "statsforvalterenIAgder", "taxIdentificationNumber",
        "tvangsfullbyrdelseOgForliksraadet", "innkrevingOgTvangsfullbyrdelse",
    ):  # fmt: skip
        assert f'"{value}"' in text
    years = {type(row["foedselsaar"]) for document in documents for row in document["foedsel"]}
    assert years == {str, int}
    guardians = [
        row["verge"]
        for document in documents
        for row in document.get("vergemaalEllerFremtidsfullmakt", [])
    ]
    named = [one["navnFoedselsdato"] for one in guardians if "navnFoedselsdato" in one]
    assert named
    for one in named:  # as in real answers, whatever the description says
        assert {*one} <= {"personnavn", "foedselsdato", "statsborgerskap"}
        assert isinstance(one["statsborgerskap"], list)


@pytest.mark.parametrize("entity", ["navn", "bostedsadresse", "sivilstand"])
def test_a_row_of_history_ends_when_the_next_begins(entity: str, first: SyntheticRegister) -> None:
    neighbours = 0
    for text in first.archive.documents():
        rows = sorted(json.loads(text).get(entity, []), key=lambda row: row["gyldighetstidspunkt"])
        for before, after in pairwise(rows):
            if "opphoerstidspunkt" in before:
                assert before["opphoerstidspunkt"] == after["gyldighetstidspunkt"]
                neighbours += 1
    assert neighbours > 50


def test_a_city_has_more_than_one_postnummer(documents: list[Document]) -> None:
    of_oslo = {
        row["vegadresse"]["poststed"]["postnummer"]
        for document in documents
        for row in document.get("bostedsadresse", [])
        if row.get("vegadresse", {}).get("kommunenummer") == "0301"
    }
    assert len(of_oslo) > 5


def test_some_persons_have_earlier_documents_and_a_later_change_makes_a_later_time(
    first: SyntheticRegister,
) -> None:
    archive = first.archive
    everything = archive.valid_from(0)
    assert len(everything) == len(archive)
    assert 1.01 < len(everything) / 1_000 < 1.1
    halfway = archive.valid_from(archive.last_sequence_number - 60)
    now = archive.valid_from(archive.last_sequence_number)
    assert len(now) == 1_000
    assert set(now) < set(halfway) <= set(everything)
