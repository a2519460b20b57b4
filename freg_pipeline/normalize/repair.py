"""The slow path: an odd document is brought into the contract's form, value by value.

Shapes and JSON types only: one object where the contract says a list and the reverse, a number
where it says string, empty elements. What a value means (a date, a time) is read later, for all
rows at once. Nothing is dropped: a value that has no place sends the document to quarantine.
"""

from __future__ import annotations

from typing import Any

from freg_pipeline.contract import Field, Kind, Simple, Structure
from freg_pipeline.normalize.unknown import UnknownFields

_INT64 = 2**63


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


def repaired(document: Any, structure: Structure, unknown: UnknownFields) -> dict[str, Any]:
    """Return the document with every entity as a list, and every value of the contract's type.

    Args:
        document: as decoded from JSON.
        structure: the document element's structure.
        unknown: takes the fields that the contract doesn't know; they are not in the result.

    Raises:
        NotDecodableError: something can't be brought into the contract's form.
    """
    if not isinstance(document, dict):
        raise NotDecodableError("", "dokumentet er ikke et objekt")
    known = {field.name: field for field in structure.fields}
    result: dict[str, Any] = {}
    for name, value in document.items():
        if name not in known:
            unknown.add_value(name, value)
        elif value is not None:
            rows = value if isinstance(value, list) else [value]
            result[name] = [
                _value(row, known[name], name, unknown) for row in rows if row is not None
            ]
    return result


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
    if field.repeated:
        items = value if isinstance(value, list) else [value]
        return [_value(item, field, path, unknown) for item in items if item is not None]
    if isinstance(value, list):
        value = [item for item in value if item is not None]
        if len(value) > 1:
            raise NotDecodableError(path, "flere verdier der kontrakten har én")
        return _value(value[0], field, path, unknown) if value else None
    return _value(value, field, path, unknown)


def _value(value: Any, field: Field, path: str, unknown: UnknownFields) -> Any:
    if isinstance(field.type, Structure):
        return _structure(value, field.type, path, unknown)
    return _simple(value, field.type, path)


def _simple(value: Any, simple: Simple, path: str) -> Any:
    if isinstance(value, dict | list):
        raise NotDecodableError(path, "en struktur der kontrakten har en enkeltverdi")
    match simple.kind:
        case Kind.BOOLEAN:
            return _boolean(value, path)
        case Kind.INTEGER:
            return _integer(value, path)
        case Kind.FLOAT:
            return _float(value, path)
        case _:
            return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _boolean(value: Any, path: str) -> bool | None:
    known = {"true": True, "1": True, "false": False, "0": False, "": None}
    text = _text(value).strip().lower()
    if text not in known:
        raise NotDecodableError(path, "ikke en boolsk verdi")
    return known[text]


def _integer(value: Any, path: str) -> int | None:
    text = _text(value).strip()
    if not text:
        return None
    try:
        number = int(value) if isinstance(value, float) and value.is_integer() else int(text)
    except ValueError:
        raise NotDecodableError(path, "ikke et heltall") from None
    if not -_INT64 <= number < _INT64:
        raise NotDecodableError(path, "et heltall utenfor 64 bit")
    return number


def _float(value: Any, path: str) -> float | None:
    text = _text(value).strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise NotDecodableError(path, "ikke et tall") from None
