"""A document's bytes -> values in columns, by the program of the contract (``program.py``).

The walk is a machine of four phases, each a function that returns where it came to and the next
phase. What is open lies on a stack of its own: no recursion, so no document can exhaust ours.
"""

from __future__ import annotations

from freg_pipeline.normalize.machine import text
from freg_pipeline.normalize.machine.append import (
    ODD,
    append,
    begin_row,
    column_record,
    next_row,
    table_record,
)
from freg_pipeline.normalize.machine.fields import is_null, name
from freg_pipeline.normalize.machine.memory import (
    compiled,
    get,
    load_8,
    load_64,
    put,
    store_8,
    store_32,
)
from freg_pipeline.normalize.memory_map import (
    DEPTH,
    FIELDS,
    FULL,
    INDEX,
    LAST_FIELD,
    LATEST,
    NEVER,
    NODE_OPEN,
    NODES,
    OBJECT_OPEN,
    OBJECTS,
    ROW_OPEN,
    STACK,
    STACK_NUMBERS,
)
from freg_pipeline.normalize.program import (
    BARE,
    CELLS,
    COLUMN,
    FIELD_NUMBERS,
    FIRST,
    GROUP,
    HELD,
    HOLDS,
    ITEM,
    ITEMS,
    ITEMS_TABLE,
    NODE,
    NODE_NUMBERS,
    OF_TABLE,
    RECORDED,
    ROOT,
    ROWS,
    SEEN,
    TABLE,
    VALID,
)

_OPENED = 0  # next: the first field of a structure, or its end
_AFTER_VALUE = 1  # a comma and a field, or the structure's end
_ELEMENT = 2  # an element of a list
_AFTER_ELEMENT = 3  # a comma and an element, or the list's end
_DONE = 4

_QUOTE, _COMMA, _COLON = 34, 44, 58
_OPEN_LIST, _CLOSE_LIST, _OPEN, _CLOSE = 91, 93, 123, 125
_SINGLE = -1  # the index of what is in no list
_NO_FIELD = -1


@compiled
def document(at: int, end: int, place: int, shared: int) -> int:
    """Append a document's values to the columns.

    Args:
        at: where it begins.
        end: where the answer ends.
        place: its place in the batch.
        shared: the address of the shared numbers.

    Returns:
        Where it ends; ODD or FULL, with what was appended still there.
    """
    if load_8(at) != _OPEN:
        return ODD
    put(shared, LATEST, NEVER)
    put(shared, DEPTH, 0)
    at = _open(at, ROOT, 0, _SINGLE, shared)
    phase = _OPENED
    while phase != _DONE:
        if at < end and load_8(at) <= 32:
            at = text.after_blanks(at, end)
        if at >= end:
            return ODD
        if phase == _ELEMENT:
            at, phase = _element(at, end, place, shared)
        elif phase == _AFTER_ELEMENT:
            at, phase = _after_element(at, shared)
        elif load_8(at) == _CLOSE:
            at, phase = _close(at, shared)
        else:
            at, phase = _field(at, end, phase, place, shared)
        if at < 0:
            return at
    return at


@compiled
def _frame(shared: int) -> int:
    """The numbers of what is open."""
    return get(shared, STACK) + 8 * STACK_NUMBERS * get(shared, DEPTH)


@compiled
def _deeper(by: int, shared: int) -> None:
    put(shared, DEPTH, get(shared, DEPTH) + by)


@compiled
def _open(at: int, node: int, row: int, index: int, shared: int) -> int:
    """Open a structure, or a list of structures that is about to begin."""
    frame = _frame(shared)
    number = get(shared, OBJECTS) + 1
    put(shared, OBJECTS, number)
    put(frame, NODE_OPEN, node)
    put(frame, ROW_OPEN, row)
    put(frame, LAST_FIELD, _NO_FIELD)
    put(frame, OBJECT_OPEN, number)
    put(frame, INDEX, index)
    return at + 1


@compiled
def _close(at: int, shared: int) -> tuple[int, int]:
    """The end of a structure."""
    if get(_frame(shared), INDEX) != _SINGLE:
        return at + 1, _AFTER_ELEMENT
    _deeper(-1, shared)
    return at + 1, _DONE if get(shared, DEPTH) < 0 else _AFTER_VALUE


@compiled
def _after_element(at: int, shared: int) -> tuple[int, int]:
    byte = load_8(at)
    if byte == _COMMA:
        frame = _frame(shared)
        put(frame, INDEX, get(frame, INDEX) + 1)
        return at + 1, _ELEMENT
    if byte == _CLOSE_LIST:
        _deeper(-1, shared)
        return at + 1, _AFTER_VALUE
    return ODD, _DONE


@compiled
def _element(at: int, end: int, place: int, shared: int) -> tuple[int, int]:
    """An element of a list of rows; null is none, but counts."""
    if is_null(at, end):
        return at + 4, _AFTER_ELEMENT
    frame = _frame(shared)
    return _row(at, end, place, get(frame, NODE_OPEN), get(frame, INDEX), shared)


