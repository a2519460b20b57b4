"""An XSD of the register's style becomes tables; what can't become one is a clear error."""

from __future__ import annotations

import pyarrow as pa
import pytest

from freg_pipeline.contract import Plan, compile_contract, snake_case
from freg_pipeline.errors import ContractError
from freg_pipeline_tests.answers import normalize
from freg_pipeline_tests.contracts import (
    HENDELSE_XSD,
    PERSON_XSD,
    entity,
    field,
    published,
    small_contract,
)

STRING = pa.string()


def types(plan: Plan, table: str) -> dict[str, pa.DataType]:
    return {column.name: column.type for column in plan.table(table).columns}


def test_a_contract_is_compiled_once() -> None:
    """Each step of a sync asks for the plan; what it makes of it is its own."""
    xsd = published(PERSON_XSD)
    assert compile_contract(bytes(bytearray(xsd))) is compile_contract(xsd)


def test_the_published_person_contract() -> None:
    plan = compile_contract(published(PERSON_XSD))
    assert plan.contract.namespace == "folkeregisteret:tilgjengeliggjoering:person:v1"
    assert {"navn", "bostedsadresse", "familierelasjon", "foreldreansvar"} <= {
        table.name for table in plan.tables
    }
    columns = types(plan, "navn")
    assert columns["ajourholdstidspunkt"] == pa.timestamp("us", tz="UTC")
    assert columns["er_gjeldende"] == pa.bool_()
    assert columns["fornavn"] == STRING
    assert types(plan, "foedsel")["foedselsaar"] == pa.int16()
    assert types(plan, "doedsfall")["doedsdato"] == pa.date32()
    assert plan.table("navn").keys == ("personidentifikator", "rad_nr")


def test_the_published_event_contract() -> None:
    plan = compile_contract(published(HENDELSE_XSD))
    assert plan.tables
    assert all(table.columns for table in plan.tables)


def test_the_synthetic_contract_documents_every_column(plan: Plan) -> None:
    bare = [
        f"{table.name}.{column.name}"
        for table in plan.tables
        for column in table.columns
        if not column.comment
    ]
    assert bare == []
    assert all(table.comment for table in plan.tables if table.levels == 0)


def test_each_kind_of_value_has_its_type() -> None:
    fields = "".join(
        field(name, f"xs:{kind}")
        for name, kind in {
            "tekst": "string", "dag": "date", "tid": "dateTime", "aar": "gYear", "tall": "integer",
            "antall": "int", "belop": "decimal", "maal": "double", "ja": "boolean",
            "lenke": "anyURI",
        }.items()
    )  # fmt: skip
    assert types(compile_contract(small_contract(entity("ting", fields))), "ting") == {
        "tekst": STRING,
        "dag": pa.date32(),
        "tid": pa.timestamp("us", tz="UTC"),
        "aar": pa.int16(),
        "tall": pa.int64(),
        "antall": pa.int64(),
        "belop": pa.decimal128(38, 10),
        "maal": pa.float64(),
        "ja": pa.bool_(),
        "lenke": STRING,
    }


BASE = f"""<xs:complexType name="Base"><xs:sequence>{field("felles")}</xs:sequence></xs:complexType>
<xs:complexType name="Ting"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>
{field("egen")}</xs:sequence></xs:extension></xs:complexContent></xs:complexType>"""


def test_a_base_types_fields_come_first() -> None:
    plan = compile_contract(small_contract('<xs:element name="ting" type="t:Ting"/>', BASE))
    assert list(types(plan, "ting")) == ["felles", "egen"]


def test_what_stands_in_a_choice_is_never_required() -> None:
    choice = f"<xs:choice>{field('a', occurs='')}{field('b', occurs='')}</xs:choice>"
    plan = compile_contract(small_contract(entity("ting", field("c", occurs="") + choice)))
    fields = plan.contract.structure.fields[0].type.fields  # type: ignore[union-attr]
    assert {one.name: one.required for one in fields} == {"c": True, "a": False, "b": False}


def test_what_repeats_by_the_sequence_round_it_repeats() -> None:
    inner = f'<xs:sequence maxOccurs="unbounded">{field("a", occurs="")}</xs:sequence>'
    plan = compile_contract(small_contract(entity("ting", inner)))
    assert types(plan, "ting") == {"a": pa.list_(STRING)}


def test_an_entity_is_single_or_repeated_as_the_contract_says() -> None:
    plan = compile_contract(
        small_contract(entity("en", field("a"), repeated=False) + entity("flere", field("a")))
    )
    assert [one.repeated for one in plan.contract.structure.fields] == [False, True]


