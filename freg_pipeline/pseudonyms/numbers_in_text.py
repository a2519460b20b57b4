"""Identity numbers in values that are no numbers' place: a note in a name, a C/O line."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.identifiers import parse

# Eleven digits, in any script, with or without something between: 010203 45678, 01.02.03/45678.
_MAYBE = r"(?:\p{Nd}[^\p{L}\p{Nd}]{0,3}){10}\p{Nd}"
_ANYWHERE = re.compile(r"(?=((?:\d[\W_]{0,3}){10}\d))")
_LEAST = 1_000_000  # a whole number below that, eleven digits long, is no date
_MOST = 99_999_999_999


def without_numbers(values: pa.Array) -> tuple[pa.Array, int]:
    """Values without those that hold an identity number, and how many these were.

    Eleven digits with valid control digits and a date count, also with up to three marks or spaces
    between any two, and wherever they stand; as a whole number, too, without its leading zero.

    Args:
        values: of any type; of a list the values within.
    """
    suspects = _suspects(values)
    if suspects is None:
        return values, 0
    distinct = suspects.unique()
    found = distinct.filter(
        pa.array([_holds(str(one)) for one in distinct.to_pylist()], pa.bool_())
    )
    if not len(found):
        return values, 0
    holding = pc.is_in(values.cast(found.type), value_set=found)
    return pc.if_else(holding, pa.scalar(None, values.type), values), pc.sum(holding).as_py()


def _suspects(values: pa.Array) -> pa.Array | None:
    """Those that may hold one; None: no value of the type can.

    Raises:
        TypeError: a type that nobody has thought of.
    """
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values.filter(pc.match_substring_regex(values, _MAYBE))
    if pa.types.is_boolean(kind) or pa.types.is_temporal(kind) or pa.types.is_null(kind):
        return None
    if pa.types.is_integer(kind) and kind.bit_width < 64:
        return None
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        whole = pc.cast(values, pa.float64())
        inside = pc.and_(pc.greater_equal(whole, _LEAST), pc.less_equal(whole, _MOST))
        return values.filter(inside)
    msg = f"nothing looks for identity numbers in {kind}"
    raise TypeError(msg)


def _holds(text: str) -> bool:
    whole, _, fraction = text.partition(".")
    if whole.isdigit() and len(whole) <= 11 and not fraction.strip("0"):
        text = whole.zfill(11)
    return any(_is_number(match[1]) for match in _ANYWHERE.finditer(text))


def _is_number(written: str) -> bool:
    try:  # whatever script they are in
        parse("".join(str(int(one)) for one in written if one.isdecimal()))
    except ValueError:
        return False
    return True
