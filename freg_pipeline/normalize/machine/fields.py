"""Fields' names: the contract's, mostly in the order of last time, and those it doesn't know."""

from __future__ import annotations

from freg_pipeline.normalize.machine import text
from freg_pipeline.normalize.machine.append import ODD, full
from freg_pipeline.normalize.machine.memory import compiled, get, load_8, put
from freg_pipeline.normalize.machine.spans import value_end
from freg_pipeline.normalize.memory_map import (
    FIELDS,
    FULL_UNKNOWN,
    NAME_FROM,
    NAME_TO,
    NODE_AT,
    NODES,
    UNKNOWN,
    UNKNOWN_HELD,
    UNKNOWN_NUMBERS,
    UNKNOWN_ROOM,
    VALUE_FROM,
    VALUE_TO,
)
from freg_pipeline.normalize.program import (
    COUNT,
    FIELD_NUMBERS,
    FIRST,
    LENGTH,
    NAME,
    NEXT,
    NODE_NUMBERS,
    START,
)

_QUOTE, _COLON = 34, 58


@compiled
def is_null(at: int, end: int) -> bool:
    """Whether ``null`` is at ``at``, which lies before ``end``."""
    return (
        load_8(at) == 110
        and at + 4 <= end
        and load_8(at + 1) == 117
        and load_8(at + 2) == 108
        and load_8(at + 3) == 108
    )


@compiled
def name(at: int, end: int, node: int, last: int, shared: int) -> tuple[int, int]:
    """A field's number and where its value begins, before ``end``.

    An unknown field is noted and passed: -1 and the place after its value. ODD and FULL are told
    as the place, with -1 for the field: whoever is given a field has a value to look at.

    Args:
        at: where the name begins, with its quotation mark.
        end: where the answer ends.
        node: whose field it is.
        last: the field before, -1 if it is the first.
        shared: the address of the shared numbers.
    """
    one = _known(at, end, node, last, shared)
    if one < 0:
        return one, _unknown(at, end, node, shared)
    length = get(get(shared, FIELDS) + 8 * FIELD_NUMBERS * one, LENGTH)
    at = _value_begin(at + length, end)
    return one if at >= 0 else -1, at


@compiled
def _value_begin(at: int, end: int) -> int:
    """The place of the value, after a colon; ODD if there is none."""
    at = text.after_blanks(at, end)
    if at >= end or load_8(at) != _COLON:
        return ODD
    at = text.after_blanks(at + 1, end)
    return at if at < end else ODD


@compiled
def _known(at: int, end: int, node: int, last: int, shared: int) -> int:
    """The field that is named at ``at``, -1 if the contract has none."""
    fields = get(shared, FIELDS)
    record = get(shared, NODES) + 8 * NODE_NUMBERS * node
    guess = get(record, START) if last < 0 else get(fields + 8 * FIELD_NUMBERS * last, NEXT)
    if _is_named(at, end, fields + 8 * FIELD_NUMBERS * guess):
        return guess
    first, count = get(record, FIRST), get(record, COUNT)
    one = last
    for _ in range(count):  # those after the last one first
        one = one + 1 if first <= one + 1 < first + count else first
        if _is_named(at, end, fields + 8 * FIELD_NUMBERS * one):
            if last < 0:
                put(record, START, one)
            else:
                put(fields + 8 * FIELD_NUMBERS * last, NEXT, one)
            return one
    return -1


@compiled
def _is_named(at: int, end: int, field: int) -> bool:
    return text.same_bytes(at, end, get(field, NAME), get(field, LENGTH))


@compiled
def _unknown(at: int, end: int, node: int, shared: int) -> int:
    """Note a field that the contract doesn't know; return the place after it, ODD or FULL."""
    if at >= end or load_8(at) != _QUOTE:
        return ODD
    stop, kind = text.string_end(at + 1, end)
    if stop < 0 or kind & text.ESCAPES:  # a known name, perhaps, written with escapes
        return ODD
    value = _value_begin(stop + 1, end)
    if value < 0:
        return ODD
    after = value_end(value, end)
    if after < 0:
        return ODD
    number = get(shared, UNKNOWN_HELD)
    if number >= get(shared, UNKNOWN_ROOM):
        return full(FULL_UNKNOWN, 0, number + 1, shared)
    put(shared, UNKNOWN_HELD, number + 1)
    record = get(shared, UNKNOWN) + 8 * UNKNOWN_NUMBERS * number
    put(record, NODE_AT, node)
    put(record, NAME_FROM, at)
    put(record, NAME_TO, stop + 1)
    put(record, VALUE_FROM, value)
    put(record, VALUE_TO, after)
    return after
