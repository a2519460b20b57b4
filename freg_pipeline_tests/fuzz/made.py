"""Answers by a seed: documents of a contract, and then something wrong with them."""

from __future__ import annotations

import json
import random
from functools import lru_cache
from typing import Any

from freg_pipeline.contract import Field, Plan, Simple, Structure, ValueKind, compile_contract
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.contracts import entity, field, small_contract

# Every kind of value, lists of them, values that are rows, and structures without anything inside.
_KINDS = small_contract(
    entity(
        "alt",
        "".join(
            field(f"{kind}Verdi", f"xs:{kind}")
            for kind in ("string", "boolean", "long", "decimal", "double", "date", "dateTime",
                         "gYear")
        )
        + "".join(
            field(f"{kind}Liste", f"xs:{kind}", 'minOccurs="0" maxOccurs="unbounded"')
            for kind in ("string", "long", "date", "boolean")
        )
        + '<xs:element name="hva" minOccurs="0"/>'
        + '<xs:element name="hvaListe" minOccurs="0" maxOccurs="9"/>'
        + '<xs:element name="tom" minOccurs="0"><xs:complexType/></xs:element>'
        + entity("under", field("a") + entity("dypere", field("b") + entity("dypest", field("c")))),
    )
    + field("linje", "xs:string", 'minOccurs="0" maxOccurs="unbounded"')
    + field("enkel", "xs:long")
    + '<xs:element name="noe" minOccurs="0" maxOccurs="9"/>'
    + '<xs:element name="intet" minOccurs="0" maxOccurs="9"><xs:complexType/></xs:element>'
)  # fmt: skip
PLANS = (compile_contract(xsd()), compile_contract(_KINDS))

_WORDS = ("", "Kari", "Åse", "ø" * 9, "A" * 40, "0301", "\u2028", "😀", '"\\/\n', "\0", "X" * 7)
_PLAIN: dict[ValueKind, tuple[Any, ...]] = {
    ValueKind.STRING: _WORDS,
    ValueKind.CODE: ("iBruk", "ugradert", "kvinne"),
    ValueKind.BOOLEAN: (True, False, "true"),
    ValueKind.INTEGER: (0, -1, 7, 2**63 - 1, -(2**63), "12"),
    ValueKind.DECIMAL: (0, 1.5, "3.1415926535", -7),
    ValueKind.FLOAT: (0.5, 1e300, "NaN", -2),
    ValueKind.DATE: ("1999-12-31", "2000-02-29", "1999-12-31+01:00"),
    ValueKind.DATETIME: ("1999-12-31T23:59:59.123456+01:00", "2000-01-01T00:00:00Z"),
    ValueKind.YEAR: ("1985", "-0044", 1985),
    ValueKind.OPAQUE: ("", "Åse", 7, True, {}, [], {"a": ["\u2028", {"b": None}]}, [[1], "😀"]),
}
# What is put in, or in place of something.
_ODD = (
    b"-", b"-0", b"0", b"1e", b"1.", b"-.", b"9" * 30, b"1e999", b"nul", b"null", b"true", b"tru",
    b'"', b'"\\', b'"\\u', b'"\\u12', b'"\\ud83d"', b'"\\ud83d\\u"', b'"\\ud83d\\ude0', b"\\",
    b"\xc3", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\x80", b"\xff", b"\0", b"\xef\xbb\xbf", b"{", b"}",
    b"[", b"]", b"[[", b"]]", b"{}", b"[]", b"[null]", b":", b",", b",,", b'{"":', b'"":1,',
    b'{"oppslag":[', b'"folkeregisterperson":{', b'"2020-', b'"2020-01-01T00:00:00', b" " * 9,
)  # fmt: skip


def answer(seed: int) -> tuple[Plan, list[str], bytes]:
    """A contract, what was asked for, and the answer: whole, or with something wrong.

    Ten seeds that follow each other make of the same answer ten others.
    """
    plan, asked, body = _whole(seed // 10)
    chance = random.Random(seed)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 5))):
        body = _wrong(body, plan, asked, chance)
    return plan, asked, body


@lru_cache(maxsize=1)
def _whole(seed: int) -> tuple[Plan, list[str], bytes]:
    chance = random.Random(seed)
    plan = chance.choice(PLANS)
    asked = [f"doc-{index}" for index in range(chance.randint(1, 3))]
    return plan, asked, whole(plan, asked, chance)


def whole(plan: Plan, asked: list[str], chance: random.Random) -> bytes:
    """An answer as the register would write it."""
    entries = [_entry(plan, name, chance) for name in asked]
    text = json.dumps(
        {"oppslag": entries},
        ensure_ascii=chance.random() < 0.3,
        separators=chance.choice([(",", ":"), (", ", ": ")]),
    )
    return text.encode()


def _entry(plan: Plan, name: str, chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.1:
        return {"dokumentidentifikator": name, "feilmelding": {"feilmelding": "Ukjent"}}
    fields = plan.contract.structure.fields
    chosen = chance.sample(fields, min(len(fields), chance.randint(0, 4)))
    return {
        "dokumentidentifikator": name,
        "folkeregisterperson": {field.name: _value(field, chance) for field in chosen},
    }


def _value(field: Field, chance: random.Random) -> Any:
    if field.repeated and chance.random() < 0.9:
        return [_single(field, chance) for _ in range(chance.choice((0, 1, 1, 2, 12)))]
    return _single(field, chance)


def _single(field: Field, chance: random.Random) -> Any:
    if chance.random() < 0.03:
        return None
    if isinstance(field.type, Simple):
        return chance.choice(_PLAIN[field.type.kind])
    return _structure(field.type, chance)


def _structure(structure: Structure, chance: random.Random) -> dict[str, Any]:
    fields = [field for field in structure.fields if chance.random() < 0.5]
    if chance.random() < 0.1:
        chance.shuffle(fields)
    found = {field.name: _value(field, chance) for field in fields}
    if chance.random() < 0.05:
        found["ukjent"] = chance.choice([7, "x", {"dypt": [[], {"a": 1}]}])
    return found


def _wrong(body: bytes, plan: Plan, asked: list[str], chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    to = min(len(body), at + chance.choice((1, 2, 7, 8, 40, 400)))
    match chance.randrange(9):
        case 0:
            return body[:at]
        case 1:
            flipped = bytearray(body or b" ")
            flipped[at % len(flipped)] ^= 1 << chance.randrange(8)
            return bytes(flipped)
        case 2:
            return body[:at] + body[to:]
        case 3:
            return body[:to] + body[at:to] * chance.randint(1, 3) + body[to:]
        case 4:
            other = whole(plan, asked, chance)
            return body[:at] + other[chance.randrange(len(other)) :]
        case 5:
            return body[:at] + _nested(chance) + body[at:]
        case 6:
            return body[:at] + chance.choice(_ODD) + body[to:]
        case _:
            return body[:at] + chance.choice(_ODD) + body[at:]


def _nested(chance: random.Random) -> bytes:
    """Brackets within each other, closed or not."""
    depth = chance.choice((3, 30, 3000))
    opened, closed = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"navn":[', b"]}")))
    return opened * depth + b"1" + closed * chance.choice((0, depth - 1, depth))
