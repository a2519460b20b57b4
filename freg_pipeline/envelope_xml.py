"""The envelope round the documents of a bulk answer in XML, read without a contract.

Elements are known by their local names, whatever their prefixes. Documents stay XML.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from lxml import etree

from freg_pipeline.outside import showable
from freg_pipeline.readable import readable_xml

DOCUMENT = "folkeregisterperson"
_READING: Any = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": True,
    "remove_comments": True,
    "remove_pis": True,
}
_IDENTIFIERS = ("foedselsEllerDNummer", "dokumentidentifikator")


def entries(body: bytes) -> Iterator[etree._Element]:
    """Yield each ``oppslag``, or each document where there is no wrapping, one at a time.

    An entry holds until the next one is asked for: so a large answer takes the memory of one.

    Raises:
        ValueError: the body is not complete XML; says nothing of its content.
    """
    done = 0
    try:
        for entry in _entries(body):
            done += 1
            yield entry
    except etree.XMLSyntaxError:
        readable = readable_xml(body)
        if readable == body:
            raise _incomplete() from None
        yield from islice(entries(readable), done, None)


def _entries(body: bytes) -> Iterator[etree._Element]:
    events = etree.iterparse(io.BytesIO(body), ("end",), **_READING)
    for _, element in events:
        parent = element.getparent()
        top = parent is None or parent.getparent() is None
        if top and local_name(element) in {DOCUMENT, "oppslag"} and not _is_part(element):
            yield element
            element.clear()
            if parent is not None:
                parent.remove(element)


def parse_root(body: bytes) -> etree._Element:
    """The root of an answer in XML.

    Raises:
        ValueError: the body is not complete XML; says nothing of its content.
    """
    try:
        return etree.fromstring(body, _parser())
    except etree.XMLSyntaxError:
        readable = readable_xml(body)
    try:
        return etree.fromstring(readable, _parser())
    except etree.XMLSyntaxError:
        raise _incomplete() from None


def _incomplete() -> ValueError:
    return ValueError("the answer is not complete XML")


def _is_part(element: etree._Element) -> bool:
    """Whether the entry is what is around it: the only one of the answer."""
    parent = element.getparent()
    return parent is not None and local_name(parent) in {DOCUMENT, "oppslag"}


def parts(entry: etree._Element) -> tuple[str | None, etree._Element | None, str | None]:
    """What an entry tells: identifier, document, and the reason for there being none."""
    if local_name(entry) == DOCUMENT:
        return None, entry, None
    identifier, document, reason = None, None, None
    for child in entry.iterchildren(tag=etree.Element):
        name = local_name(child)
        if name in _IDENTIFIERS:
            identifier = (child.text or "").strip() or None
        elif name == DOCUMENT:
            document = child
        elif name == "feilmelding":
            text = " ".join("".join(child.itertext()).split())
            reason = showable(text) or "uten forklaring"
    return identifier, document, reason


def numbers_of(document: bytes) -> list[str]:
    """The identity numbers that a document tells as its person's own."""
    root = parse_root(document)
    return [
        child.text.strip()
        for row in root.iterchildren(tag=etree.Element)
        if local_name(row) == "identifikasjonsnummer"
        for child in row.iterchildren(tag=etree.Element)
        if local_name(child) == "foedselsEllerDNummer" and child.text
    ]


def fields_of(body: bytes) -> dict[str, str]:
    """The texts of a flat answer's elements, by name, such as an error's.

    Raises:
        ValueError: as :func:`entries`.
    """
    return {
        local_name(child): "".join(child.itertext())
        for child in parse_root(body).iterchildren(tag=etree.Element)
    }


def compose(answers: Iterable[tuple[str | None, bytes | None, str | None]], kind: str) -> bytes:
    """One bulk answer of identifiers, documents and reasons."""
    root = etree.Element("oppslagssvar")
    for identifier, document, reason in answers:
        entry = etree.SubElement(root, "oppslag")
        etree.SubElement(entry, kind).text = identifier
        if document is not None:
            entry.append(parse_root(document))
        if reason is not None:
            problem = etree.SubElement(entry, "feilmelding")
            etree.SubElement(problem, "feilmelding").text = reason
    text: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def local_name(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return etree.QName(element).localname


def _parser() -> etree.XMLParser:
    parser: etree.XMLParser = etree.XMLParser(**_READING)
    return parser
