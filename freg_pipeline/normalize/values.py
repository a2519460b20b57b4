"""Strings -> dates, times, years and decimals, a whole column at once.

The first try is one Arrow cast. Only where that fails are oddities looked for: surrounding blanks,
empty elements, fractions finer than microseconds (cut), a time without offset (Norwegian time, as
the register's own clock), a date with an offset or a time of day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Column, Kind

_NORWAY = ZoneInfo("Europe/Oslo")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T[\d:.]+)?(?:Z|[+-]\d\d:?\d\d)?")
_YEAR = re.compile(r"(-?\d{4})(?:Z|[+-]\d\d:\d\d)?")

Bad = npt.NDArray[np.bool_]  # which values can't be what the contract says


def convert(values: pa.Array, column: Column) -> tuple[pa.Array, Bad | None]:
    """Return ``values`` as the column's type, and which of them are no such value.

    Args:
        values: as read from JSON; a list array for a repeated column.
        column: says what they are.

    Returns:
        The converted array, bad values as null, and a mask of the bad ones, None if there are none.
        For a list the mask says which lists hold a bad value.
    """
    if values.type == column.type:
        return values, None
    if column.repeated:
        return _convert_lists(values, column)
    return _convert(values, column.kind, column.type)


def _convert_lists(values: pa.Array, column: Column) -> tuple[pa.Array, Bad | None]:
    inner, bad = _convert(values.values, column.kind, column.type.value_type)
    converted = pa.ListArray.from_arrays(values.offsets, inner, mask=values.is_null())
    if bad is None:
        return converted, None
    parents = pc.list_parent_indices(values).to_numpy()
    lists = np.zeros(len(values), dtype=bool)
    lists[parents[bad[values.offsets[0].as_py() :][: len(parents)]]] = True
    return converted, lists


def _convert(values: pa.Array, kind: Kind, target: pa.DataType) -> tuple[pa.Array, Bad | None]:
    try:
        return pc.cast(values, target), None
    except pa.ArrowInvalid:
        tidy = _tidy(values, kind)
    try:
        return pc.cast(tidy, target), None
    except pa.ArrowInvalid:
        return _one_by_one(tidy, kind, target)


def _tidy(values: pa.Array, kind: Kind) -> pa.Array:
    """The oddities that whole columns can have, without a loop."""
    tidy = pc.utf8_trim_whitespace(values)
    tidy = pc.if_else(pc.equal(tidy, ""), pa.scalar(None, pa.string()), tidy)
    if kind is Kind.DATETIME:
        return pc.replace_substring_regex(tidy, r"(\.\d{6})\d+", r"\1")
    return tidy


def _one_by_one(values: pa.Array, kind: Kind, target: pa.DataType) -> tuple[pa.Array, Bad | None]:
    """Each distinct value on its own; the distinct ones are few even in a large column."""
    encoded = values.dictionary_encode()
    parse = _PARSERS[kind]
    parsed = [parse(text) for text in encoded.dictionary.to_pylist()]
    converted = pa.array(parsed, type=target).take(encoded.indices)
    bad = pc.and_(values.is_valid(), converted.is_null()).to_numpy(zero_copy_only=False)
    return converted, bad if bad.any() else None


def _datetime(text: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=_NORWAY)).astimezone(UTC)


def _date(text: str) -> date | None:
    match = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(match.group(1)) if match else None
    except ValueError:
        return None


def _year(text: str) -> int | None:
    match = _YEAR.fullmatch(text)
    return int(match.group(1)) if match else None


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return round(value, 10) if value.is_finite() else None


_PARSERS: dict[Kind, Callable[[str], Any]] = {
    Kind.DATETIME: _datetime,
    Kind.DATE: _date,
    Kind.YEAR: _year,
    Kind.DECIMAL: _decimal,
}
