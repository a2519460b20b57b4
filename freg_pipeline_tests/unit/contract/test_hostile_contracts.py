"""A contract comes over the network: names and size are bounded, and our names stay ours."""

from __future__ import annotations

import pytest

from freg_pipeline.contract import Plan, compare, compile_contract, incompatible
from freg_pipeline.contract.names import LONGEST_NAME, RESERVED_TABLES, snake_case
from freg_pipeline.errors import ContractError
from freg_pipeline.lake.people_described import OVERVIEW
from freg_pipeline.lake.tables import OWN_TABLES
from freg_pipeline.normalize.account import DOCUMENT_TABLE
from freg_pipeline.normalize.batch import UNKNOWN_TABLE
from freg_pipeline_tests.contracts import entity, field, small_contract

NO_NAMES = [
    "", "a b", "a/b", "../a", "/a", "a&quot;b", "a'b", "a;b", "1a", "-a", ".a", "..", "a\\b", "a:b",
    "a" * 101, "a&#10;b", "a%00", "å" * 101,
]  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize("where", ["entity", "field", "document"])
def test_what_is_no_name_is_refused(name: str, where: str) -> None:
    xsd = {
        "entity": small_contract(entity(name, field("a"))),
        "field": small_contract(entity("ting", field(name))),
        "document": small_contract(entity("ting", field("a"))).replace(
            b'name="dokument"', f'name="{name}"'.encode()
        ),
    }[where]
    with pytest.raises(
        ContractError, match=r"no element can be called|0 document elements"
    ) as told:
        compile_contract(xsd)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 400


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("a.b-c·d", "a_b_c_d"), ("_skjult", "skjult"), ("__", "felt"), ("A", "a"),
        ("ÆØÅ", "æøå"), ("A\u030a", "å"), ("İ", "i_"), ("navn2Navn", "navn2_navn"),
    ],
)  # fmt: skip
def test_names_are_letters_digits_and_underscores(name: str, snake: str) -> None:
    assert snake_case(name) == snake
    plan = compile_contract(small_contract(entity(name, field(name))))
    assert (plan.tables[0].name, plan.tables[0].columns[0].name) == (snake, snake)


def test_our_own_tables_are_reserved() -> None:
    ours = {own.name for own in OWN_TABLES} | {DOCUMENT_TABLE, UNKNOWN_TABLE, OVERVIEW}
    assert ours <= RESERVED_TABLES


def test_names_that_are_taken_get_a_number() -> None:
    entities = ["hendelse", "Hendelse", "hendelse_2", "ukjentFelt", "person", "personOversikt",
                "personNaa"]  # fmt: skip
    fields = ["radNr", "RadNr", "dok_nr", "elementNr", "elementNr_9", "vedSekvensnummer", "a", "A"]
    xsd = small_contract(
        "".join(entity(one, "".join(field(name) for name in fields)) for one in entities)
    )
    plan = compile_contract(xsd)
    assert [table.name for table in plan.tables] == [
        "hendelse_2", "hendelse_3", "hendelse_2_2", "ukjent_felt_2", "person_2",
        "person_oversikt_2", "person_naa_2",
    ]  # fmt: skip
    assert [column.name for column in plan.tables[0].columns] == [
        "rad_nr_2", "rad_nr_3", "dok_nr_2", "element_nr_2", "element_nr_9_2",
        "ved_sekvensnummer_2", "a", "a_2",
    ]  # fmt: skip


def test_a_name_that_another_takes_is_told_as_a_change_that_breaks_queries() -> None:
    def plan(*entities: str) -> Plan:
        return compile_contract(small_contract("".join(entity(e, field("a")) for e in entities)))

    assert incompatible(compare(plan("navn"), plan("Navn", "navn"))) == []  # spelled as usual
    changes = incompatible(compare(plan("Navn"), plan("Navn", "navn")))
    assert [str(change) for change in changes] == ["navn: renamed (navn_2 now)"]


