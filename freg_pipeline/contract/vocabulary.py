"""What XSD calls its parts, and what is read of any of them."""

from __future__ import annotations

from lxml import etree

from freg_pipeline.contract.model import ValueKind
from freg_pipeline.errors import ContractError
from freg_pipeline.outside import showable

XSD = "{http://www.w3.org/2001/XMLSchema}"
NAMESPACE = "http://www.w3.org/2001/XMLSchema"

KINDS = {
    "boolean": ValueKind.BOOLEAN,
    "decimal": ValueKind.DECIMAL,
    "float": ValueKind.FLOAT,
    "double": ValueKind.FLOAT,
    "date": ValueKind.DATE,
    "dateTime": ValueKind.DATETIME,
    "gYear": ValueKind.YEAR,
    **dict.fromkeys(
        [
            "integer", "long", "int", "short", "byte", "nonNegativeInteger", "positiveInteger",
            "nonPositiveInteger", "negativeInteger", "unsignedLong", "unsignedInt",
            "unsignedShort", "unsignedByte",
        ],
        ValueKind.INTEGER,
    ),
    **dict.fromkeys(
        [
            "string", "normalizedString", "token", "language", "Name", "NCName", "NMTOKEN",
            "NMTOKENS", "ID", "IDREF", "IDREFS", "ENTITY", "ENTITIES", "NOTATION", "anyURI",
            "QName", "base64Binary", "hexBinary", "time", "duration", "dayTimeDuration",
            "yearMonthDuration", "gYearMonth", "gMonthDay", "gDay", "gMonth", "anySimpleType",
            "anyAtomicType",
        ],
        ValueKind.STRING,
    ),
    "dateTimeStamp": ValueKind.DATETIME,
    "anyType": ValueKind.OPAQUE,
}  # fmt: skip

TRANSPARENT = {f"{XSD}sequence", f"{XSD}choice", f"{XSD}all", f"{XSD}group"}
# What a wildcard lets in has no name here: it is met as a field that the contract doesn't know, and
# kept as such.
WITHOUT_FIELDS = {
    f"{XSD}{name}" for name in ("annotation", "attribute", "attributeGroup", "anyAttribute", "any")
}


def documentation(node: etree._Element) -> str:
    """What is written for people, as one line."""
    texts = node.iterfind(f"{XSD}annotation/{XSD}documentation")
    return " ".join(" ".join("".join(text.itertext()).split()) for text in texts).strip()


def local(node: etree._Element) -> str:
    """A part's name."""
    return etree.QName(node).localname


def without_prefix(qname: str) -> str:
    """``t:Navn`` -> ``Navn``."""
    return qname.rpartition(":")[2]


def refused(node: etree._Element, what: str) -> ContractError:
    """The error that a part can't be compiled; ``what`` may hold names of the contract."""
    return ContractError(
        f"the contract can't be compiled at line {node.sourceline}: {showable(what)}",
        "Report it with the XSD; until it is fixed, the current release stays",
    )
