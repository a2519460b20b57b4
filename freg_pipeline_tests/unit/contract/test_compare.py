"""A new contract against the last: what breaks queries, and what only adds to them."""

from __future__ import annotations

import pytest

from freg_pipeline.contract import Plan, compare, compile_contract, incompatible
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.contracts import entity, field, small_contract

CODE = """<xs:simpleType name="Kode"><xs:restriction base="xs:string">{}</xs:restriction>
</xs:simpleType>"""


def contract(fields: str, *others: str, codes: str = "a b", repeated: bool = True) -> Plan:
    values = "".join(f'<xs:enumeration value="{code}"/>' for code in codes.split())
    entities = entity("ting", fields, repeated=repeated) + "".join(others)
    return compile_contract(small_contract(entities, CODE.format(values)))


OLD = field("tekst") + field("tall", "xs:int") + field("kode", "t:Kode")
STRUCTURE = (
    '<xs:element name="tekst" minOccurs="0"><xs:complexType><xs:sequence>'
    f"{field('a')}</xs:sequence></xs:complexType></xs:element>"
)
CASES: dict[str, tuple[Plan, list[str], bool]] = {
    "nothing": (contract(OLD), [], True),
    "another order": (contract(field("tall", "xs:int") + field("tekst") + field("kode", "t:Kode")),
                      [], True),
    "another name of a type of the same kind": (
        contract(field("tekst") + field("tall", "xs:long") + field("kode", "t:Kode")), [], True),
    "a field added": (contract(OLD + field("ny")), ["ting.ny: added"], True),
    "an entity added": (contract(OLD, entity("nyting", field("a"))), ["nyting: added"], True),
    "codes added": (contract(OLD, codes="a b unik"), ["ting.kode: codes added (unik)"], True),
    "codes removed": (contract(OLD, codes="a"), ["ting.kode: codes removed (b)"], True),
    "a list of structures added": (
        contract(OLD + entity("deler", field("a"))), ["ting__deler: added"], True),
    "an entity single now": (
        contract(OLD, repeated=False), ["ting: cardinality (repeated to single)"], True),
    "a field removed": (
        contract(field("tekst") + field("kode", "t:Kode")), ["ting.tall: removed"], False),
    "a field retyped": (
        contract(field("tekst") + field("tall", "xs:date") + field("kode", "t:Kode")),
        ["ting.tall: retyped (integer to date)"], False),
    "a field that is a list now": (
        contract(field("tekst", occurs='maxOccurs="9"') + field("tall", "xs:int")
                 + field("kode", "t:Kode")),
        ["ting.tekst: cardinality (a list now)"], False),
    "a field that is a structure now": (
        contract(STRUCTURE + field("tall", "xs:int") + field("kode", "t:Kode")),
        ["ting.tekst: removed", "ting.tekst_a: added"], False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_a_new_contract_changes(case: str) -> None:
    new, told, compatible = CASES[case]
    changes = compare(contract(OLD), new)
    assert [str(change) for change in changes] == told
    assert (incompatible(changes) == []) is compatible


def test_an_entity_removed_breaks_queries() -> None:
    both = contract(OLD, entity("andre", field("a")))
    (change,) = incompatible(compare(both, contract(OLD)))
    assert str(change) == "andre: removed"


def test_the_code_that_is_announced_for_2027_is_compatible() -> None:
    old = xsd()
    listed = b'<xs:enumeration value="ingenStatus"/>'
    assert listed in old
    new = old.replace(listed, listed + b'<xs:enumeration value="unik"/>')
    changes = compare(compile_contract(old), compile_contract(new))
    assert [str(change) for change in changes] == [
        "identitetsgrunnlag.identitetsgrunnlagstatus: codes added (unik)"
    ]
    assert incompatible(changes) == []