def test_long_names_are_cut_and_stay_apart() -> None:
    words = ["a" * 90, "b" * 90]
    deep = (
        f'<xs:element name="{words[0]}"><xs:complexType><xs:sequence>%s</xs:sequence>'
        "</xs:complexType></xs:element>"
    )
    inner = field(words[1] + "c") + field(words[1] + "d") + entity(words[1], field("a"))
    plan = compile_contract(small_contract(entity("ø" * 100, deep % inner)))
    names = [table.name for table in plan.tables]
    names += [column.name for table in plan.tables for column in table.columns]
    assert len(set(names)) == len(names) == 5
    assert all(len(name.encode()) <= LONGEST_NAME for name in names)


def _types(count: int, fields: int) -> str:
    """Types that each hold ``fields`` of the next one."""
    return (
        "".join(
            f'<xs:complexType name="T{number}"><xs:sequence>'
            + "".join(field(f"f{one}", f"t:T{number + 1}") for one in range(fields))
            + "</xs:sequence></xs:complexType>"
            for number in range(count)
        )
        + f'<xs:complexType name="T{count}"><xs:sequence>{field("a")}</xs:sequence>'
        "</xs:complexType>"
    )


def _groups(count: int, references: int) -> str:
    return (
        "".join(
            f'<xs:group name="G{number}"><xs:sequence>'
            + f'<xs:group ref="t:G{number + 1}"/>' * references
            + "</xs:sequence></xs:group>"
            for number in range(count)
        )
        + f'<xs:group name="G{count}"><xs:sequence>{field("a")}</xs:sequence></xs:group>'
    )


FIRST = '<xs:element name="ting" type="t:T0"/>'
GROUP = entity("ting", '<xs:group ref="t:G0"/>')
EXPLODING = {
    "thirty types that double": (small_contract(FIRST, _types(30, 2)), "more than 5000 fields"),
    "a chain of types": (small_contract(FIRST, _types(3000, 1)), "deep"),
    "a chain told from its end": (
        small_contract(
            "".join(f'<xs:element name="e{n}" type="t:T{n}"/>' for n in range(3000, -1, -40)),
            _types(3000, 1),
        ),
        "deep",
    ),
    "groups that double": (small_contract(GROUP, _groups(30, 2)), "too large"),
    "a chain of groups": (small_contract(GROUP, _groups(3000, 1)), "deep"),
    "a group within itself": (
        small_contract(GROUP, _groups(0, 0).replace(field("a"), '<xs:group ref="t:G0"/>')),
        "contains itself",
    ),
    "a value derived from itself": (
        small_contract(
            entity("ting", field("a", "t:K")),
            '<xs:simpleType name="K"><xs:restriction base="t:K"/></xs:simpleType>',
        ),
        "deep",
    ),
    "a chain of values": (
        small_contract(
            entity("ting", field("a", "t:K0")),
            "".join(
                f'<xs:simpleType name="K{n}"><xs:restriction base="t:K{n + 1}"/></xs:simpleType>'
                for n in range(3000)
            ),
        ),
        "deep",
    ),
    "a chain of extensions": (
        small_contract(
            FIRST,
            "".join(
                f'<xs:complexType name="T{n}"><xs:complexContent><xs:extension base="t:T{n + 1}"/>'
                "</xs:complexContent></xs:complexType>"
                for n in range(3000)
            ),
        ),
        "deep",
    ),
    "sequences within sequences": (
        small_contract(
            FIRST,
            "".join(
                f'<xs:complexType name="T{n}">' + "<xs:sequence>" * 200
                + field("a", f"t:T{n + 1}") + "</xs:sequence>" * 200 + "</xs:complexType>"
                for n in range(40)
            ),
        ),
        "deep",
    ),
    "ten thousand entities": (
        small_contract("".join(field(f"e{n}") for n in range(10_000))), "more than 5000 fields",
    ),
    "nothing at all": (small_contract(""), "no elements"),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPLODING)
def test_what_grows_without_bound_ends_in_one_line(case: str) -> None:
    xsd, said = EXPLODING[case]
    with pytest.raises(ContractError, match=said) as told:
        compile_contract(xsd)
    assert "\n" not in str(told.value)
