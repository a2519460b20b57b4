"""Documents and bulk answers in XML, by the contract that the register serves.

Written as text: building a tree first takes three times as long, and a thousand documents are 8 MB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

import msgspec

from freg_pipeline.contract import Contract, Field, Structure

Entry = tuple[str, bytes | None, str | None]  # what was asked for, the document, or the reason

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKUP = re.compile("[&<>]")


class XmlWriter:
    """Writes XML by one contract: elements in its order and namespace, unknown ones after them."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._fields: dict[int, dict[str, Field]] = {}  # by id of the contract's structures

    def document(self, document: bytes) -> bytes:
        """One document; given in JSON."""
        return f"{_HEAD}{self._person(document)}".encode()

    def bulk(self, field: str, entries: Sequence[Entry]) -> bytes:
        """A bulk answer."""
        return _within("oppslagssvar", (self._entry(field, *entry) for entry in entries))

    def bare(self, documents: Sequence[bytes]) -> bytes:
        """Documents without any wrapping but the one that XML needs."""
        return _within("liste", (self._person(document) for document in documents))

    def _entry(self, field: str, asked: str, document: bytes | None, reason: str | None) -> str:
        if document is not None:
            told = self._person(document)
        else:
            told = f"<feilmelding>{_element('feilmelding', reason)}</feilmelding>"
        return f"<oppslag>{_element(field, asked)}{told}</oppslag>"

    def _person(self, document: bytes) -> str:
        parts = [self._opening]
        self._fill(parts, msgspec.json.decode(document), self._contract.structure)
        parts.append(f"</p:{self._contract.root}>")
        return "".join(parts)

    @cached_property
    def _opening(self) -> str:
        return f'<p:{self._contract.root} xmlns:p="{self._contract.namespace}">'

    def _fill(self, parts: list[str], values: Any, structure: Structure) -> None:
        """Append what is within an element."""
        if not isinstance(values, dict):
            parts.append(_text_of(values))
            return
        known = self._known(structure)
        for name, field in known.items():
            if name in values:
                self._elements(parts, name, values[name], field)
        if not values.keys() <= known.keys():
            for name, value in values.items():
                if name not in known:
                    self._elements(parts, name, value, None)

    def _elements(self, parts: list[str], name: str, value: Any, field: Field | None) -> None:
        for one in value if isinstance(value, list) else (value,):
            if field is not None and isinstance(field.type, Structure):
                parts.append(f"<p:{name}>")
                self._fill(parts, one, field.type)
                parts.append(f"</p:{name}>")
            elif isinstance(one, dict):
                parts.append(f"<p:{name}>")
                self._fill(parts, one, Structure(name, ()))
                parts.append(f"</p:{name}>")
            else:
                parts.append(f"<p:{name}>{_text_of(one)}</p:{name}>")

    def _known(self, structure: Structure) -> dict[str, Field]:
        known = self._fields.get(id(structure))
        if known is None:
            known = {field.name: field for field in structure.fields}
            if structure.fields:  # else it is none of the contract's, and its id is soon another's
                self._fields[id(structure)] = known
        return known


def flat(name: str, values: Mapping[str, Any]) -> bytes:
    """An element of elements with one text each, a list of texts, or elements again."""
    return _within(
        name,
        (
            _element(field, one)
            for field, value in values.items()
            for one in (value if isinstance(value, list) else [value])
        ),
    )


def _element(name: str, value: Any) -> str:
    inner = (
        "".join(_element(field, one) for field, one in value.items())
        if isinstance(value, dict)
        else _text_of(value)
    )
    return f"<{name}>{inner}</{name}>"


def _within(name: str, inner: Iterable[str]) -> bytes:
    return f"{_HEAD}<{name}>{''.join(inner)}</{name}>".encode()


def _text_of(value: Any) -> str:
    """A value's text; characters that XML can't hold are left out."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if _MARKUP.search(text) or not text.isprintable():
        return escape(_NO_XML.sub("", text))
    return text
