"""Which values are somebody's number: told by a contract's types, or by what elements are called.

A contract that declares a type for identity numbers (the register's published one:
``Foedselsnummer``, eleven digits) marks every column of it, also one that is new. Where it declares
texts only, what the element is called decides. Too much rather than too little: what is marked
never leaves in clear.
"""

from __future__ import annotations

import re
from enum import StrEnum

from lxml import etree

from freg_pipeline.contract.names import snake_case
from freg_pipeline.contract.vocabulary import XSD


class Identity(StrEnum):
    """Whose number a column holds, and how."""

    PERSON = "person"  # a fødselsnummer or D-nummer, of anyone, current or not
    OTHER = "other"  # another authority's number of a person, or one of a document about them
    EMBEDDED = "embedded"  # JSON, or anything: numbers may stand within


_DIGITS = 11
# The register's data model: elements that hold a person's number, whatever their type is called.
REFERENCES = frozenset(
    {
        "relatertPerson", "relatertVedSivilstand", "ansvarlig", "ansvarssubjekt",
        "rettIdentitetVedIdentifikasjonsnummer", "foedselsEllerDNummer",
    }
)  # fmt: skip
_PERSONS = re.compile(
    r"(?:.*_)?(?:f(?:oe|ø|o)dsels?_?n(?:umme)?r|f(?:oe|ø|o)dsels_eller_d_?nummer|d_?nummer|fnr|dnr"
    r"|personn(?:umme)?r|personidentifikator|folkeregisteridentifikator)(?:_\w+)?"
)
_OTHERS = re.compile(
    r"(?:.*_)?(?:identifikasjonsnummer|identifikasjonsdokumentnummer|identitetsnummer"
    r"|passn(?:umme)?r|dufn(?:umme)?r|duf_nummer|dokumentidentifikator)(?:_\w+)?"
)
_TIMES = re.compile(r"(?:\\.|\[[^\]]*\]|[^\\\[\]{}()|*+?])(?:\{(\d{1,3})\}|(?![*+?{]))")


def is_number_type(name: str, node: etree._Element) -> bool:
    """Whether a simple type is one of persons' numbers: it is called so, or has eleven characters.

    Args:
        name: the type's own, or the element's that it is written within.
        node: its definition, or the content that is one.
    """
    if _PERSONS.fullmatch(snake_case(name)):
        return True
    told = {
        facet: [one.get("value", "") for one in node.iterfind(f"{XSD}restriction/{XSD}{facet}")]
        for facet in ("length", "maxLength", "pattern", "totalDigits")
    }
    exactly = str(_DIGITS)
    return any(exactly in told[facet] for facet in ("length", "maxLength", "totalDigits")) or any(
        _width(one) == _DIGITS for pattern in told["pattern"] for one in pattern.split("|")
    )


def _width(pattern: str) -> int | None:
    """How many characters a pattern asks for, if it is so many characters of some kind each."""
    width, place = 0, 0
    while place < len(pattern):
        found = _TIMES.match(pattern, place)
        if found is None:
            return None
        width, place = width + int(found[1] or 1), found.end()
    return width


def identity_by_name(element: str) -> Identity | None:
    """Whose number an element holds, by what it is called; None: nobody's that it tells of."""
    name = snake_case(element)
    if _PERSONS.fullmatch(name):
        return Identity.PERSON
    return Identity.OTHER if _OTHERS.fullmatch(name) else None
