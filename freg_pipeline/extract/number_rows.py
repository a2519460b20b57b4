"""The rows of ``identifikasjonsnummer`` in one document, JSON or XML: read, and put in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from lxml import etree

from freg_pipeline.envelope import is_xml
from freg_pipeline.envelope_xml import local_name, parse_root
from freg_pipeline.extract.parts import NUMBERS

_NUMBER, _CURRENT = "foedselsEllerDNummer", "erGjeldende"
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, repr=False)
class NumberRow:
    """One row.

    Attributes:
        number: the identity number that it tells.
        is_history: whether it says of itself that it is no longer current.
        text: the row as it stands in its document.
    """

    number: str | None
    is_history: bool
    text: bytes

    def __repr__(self) -> str:
        return f"NumberRow(is_history={self.is_history})"


def number_rows(document: bytes) -> list[NumberRow]:
    """The rows of a document, in its order.

    Raises:
        ValueError, msgspec.DecodeError: the document can't be read.
    """
    if is_xml(document):
        return [_xml_row(element) for element in _elements(parse_root(document))]
    rows = _fields.decode(document).get(NUMBERS)
    if rows is None:
        return []
    text = bytes(rows)
    items = _items.decode(text) if text[:1] == b"[" else [text] if text[:1] == b"{" else []
    return [_json_row(bytes(item)) for item in items]


def with_rows(document: bytes, rows: Sequence[NumberRow]) -> bytes:
    """A document with these rows, of documents of the same form, in place of its own.

    Raises:
        ValueError, msgspec.DecodeError: the document can't be read.
    """
    if is_xml(document):
        return _with_elements(parse_root(document), rows)
    fields = _fields.decode(document)
    fields[NUMBERS] = msgspec.Raw(b"[" + b",".join(row.text for row in rows) + b"]")
    return msgspec.json.encode(fields)


def _json_row(text: bytes) -> NumberRow:
    told = _fields.decode(text) if text[:1] == b"{" else {}
    number, current = (_plain(told.get(name)) for name in (_NUMBER, _CURRENT))
    return _row(number, current, text)


def _plain(raw: msgspec.Raw | None) -> str | None:
    """A simple value's text, whether it came in quotation marks or not."""
    return None if raw is None else bytes(raw).strip(b'"').decode()


def _xml_row(element: etree._Element) -> NumberRow:
    told = {local_name(child): child.text for child in element.iterchildren(etree.Element)}
    return _row(told.get(_NUMBER), told.get(_CURRENT), etree.tostring(element, with_tail=False))


def _row(number: str | None, current: str | None, text: bytes) -> NumberRow:
    is_history = (current or "").strip() in {"false", "0"}
    return NumberRow(number and number.strip(), is_history, text)


def _elements(root: etree._Element) -> Iterable[etree._Element]:
    return [one for one in root.iterchildren(etree.Element) if local_name(one) == NUMBERS]


def _with_elements(root: etree._Element, rows: Iterable[NumberRow]) -> bytes:
    mine = list(_elements(root))
    place = root.index(mine[0]) if mine else 0
    for element in mine:
        root.remove(element)
    for row in reversed(list(rows)):
        root.insert(place, parse_root(row.text))
    text: bytes = etree.tostring(root)
    return text
