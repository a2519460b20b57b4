"""Single values in unusual forms -> the plain form that machine code reads, value by value.

Surrounding blanks, empty elements, a time without offset (Norwegian time, as the register's own
clock), a date with a time of day, a number where the contract says string and the reverse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from freg_pipeline.contract import ValueKind

Plain = str | int | bool | None

_NORWAY = ZoneInfo("Europe/Oslo")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T[\d:.]+)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
# The end of a day, as xsd:dateTime allows: the first moment of the next one.
_END_OF_DAY = re.compile(r"(\d{4}-\d\d-\d\d)T24:00:00(?:\.0+)?(.*)", re.ASCII)
_YEAR = re.compile(r"(-?\d{1,4})(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_FLOAT = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|-?INF|NaN", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_INT64 = 2**63
_MOST_DECIMAL = Decimal(10) ** 28


def plain(value: Any, kind: ValueKind) -> Plain:
    """Return a value as the contract says it, None for an empty element.

    Args:
        value: a single value, as decoded from JSON.
        kind: what the contract says that it is.

    Raises:
        ValueError: it is no such value; says why, and nothing of the value.
    """
    text = _text(value)
    if kind in {ValueKind.STRING, ValueKind.CODE, ValueKind.OPAQUE}:
        return text or None
    text = text.strip()
    return _PARSERS[kind](text) if text else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _boolean(text: str) -> bool:
    known = _BOOLEANS.get(text.lower())
    return _wrong("sann eller usann") if known is None else known


def _integer(text: str) -> int:
    try:
        value = Decimal(text)
        whole = -_INT64 <= value < _INT64 and value == int(value)
    except InvalidOperation:
        whole = False
    return int(value) if whole else _wrong("et heltall på 64 bit")


def _float(text: str) -> str:
    return text if _FLOAT.fullmatch(text) else _wrong("et tall")


def _decimal(text: str) -> str:
    try:
        value = Decimal(text)
        fits = -_MOST_DECIMAL < value < _MOST_DECIMAL
    except InvalidOperation:
        fits = False
    return f"{value:.10f}" if fits else _wrong("et tall som kolonnen rommer")


def _date(text: str) -> str:
    found = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(found.group(1) if found else "").isoformat()
    except ValueError:
        return _wrong("en dato")


def moment(text: str) -> datetime:
    """The time that a text says, with its offset; one without is Norwegian time.

    Raises:
        ValueError: it says no time; tells nothing of the text.
    """
    midnight = _END_OF_DAY.fullmatch(text.strip())
    try:
        if midnight:
            value = datetime.fromisoformat(f"{midnight[1]}T00:00:00{midnight[2]}")
            value += timedelta(days=1)
        else:
            value = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        return _wrong("et tidspunkt")
    return value if value.tzinfo else value.replace(tzinfo=_NORWAY)


def _moment(text: str) -> str:
    return moment(text).isoformat()


def _year(text: str) -> str:
    found = _YEAR.fullmatch(text)
    return found.group(1) if found else _wrong("et årstall")


def _wrong(what: str) -> NoReturn:
    raise ValueError(f"verdien er ikke {what}")


_PARSERS: dict[ValueKind, Callable[[str], Plain]] = {
    ValueKind.BOOLEAN: _boolean,
    ValueKind.INTEGER: _integer,
    ValueKind.FLOAT: _float,
    ValueKind.DECIMAL: _decimal,
    ValueKind.DATE: _date,
    ValueKind.DATETIME: _moment,
    ValueKind.YEAR: _year,
}
