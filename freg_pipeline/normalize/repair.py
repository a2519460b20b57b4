"""The slow path: an odd document is brought into the contract's plain form, value by value.

One object where the contract says a list and the reverse, values in unusual forms
(``values.py``), a field that comes twice, text that is no Unicode. Nothing is dropped: a value that
has no place sends the document to quarantine. What comes out is read by the same machine code as
all others.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from freg_pipeline.contract import Field, Simple, Structure, ValueKind
from freg_pipeline.normalize.unknown import UnknownFields
from freg_pipeline.normalize.values import plain
from freg_pipeline.readable import decoded, unicode

_TEXTS = {ValueKind.STRING, ValueKind.CODE}
NOT_UNICODE = "(ikke Unicode)"  # after the path of a text that held something else


class NotDecodableError(Exception):
    """A document holds something that the contract has no place for.

    Attributes:
        path: where, in element names; no value.
        reason: why, without personal data.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


def repaired(person: bytes, structure: Structure, unknown: UnknownFields) -> bytes:
    """Return the document with every entity as a list, and every value in the contract's form.

    Args:
        person: the document, JSON.
        structure: the document element's structure.
        unknown: takes the fields that the contract doesn't know; they are not in the result.

    Raises:
        NotDecodableError: something can't be brought into the contract's form.
    """
    document = _read(person)
    if not isinstance(document, dict):
        raise NotDecodableError("", "dokumentet er ikke et objekt")
    known = {field.name: field for field in structure.fields}
    result: dict[str, Any] = {}
    for name, value in document.items():
        if name not in known:
            unknown.add_value(name, value)
        elif value is not None:
            rows = value if isinstance(value, list) else [value]
            # Null is no row, but counts: a row's number is its place in the document.
            result[name] = [
                None if row is None else _value(row, known[name], name, unknown) for row in rows
            ]
    return msgspec.json.encode(result)


def _read(person: bytes) -> Any:
    try:
        return json.loads(decoded(person), object_pairs_hook=_object, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise NotDecodableError("", "dokumentet er ikke gyldig JSON") from None


def _no_json(_: str) -> NoReturn:
    raise ValueError  # NaN and the like


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A second field of one name makes a list, whatever the contract says: none is lost."""
    found: dict[str, Any] = {}
    for name, value in members:
        if name in found:
            before = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = before + (value if isinstance(value, list) else [value])
        else:
            found[name] = value
    return found


def _structure(
    value: Any, structure: Structure, path: str, unknown: UnknownFields
) -> dict[str, Any] | None:
    if value in ("", []):  # an empty element, of which an XML source makes an empty string
        return {}
    if not isinstance(value, dict):
        raise NotDecodableError(path, "en enkeltverdi der kontrakten har en struktur")
    known = {field.name: field for field in structure.fields}
    result = {}
    for name, inner in value.items():
        if name in known:
            result[name] = _field(inner, known[name], f"{path}.{name}", unknown)
        else:
            unknown.add_value(f"{path}.{name}", inner)
    return result


def _field(value: Any, field: Field, path: str, unknown: UnknownFields) -> Any:
    if value is None:
        return None
    if _is_opaque(field):  # one text, however many there are
        return _value(value, field, path, unknown)
    if field.repeated:
        items = value if isinstance(value, list) else [value]
        return [None if item is None else _item(item, field, path, unknown) for item in items]
    if isinstance(value, list):
        value = [item for item in value if item is not None]
        if len(value) > 1:
            raise NotDecodableError(path, "flere verdier der kontrakten har én")
        return _value(value[0], field, path, unknown) if value else None
    return _value(value, field, path, unknown)


def _item(item: Any, field: Field, path: str, unknown: UnknownFields) -> Any:
    """An empty text keeps its place in a list, as in a plain document; null has none."""
    value = _value(item, field, path, unknown)
    is_text = isinstance(field.type, Simple) and field.type.kind in _TEXTS
    return "" if value is None and is_text else value


def _value(value: Any, field: Field, path: str, unknown: UnknownFields) -> Any:
    if isinstance(field.type, Structure):
        return _structure(value, field.type, path, unknown)
    if _is_opaque(field) and not isinstance(value, str):
        value = _as_json(value, path)
    if isinstance(value, dict | list):
        raise NotDecodableError(path, "en struktur der kontrakten har en enkeltverdi")
    try:
        value = plain(value, field.type.kind)
    except ValueError as error:
        raise NotDecodableError(path, str(error)) from None
    return _readable(value, path, unknown) if isinstance(value, str) else value


def _is_opaque(field: Field) -> bool:
    return isinstance(field.type, Simple) and field.type.kind is ValueKind.OPAQUE


def _as_json(value: Any, path: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise NotDecodableError(path, "verdien er ikke et tall") from None


def _readable(text: str, path: str, unknown: UnknownFields) -> str:
    readable = unicode(text)
    if readable != text:
        unknown.add(f"{path} {NOT_UNICODE}", 1, readable)
    return readable
