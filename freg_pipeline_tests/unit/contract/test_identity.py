"""Columns that hold somebody's number are marked, by the type that a contract gives them."""

from __future__ import annotations

import pytest
from lxml import etree

from freg_pipeline.contract import Identity, Plan, compile_contract
from freg_pipeline_tests.contracts import (
    HENDELSE_XSD,
    PERSON_XSD,
    entity,
    field,
    published,
    small_contract,
)

_XS = "{http://www.w3.org/2001/XMLSchema}"
KNOWN = {
    "falsk_identitet.rett_identitet_ved_identifikasjonsnummer",
    "identifikasjonsnummer.foedsels_eller_d_nummer",
    "kontaktinformasjon_for_doedsbo.person_foedsels_eller_d_nummer",
    "sivilstand.relatert_ved_sivilstand",
    "familierelasjon.relatert_person",
    "foreldreansvar.ansvarssubjekt",
    "foreldreansvar.ansvarlig",
    "vergemaal_eller_fremtidsfullmakt.verge_foedsels_eller_d_nummer",
}
OTHERS = {
    "legitimasjonsdokument.identifikasjonsdokumentnummer",
    "utenlandsk_personidentifikasjon.identifikasjonsnummer",
    "utlendingsmyndighetenes_identifikasjonsnummer.identifikasjonsnummer",
}
KINDS = ("Tall", "Mer", "Merket", "Flere", "Enten", "Innen")
ELEVEN = """<xs:simpleType name="Tall"><xs:restriction base="xs:string">{}</xs:restriction>
</xs:simpleType>"""


def marked(plan: Plan, identity: Identity) -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for table in plan.tables
        for column in table.columns
        if column.identity is identity
    }


def test_the_published_contracts_columns_of_numbers_are_known() -> None:
    plan = compile_contract(published(PERSON_XSD))
    assert marked(plan, Identity.PERSON) == KNOWN
    assert marked(plan, Identity.OTHER) == OTHERS
    assert marked(plan, Identity.EMBEDDED) == set()


@pytest.mark.parametrize("name", [PERSON_XSD, HENDELSE_XSD])
def test_every_element_of_the_published_type_of_numbers_is_marked(name: str) -> None:
    xsd = published(name)
    declared = {
        element.get("name")
        for element in etree.fromstring(xsd).iter(f"{_XS}element")
        if element.get("type", "").rpartition(":")[2] == "Foedselsnummer"
    }
    assert len(declared) > 5
    plan = compile_contract(xsd)
    columns = [column for table in plan.tables for column in table.columns]
    of_type = {one.path[-1] for one in columns if one.identity is Identity.PERSON}
    assert of_type == declared
    assert all(one.identity is Identity.PERSON for one in columns if {*one.path[-1:]} & declared)


@pytest.mark.parametrize(
    "facets",
    [
        '<xs:length value="11"/>',
        '<xs:minLength value="11"/><xs:maxLength value="11"/>',
        '<xs:maxLength value="11"/><xs:pattern value="[0-9]+"/>',
        '<xs:pattern value="[0-9]{11}"/>',
        '<xs:pattern value="[0-9]{6}[0-9]{5}"/>',
        '<xs:pattern value="x{3}|[0-7][0-9]{9}\\d"/>',
        '<xs:pattern value="\\d{11}"/>',
    ],
)
def test_a_new_element_is_marked_by_its_type_whatever_both_are_called(facets: str) -> None:
    further = (
        '<xs:simpleType name="Mer"><xs:restriction base="t:Tall"/></xs:simpleType>'
        '<xs:complexType name="Merket"><xs:simpleContent><xs:extension base="t:Mer">'
        '<xs:attribute name="kilde"/></xs:extension></xs:simpleContent></xs:complexType>'
        '<xs:simpleType name="Flere"><xs:list itemType="t:Mer"/></xs:simpleType>'
        '<xs:simpleType name="Enten"><xs:union memberTypes="xs:date t:Tall"/></xs:simpleType>'
        '<xs:simpleType name="Innen"><xs:restriction><xs:simpleType><xs:union><xs:simpleType>'
        f'<xs:restriction base="xs:string">{facets}</xs:restriction></xs:simpleType></xs:union>'
        "</xs:simpleType></xs:restriction></xs:simpleType>"
    )
    fields = "".join(
        field(f"felt{kind}", f"t:{kind}", occurs)
        for kind in KINDS
        for occurs in ('minOccurs="0" maxOccurs="9"',)
    )
    contract = small_contract(
        entity("ting", field("annet") + fields), ELEVEN.format(facets) + further
    )
    plan = compile_contract(contract)
    assert marked(plan, Identity.PERSON) == {f"ting.felt_{kind.lower()}" for kind in KINDS}


def test_a_type_that_is_called_so_is_one_of_numbers() -> None:
    type_ = (
        '<xs:simpleType name="FoedselsEllerDNummer"><xs:restriction base="xs:string"/>'
        "</xs:simpleType>"
    )
    plan = compile_contract(
        small_contract(entity("ting", field("hvem", "t:FoedselsEllerDNummer")), type_)
    )
    assert marked(plan, Identity.PERSON) == {"ting.hvem"}


def test_one_branch_of_a_choice_with_the_type_is_enough() -> None:
    choice = (
        f"<xs:choice>{field('hvem')}{field('hvem', 't:Tall')}</xs:choice>",
        f"<xs:choice>{field('hvem', 't:Tall')}{field('hvem')}</xs:choice>",
    )
    for one in choice:
        plan = compile_contract(
            small_contract(entity("ting", one), ELEVEN.format('<xs:length value="11"/>'))
        )
        assert marked(plan, Identity.PERSON) == {"ting.hvem"}


@pytest.mark.parametrize(
    ("name", "kind", "identity"),
    [
        ("relatertPerson", "xs:string", Identity.PERSON),
        ("vergensFoedselsnummer", "xs:string", Identity.PERSON),
        ("foedselsnummer", "xs:long", Identity.PERSON),
        ("dNummer", "xs:decimal", Identity.PERSON),
        ("identifikasjonsnummer", "xs:string", Identity.OTHER),
        ("passnummer", "xs:string", Identity.OTHER),
        ("hvaSomHelst", "xs:anyType", Identity.EMBEDDED),
        ("foedselsnummer", "xs:anyType", Identity.EMBEDDED),
        ("foedselsdato", "xs:date", None),
        ("identifikasjonsnummertype", "xs:string", None),
        ("kommunenummer", "xs:string", None),
        ("gaardsnummer", "xs:integer", None),
    ],
)
def test_what_an_element_is_called_marks_it_too(
    name: str, kind: str, identity: Identity | None
) -> None:
    plan = compile_contract(small_contract(entity("ting", field(name, kind))))
    assert [one.identity for one in plan.tables[0].columns] == [identity]


@pytest.mark.parametrize(
    "facets",
    [
        '<xs:length value="9"/>',
        '<xs:pattern value="[0-9]+"/>',
        '<xs:pattern value="[0-9]{4}"/>',
        '<xs:pattern value="[0-9]{11}[0-9]*"/>',
        '<xs:minLength value="11"/>',
    ],
)
def test_other_types_are_nobodys(facets: str) -> None:
    plan = compile_contract(
        small_contract(entity("ting", field("hvem", "t:Tall")), ELEVEN.format(facets))
    )
    assert [one.identity for one in plan.tables[0].columns] == [None]
