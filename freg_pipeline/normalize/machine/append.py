"""Single values and rows -> the columns' buffers."""

from __future__ import annotations

from freg_pipeline.normalize.machine import text, values
from freg_pipeline.normalize.machine.memory import (
    compiled,
    get,
    load_8,
    load_32,
    put,
    store_8,
    store_16,
    store_32,
    store_64,
)
from freg_pipeline.normalize.machine.spans import tells_surrogates, token_end, value_end
from freg_pipeline.normalize.memory_map import (
    ALL_TABLES,
    COLUMNS,
    FULL,
    FULL_COLUMN,
    FULL_KIND,
    FULL_NUMBER,
    FULL_SIZE,
    FULL_TABLE,
    ROW_KEYS,
    TABLES,
    UNKNOWN_BEFORE,
    UNKNOWN_HELD,
)
from freg_pipeline.normalize.program import (
    BEFORE,
    BOOLEAN,
    CELLS,
    COLUMN_NUMBERS,
    DATE,
    DECIMAL,
    HELD,
    KEYS,
    LENGTH_WIDTH,
    LEVELS,
    MOMENT,
    OF_TABLE,
    OPAQUE,
    REAL,
    ROOM,
    SIZE,
    TABLE_NUMBERS,
    TEXT,
    TEXTS,
    TO_TABLE,
    USED,
    VALID,
    WHOLE,
    WIDTH,
)

ODD = -2  # not in the contract's plain form

BEFORE_ENTRY, BEFORE_ANSWER = 0, 1  # marks to come back to

_QUOTE, _MINUS, _ZERO = 34, 45, 48


@compiled
def table_record(number: int, shared: int) -> int:
    """The address of a table's numbers."""
    return get(shared, TABLES) + 8 * TABLE_NUMBERS * number


@compiled
def column_record(number: int, shared: int) -> int:
    """The address of a column's numbers."""
    return get(shared, COLUMNS) + 8 * COLUMN_NUMBERS * number


@compiled
def full(kind: int, number: int, size: int, shared: int) -> int:
    """Note what there is no room in."""
    put(shared, FULL_KIND, kind)
    put(shared, FULL_NUMBER, number)
    put(shared, FULL_SIZE, size)
    return FULL


@compiled
def begin_row(number: int, index: int, place: int, shared: int) -> int:
    """Begin a row of table ``number`` with its keys; return the row's number or FULL.

    Args:
        number: of the table.
        index: of the row in its list.
        place: of the document in the batch.
        shared: the address of the shared numbers.
    """
    row = next_row(number, shared)
    if row < 0:
        return row
    table = table_record(number, shared)
    level = get(table, LEVELS)
    keys = get(shared, ROW_KEYS)
    put(keys, level, index)
    column = column_record(get(table, KEYS), shared)
    store_32(get(column, CELLS) + 4 * row, place)
    for key in range(level + 1):
        column += 8 * COLUMN_NUMBERS
        store_32(get(column, CELLS) + 4 * row, get(keys, key))
    return row


@compiled
def next_row(number: int, shared: int) -> int:
    """Begin a row; return its number or FULL."""
    table = table_record(number, shared)
    row = get(table, HELD)
    if row >= get(table, ROOM):
        return full(FULL_TABLE, number, row + 1, shared)
    put(table, HELD, row + 1)
    return row


@compiled
def append(at: int, end: int, holds: int, number: int, row: int, shared: int) -> int:
    """Put the single value at ``at`` into a row of column ``number``.

    Returns:
        The place after it; ODD or FULL.
    """
    if load_8(at) == _QUOTE:
        start = at + 1
        stop, kind = text.string_end(start, end)
        if stop < 0:
            return ODD
        after = stop + 1
        if stop == start:  # an empty element
            return after
        if holds == TEXT or holds == OPAQUE:
            size = _append_text(start, stop, kind, end, number, row, shared)
            return after if size >= 0 else size
        if kind != text.PLAIN:
            return ODD
    elif holds == OPAQUE:
        return _append_json(at, end, number, row, shared)
    else:
        start = at
        stop = after = token_end(at, end)
        if stop == start or holds == DATE or holds == MOMENT:
            return ODD
    if holds == TEXT or holds == DECIMAL or holds == REAL:
        size = _append_number(start, stop, end, holds, number, row, shared)
        return after if size >= 0 else size
    return after if _append_fixed(start, stop, holds, number, row, shared) else ODD


