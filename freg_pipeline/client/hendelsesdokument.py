"""Events' documents, read from any form of answer: what changed in a person's document.

Source: the register's documentation, hendelser, and its ``Hendelsedokument`` contract. An entity's
rows are kept as the JSON text that came; those that came as XML are told as JSON, by element names,
with every value a string, since no contract is at hand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from lxml import etree

from freg_pipeline.envelope import is_xml
from freg_pipeline.envelope_xml import local_name, parse_root
from freg_pipeline.outside import showable
from freg_pipeline.readable import read_json

_NOTHING = msgspec.Raw(b"")
_HEADS = ("entitet", "entitetsendring")


class Egenskapshendelse(msgspec.Struct, frozen=True):
    """What an event changed in one entity.

    Attributes:
        entitet: the entity's name; an open list of codes.
        entitetsendring: registrereNy, korrigere, annullere, …; an open list of codes.
        innhold: the entity as JSON text; None where the package may not see it.
    """

    entitet: str | None
    entitetsendring: str | None
    innhold: str | None

    @property
    def is_history(self) -> bool:
        """Whether the entity says of itself that it is no longer current."""
        if not (self.innhold or "").startswith("{"):
            return False
        current = _fields.decode(self.innhold or "").get("erGjeldende")
        return current is not None and bytes(current) in {b"false", b'"false"'}

    def __repr__(self) -> str:
        return f"Egenskapshendelse({self.entitet}, {self.entitetsendring})"


class Hendelsesdokument(msgspec.Struct, frozen=True):
    """One event's document.

    Attributes:
        dokumentidentifikator: the document's own identifier, where the answer tells it.
        hendelsestype: what happened; an open list of codes.
        folkeregisteridentifikator: whom it concerns.
        ajourholdstidspunkt: when it was recorded, as the register writes it.
        egenskaper: what it changed.
        feilmelding: the register's reason for there being no document, identity numbers masked.
    """

    dokumentidentifikator: str | None
    hendelsestype: str | None = None
    folkeregisteridentifikator: str | None = None
    ajourholdstidspunkt: str | None = None
    egenskaper: tuple[Egenskapshendelse, ...] = ()
    feilmelding: str | None = None

    def __repr__(self) -> str:
        return f"Hendelsesdokument({self.hendelsestype}, {len(self.egenskaper)} egenskaper)"


class _Hendelse(msgspec.Struct):
    hendelsestype: Any = None
    hendelsetype: Any = None
    folkeregisteridentifikator: Any = None
    ajourholdstidspunkt: Any = None
    egenskapshendelse: msgspec.Raw = _NOTHING


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_hendelse = msgspec.json.Decoder(_Hendelse)
_anything = msgspec.json.Decoder()


def hendelsesdokumenter(body: bytes) -> list[Hendelsesdokument]:
    """Return the documents of an answer, in its order; JSON or XML.

    An array, one document, and an object or element that holds them under any name are understood,
    since the published description types the bulk answer loosely.

    Raises:
        ValueError: the body is complete in none of these forms; says nothing of its content.
    """
    if is_xml(body):
        body = msgspec.json.encode(list(_told(parse_root(body))))
    try:
        return read_json(_documents, body.strip())
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not chained: the decoder's message can quote what it met.
        msg = "the answer holds no complete event documents"
        raise ValueError(msg) from None


def _documents(text: bytes) -> list[Hendelsesdokument]:
    return [_document(fields) for fields in _entries(text)]


def compose(
    documents: Iterable[Hendelsesdokument], keeps: Callable[[Egenskapshendelse], bool]
) -> bytes:
    """One answer, as JSON, made of documents and reasons for there being none.

    Args:
        documents: in the answer's order.
        keeps: whether a change that a document tells stays in it.
    """
    return msgspec.json.encode([_told_again(one, keeps) for one in documents])


def _told_again(
    document: Hendelsesdokument, keeps: Callable[[Egenskapshendelse], bool]
) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if document.dokumentidentifikator is not None:
        told["dokumentidentifikator"] = document.dokumentidentifikator
    if document.feilmelding is not None:
        return {**told, "feilmelding": {"feilmelding": document.feilmelding}}
    changes = []
    for change in document.egenskaper:
        if keeps(change):
            row: dict[str, Any] = {name: getattr(change, name) for name in _HEADS}
            if change.innhold is not None:
                row[change.entitet or "innhold"] = msgspec.Raw(change.innhold.encode())
            changes.append(row)
    names = ("hendelsestype", "folkeregisteridentifikator", "ajourholdstidspunkt")
    head = {name: getattr(document, name) for name in names}
    return {**told, "hendelse": {**head, "egenskapshendelse": changes}}


def _entries(text: bytes) -> Iterator[dict[str, msgspec.Raw]]:
    """Each entry of an answer, with the wrapping round its document taken off."""
    if text.startswith(b"["):
        for item in _items.decode(text):
            if not _is_null(item):
                yield from _entries(bytes(item))
        return
    fields = _fields.decode(text)
    if "hendelse" in fields or "feilmelding" in fields:
        yield fields
        return
    inner = [value for value in map(bytes, fields.values()) if value[:1] in {b"[", b"{"}]
    for value in inner:
        yield from _entries(value)
    if fields and not inner:
        yield fields  # an identifier alone: asked for, and nothing there


def _document(fields: dict[str, msgspec.Raw]) -> Hendelsesdokument:
    identifier = _text(_value(fields.get("dokumentidentifikator")))
    if "hendelse" not in fields or _is_null(fields["hendelse"]):
        return Hendelsesdokument(identifier, feilmelding=_reason(fields.get("feilmelding")))
    hendelse = _hendelse.decode(fields["hendelse"])
    return Hendelsesdokument(
        identifier,
        _text(hendelse.hendelsestype) or _text(hendelse.hendelsetype),
        _text(hendelse.folkeregisteridentifikator),
        _text(hendelse.ajourholdstidspunkt),
        tuple(_egenskap(fields) for fields in _one_or_many(bytes(hendelse.egenskapshendelse))),
    )


def _one_or_many(raw: bytes) -> list[dict[str, msgspec.Raw]]:
    items = _items.decode(raw) if raw.startswith(b"[") else [msgspec.Raw(raw)]
    return [_fields.decode(item) for item in items if item and not _is_null(item)]


def _egenskap(fields: dict[str, msgspec.Raw]) -> Egenskapshendelse:
    entitet, endring = (_text(_value(fields.pop(name, None))) for name in _HEADS)
    # The entity stands under its own name; kontaktadresse stands under postadresse.
    content = fields.get(entitet or "")
    if content is None and fields:
        only = len(fields) == 1
        content = next(iter(fields.values())) if only else msgspec.Raw(msgspec.json.encode(fields))
    return Egenskapshendelse(entitet, endring, None if content is None else bytes(content).decode())


def _reason(raw: msgspec.Raw | None) -> str:
    told = _value(raw)
    if isinstance(told, dict):
        told = told.get("feilmelding") or told.get("melding") or told.get("message")
    return showable(_text(told) or "uten forklaring")


def _is_null(raw: msgspec.Raw) -> bool:
    return bytes(raw) == b"null"


def _value(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else _anything.decode(raw)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).strip() or None


def _told(root: etree._Element) -> Iterator[Any]:
    """The documents and refusals of an answer in XML, as JSON would tell them."""
    names = {local_name(child) for child in root.iterchildren(etree.Element)}
    if names & {"hendelse", "feilmelding"}:
        yield _plain(root)
        return
    for child in root.iterchildren(etree.Element):
        yield from _told(child)


def _plain(element: etree._Element) -> Any:
    """An element as JSON would tell it: text, or an object; what is repeated becomes a list."""
    fields: dict[str, Any] = {}
    for child in element.iterchildren(etree.Element):
        name, value = local_name(child), _plain(child)
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields or (element.text or "").strip()