def test_codes_and_their_documentation() -> None:
    code = """<xs:simpleType name="Kode"><xs:annotation><xs:documentation>Hva slags.
      </xs:documentation></xs:annotation><xs:restriction base="xs:string">
      <xs:enumeration value="a"/><xs:enumeration value="b"/></xs:restriction></xs:simpleType>"""
    plan = compile_contract(small_contract(entity("ting", field("kode", "t:Kode")), code))
    (column,) = plan.table("ting").columns
    assert column.codes == ("a", "b")
    assert column.comment == "Hva slags."


def test_a_list_of_structures_is_a_table_named_by_its_element() -> None:
    plan = compile_contract(small_contract(entity("ting", entity("del", field("a")))))
    assert [table.name for table in plan.tables] == ["ting", "ting__del"]
    assert plan.table("ting__del").keys == ("personidentifikator", "rad_nr", "element_nr")


def test_two_lists_of_one_name_are_told_apart_by_their_path() -> None:
    inner = "".join(
        f'<xs:element name="{name}"><xs:complexType><xs:sequence>{entity("del", field("a"))}'
        "</xs:sequence></xs:complexType></xs:element>"
        for name in ("hoeyre", "venstre")
    )
    plan = compile_contract(small_contract(entity("ting", inner)))
    assert [table.name for table in plan.tables][1:] == ["ting__hoeyre_del", "ting__venstre_del"]


def test_a_reference_to_a_global_element() -> None:
    plan = compile_contract(
        small_contract(
            entity("ting", '<xs:element ref="t:felles" minOccurs="0"/>'),
            '<xs:element name="felles" type="xs:date"/>',
        )
    )
    assert types(plan, "ting") == {"felles": pa.date32()}


def test_simple_content_with_attributes_is_its_value() -> None:
    kind = """<xs:complexType name="Navn"><xs:simpleContent><xs:extension base="xs:string">
      <xs:attribute name="spraak" type="xs:string"/></xs:extension></xs:simpleContent>
      </xs:complexType>"""
    plan = compile_contract(small_contract(entity("ting", field("navn", "t:Navn")), kind))
    assert types(plan, "ting") == {"navn": STRING}


def test_what_a_wildcard_lets_in_is_unknown_and_kept_as_such() -> None:
    wildcard = field("navn") + '<xs:any minOccurs="0" processContents="lax"/>'
    plan = compile_contract(small_contract(entity("ting", wildcard)))
    assert types(plan, "ting") == {"navn": STRING}
    document = {"ting": [{"navn": "a", "annet": 1}]}
    normalized = normalize(plan, [document], kind="foedselsEllerDNummer")
    assert normalized.unknown == {"ting.annet": 1}


def test_the_person_is_the_document_whatever_stands_beside_or_round_it() -> None:
    xsd = small_contract(entity("ting", field("navn")))
    xsd = xsd.replace(b'name="dokument"', b'name="folkeregisterperson"')
    beside = b'<xs:element name="svar"><xs:complexType><xs:sequence><xs:element name="oppslag" '
    beside += b'type="xs:string"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
    plan = compile_contract(xsd.replace(b"</xs:schema>", beside))
    assert plan.entities == ("ting",)


def test_columns_that_would_share_a_name_do_not() -> None:
    fields = field("radNr") + field("rad_nr") + field("personidentifikator")
    plan = compile_contract(small_contract(entity("ting", fields)))
    names = [*plan.table("ting").keys, *types(plan, "ting")]
    assert len(set(names)) == len(names) == 5


WRONG = {
    "no XML": (b"Service unavailable", "not XML"),
    "a page for people": (b"<html><body>Request rejected</body></html>", "not an XSD"),
    "an unknown type": (small_contract(entity("ting", field("a", "t:Ukjent"))), "Ukjent"),
    "an unknown simple type": (
        small_contract(entity("ting", field("a", "xs:tull"))),
        "tull",
    ),
    "a notation": (small_contract(entity("ting", "<xs:notation/>")), "notation"),
    "no document": (b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>', "0 document"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_compiled_is_named(case: str) -> None:
    xsd, said = WRONG[case]
    with pytest.raises(ContractError, match=said):
        compile_contract(xsd)


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("navn", "navn"),
        ("foedselsEllerDNummer", "foedsels_eller_d_nummer"),
        ("postadresseIUtlandet", "postadresse_i_utlandet"),
        ("foedselINorge", "foedsel_i_norge"),
        ("antallTidligereOpphold", "antall_tidligere_opphold"),
    ],
)
def test_names_in_snake_case(name: str, snake: str) -> None:
    assert snake_case(name) == snake