@compiled
def _append_text(
    start: int, stop: int, kind: int, end: int, number: int, row: int, shared: int
) -> int:
    column = column_record(number, shared)
    used = get(column, USED)
    if used + stop - start > get(column, SIZE):
        return full(FULL_COLUMN, number, used + stop - start, shared)
    size = text.copy_string(start, stop, kind, get(column, TEXTS) + used, end)
    if size < 0:
        return ODD
    put(column, USED, used + size)
    store_32(get(column, CELLS) + LENGTH_WIDTH * row, size)
    store_8(get(column, VALID) + row, 1)
    return size


@compiled
def _append_json(at: int, end: int, number: int, row: int, shared: int) -> int:
    """Anything but a text, as it is written; half of a surrogate pair is left to slower code."""
    after = value_end(at, end)
    if after < 0 or tells_surrogates(at, after):
        return ODD
    size = _append_text(at, after, text.BEYOND_ASCII, end, number, row, shared)
    return after if size >= 0 else size


@compiled
def _append_number(
    start: int, stop: int, end: int, holds: int, number: int, row: int, shared: int
) -> int:
    """A number as text: where the contract says string, or for a cast of the whole column."""
    if holds == DECIMAL:
        plain = values.is_decimal(start, stop)
    elif holds == REAL:
        plain = values.is_float(start, stop)
    else:
        negative_zero = start + 1 < stop and load_8(start) == _MINUS and load_8(start + 1) == _ZERO
        plain = values.is_whole_number(start, stop) and not negative_zero
    return _append_text(start, stop, text.PLAIN, end, number, row, shared) if plain else ODD


@compiled
def _append_fixed(start: int, stop: int, holds: int, number: int, row: int, shared: int) -> bool:
    column = column_record(number, shared)
    cells = get(column, CELLS)
    if holds == MOMENT:
        value = values.moment(start, stop)
        store_64(cells + 8 * row, value)
    elif holds == BOOLEAN:
        value = values.boolean(start, stop)
        store_8(cells + row, value)
    elif holds == DATE:
        value = values.date(start, stop)
        store_32(cells + 4 * row, value)
    elif holds == WHOLE:
        if not values.is_whole_number(start, stop):
            return False
        store_64(cells + 8 * row, values.whole_number(start, stop))
        value = 0
    else:
        value = values.year(start, stop)
        store_16(cells + 2 * row, value)
    store_8(get(column, VALID) + row, 1)
    return value != values.NO


@compiled
def remember(mark: int, shared: int) -> None:
    """Let :func:`take_back` come back to here; ``mark`` is BEFORE_ENTRY or BEFORE_ANSWER."""
    put(shared, UNKNOWN_BEFORE + mark, get(shared, UNKNOWN_HELD))
    for number in range(get(shared, ALL_TABLES)):
        table = table_record(number, shared)
        put(table, BEFORE + mark, get(table, HELD))


@compiled
def take_back(mark: int, shared: int) -> None:
    """Undo everything since :func:`remember`: rows, their values, and unknown fields."""
    put(shared, UNKNOWN_HELD, get(shared, UNKNOWN_BEFORE + mark))
    for number in range(get(shared, ALL_TABLES)):
        table = table_record(number, shared)
        before, held = get(table, BEFORE + mark), get(table, HELD)
        if held > before:
            for column in range(get(table, OF_TABLE), get(table, TO_TABLE)):
                _clear(column_record(column, shared), before, held)
            put(table, HELD, before)


@compiled
def _clear(column: int, before: int, held: int) -> None:
    if get(column, VALID) == 0:
        return  # keys are always written
    cells, width = get(column, CELLS), get(column, WIDTH)
    for row in range(before, held):
        if get(column, TEXTS) != 0:
            put(column, USED, get(column, USED) - load_32(cells + LENGTH_WIDTH * row))
        store_8(get(column, VALID) + row, 0)
        for byte in range(width):
            store_8(cells + width * row + byte, 0)