@compiled
def _row(at: int, end: int, place: int, node: int, index: int, shared: int) -> tuple[int, int]:
    """A structure that is a table's row, or a single value that is one."""
    record = get(shared, NODES) + 8 * NODE_NUMBERS * node
    row = begin_row(get(record, TABLE), max(index, 0), place, shared)
    if row < 0:
        return FULL, _DONE
    if get(record, BARE):
        at = _value(at, end, _field_record(get(record, FIRST), shared), row, shared)
        if index != _SINGLE:
            return at, _AFTER_ELEMENT
        _deeper(-1, shared)
        return at, _AFTER_VALUE
    if load_8(at) != _OPEN:
        return ODD, _DONE
    return _open(at, node, row, index, shared), _OPENED


@compiled
def _field(at: int, end: int, phase: int, place: int, shared: int) -> tuple[int, int]:
    """A field's name and value, or where its value begins."""
    if phase == _AFTER_VALUE:
        if load_8(at) != _COMMA:
            return ODD, _DONE
        at = text.after_blanks(at + 1, end)
    frame = _frame(shared)
    one, at = name(at, end, get(frame, NODE_OPEN), get(frame, LAST_FIELD), shared)
    if one < 0:
        return at, _AFTER_VALUE
    field = _field_record(one, shared)
    if get(field, SEEN) == get(frame, OBJECT_OPEN):
        return ODD, _DONE  # twice in one structure
    put(field, SEEN, get(frame, OBJECT_OPEN))
    put(frame, LAST_FIELD, one)
    if is_null(at, end):
        return at + 4, _AFTER_VALUE
    holds = get(field, HOLDS)
    if holds == GROUP:
        if load_8(at) != _OPEN:
            return ODD, _DONE
        row = get(frame, ROW_OPEN)
        _deeper(1, shared)
        return _open(at, get(field, NODE), row, _SINGLE, shared), _OPENED
    if holds == ROWS:
        return _rows(at, end, place, get(field, NODE), shared)
    return _value(at, end, field, get(frame, ROW_OPEN), shared), _AFTER_VALUE


@compiled
def _field_record(number: int, shared: int) -> int:
    return get(shared, FIELDS) + 8 * FIELD_NUMBERS * number


@compiled
def _rows(at: int, end: int, place: int, node: int, shared: int) -> tuple[int, int]:
    """A list of rows, or one row without a list."""
    _deeper(1, shared)
    if load_8(at) != _OPEN_LIST:
        return _row(at, end, place, node, _SINGLE, shared)
    at = _open(at, node, 0, 0, shared)
    at = text.after_blanks(at, end)
    empty = at < end and load_8(at) == _CLOSE_LIST
    return at, _AFTER_ELEMENT if empty else _ELEMENT


@compiled
def _value(at: int, end: int, field: int, row: int, shared: int) -> int:
    """The single value, or the list of such, of a field; the place after it, ODD or FULL."""
    holds = get(field, HOLDS)
    if holds == ITEMS:
        return _items(at, end, field, row, shared)
    number = get(field, COLUMN)
    at = append(at, end, holds, number, row, shared)
    if get(field, RECORDED) != 0:
        column = column_record(number, shared)
        if load_8(get(column, VALID) + row):
            moment = load_64(get(column, CELLS) + 8 * row)
            put(shared, LATEST, max(get(shared, LATEST), moment))
    return at


@compiled
def _items(at: int, end: int, field: int, row: int, shared: int) -> int:
    """A list of single values, or one without a list; null is none."""
    column = column_record(get(field, COLUMN), shared)
    number = get(column, ITEMS_TABLE)
    before = get(table_record(number, shared), HELD)
    if load_8(at) == _OPEN_LIST:
        at = text.after_blanks(at + 1, end)
        more = at < end and load_8(at) != _CLOSE_LIST
        while more:
            at = _item(at, end, get(field, ITEM), number, shared)
            if at < 0:
                return at
            at = text.after_blanks(at, end)
            more = at < end and load_8(at) == _COMMA
            if more:
                at = text.after_blanks(at + 1, end)
        if at >= end or load_8(at) != _CLOSE_LIST:
            return ODD
        at += 1
    else:
        at = _item(at, end, get(field, ITEM), number, shared)
        if at < 0:
            return at
    store_32(get(column, CELLS) + 4 * row, get(table_record(number, shared), HELD) - before)
    store_8(get(column, VALID) + row, 1)
    return at


@compiled
def _item(at: int, end: int, holds: int, number: int, shared: int) -> int:
    if at >= end:
        return ODD
    if is_null(at, end):
        return at + 4
    row = next_row(number, shared)
    if row < 0:
        return row
    return append(at, end, holds, get(table_record(number, shared), OF_TABLE), row, shared)
