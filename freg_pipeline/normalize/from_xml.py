"""XML answers -> the same JSON that the register would have sent, by the contract.

XML tells neither types nor lists: the contract does. What it doesn't know is carried over by its
name, and meets the same fate as an unknown field in JSON. Attributes of the XML schema instance
(``xsi:type``, ``xsi:nil``) are about the XML, not the person; others are carried over as
``name@attribute``.
"""

from __future__ import annotations

from typing import Any

import msgspec
from lxml import etree

from freg_pipeline.contract import Field, Structure, ValueKind
from freg_pipeline.envelope_xml import entries, local_name, parts
from freg_pipeline.readable import REPLACEMENT, readable_xml, told_apart

_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_TEXTS = {ValueKind.STRING, ValueKind.CODE, ValueKind.OPAQUE}


def json_answer(body: bytes, structure: Structure) -> bytes:
    """Return a bulk answer in JSON that says what ``body`` says in XML.

    Args:
        body: an answer in XML.
        structure: the contract's document.

    Raises:
        ValueError: the body is no complete XML; says nothing of its content.
    """
    answers = []
    for entry in entries(body):
        identifier, document, reason = parts(entry)
        answer: dict[str, Any] = {"foedselsEllerDNummer": identifier}
        if document is not None:
            answer["folkeregisterperson"] = _structure(document, structure)
        if reason is not None:
            answer["feilmelding"] = {"feilmelding": reason}
        answers.append(msgspec.json.encode(answer))
    text = b'{"oppslag":[' + b",".join(answers) + b"]}"
    if REPLACEMENT.encode() in text and readable_xml(body) != body:
        return told_apart(text)
    return text


def _structure(element: etree._Element, structure: Structure) -> dict[str, Any]:
    fields = {field.name: field for field in structure.fields}
    found: dict[str, Any] = {}
    for child in element.iterchildren(tag=etree.Element):
        name = local_name(child)
        field = fields.get(name)
        value = _unknown(child) if field is None else _value(child, field)
        _add(found, name, value, repeated=field is not None and field.repeated)
        for attribute, text in child.attrib.items():
            if not str(attribute).startswith(_INSTANCE):
                found[f"{name}@{etree.QName(attribute).localname}"] = text
    return found


def _add(found: dict[str, Any], name: str, value: Any, *, repeated: bool) -> None:
    """A second element of one name makes a list, whatever the contract says: none is lost."""
    if name not in found:
        found[name] = [value] if repeated else value
    elif isinstance(found[name], list):
        found[name].append(value)
    else:
        found[name] = [found[name], value]


def _value(element: etree._Element, field: Field) -> Any:
    if element.get(f"{_INSTANCE}nil", "").strip() in {"true", "1"}:
        return None
    if isinstance(field.type, Structure):
        return _structure(element, field.type)
    if len(element):  # anything; or elements where the contract says a value: the decoder says so
        return _unknown(element)
    text = element.text or ""
    return text if field.type.kind in _TEXTS else _typed(text.strip(), field.type.kind)


def _typed(text: str, kind: ValueKind) -> Any:
    if not text:
        return None
    if kind is ValueKind.BOOLEAN:
        return _TRUTHS.get(text, text)
    try:
        if kind is ValueKind.INTEGER:
            return int(text)
        if kind is ValueKind.FLOAT:
            return float(text)
    except ValueError:
        return text  # as it is: the decoder puts the document aside, and says where
    return text


def _unknown(element: etree._Element) -> Any:
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element.iterchildren(tag=etree.Element):
        _add(found, local_name(child), _unknown(child), repeated=False)
    return found
