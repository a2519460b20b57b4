"""The columns' buffers: where machine code appends, and what Arrow arrays are made of, uncopied."""

from __future__ import annotations

import mmap
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.normalize.memory_map import (
    ALL_TABLES,
    COLUMNS,
    FIELDS,
    FULL_COLUMN,
    FULL_KIND,
    FULL_NUMBER,
    FULL_SIZE,
    FULL_TABLE,
    NODES,
    ROW_KEYS,
    SHARED_NUMBERS,
    SLACK,
    STACK,
    STACK_NUMBERS,
    TABLES,
    UNKNOWN,
    UNKNOWN_HELD,
    UNKNOWN_NUMBERS,
    UNKNOWN_ROOM,
)
from freg_pipeline.normalize.program import (
    BOOLEAN,
    CELLS,
    DECIMAL,
    HAS_TEXT,
    HELD,
    IN_TABLE,
    OF_TABLE,
    REAL,
    ROOM,
    ROWS,
    SIZE,
    TEXTS,
    TO_TABLE,
    USED,
    VALID,
    WIDTH,
    Layout,
    TableLayout,
)

_FIRST_ROWS = 4096  # room for so many in a table at first
_FIRST_BYTES = 65_536
_FIRST_UNKNOWN = 1024
_MOST_TEXT = 2**30  # bytes in a column; an answer more must fit below 2**31
_GROWTH = 4  # times the room when there is none left; pages that nobody wrote on cost nothing
_Buffer = npt.NDArray[Any]
_Item = TypeVar("_Item", bound=np.generic)
_TYPES: dict[int, type[np.generic]] = {1: np.uint8, 2: np.int16, 4: np.int32, 8: np.int64}


class Columns:
    """Growing buffers for every column of a layout. Not to be shared between threads.

    Attributes:
        layout: what they are columns of.
        shared: the numbers by which machine code finds all of it (``memory_map.py``).
        unknown: the unknown fields that it noted, as many as ``shared`` says.
    """

    def __init__(self, layout: Layout) -> None:
        program = layout.program
        self.layout = layout
        self._program = program
        self._columns = program.columns
        holds = layout.holds
        self._cells: list[_Buffer] = [
            _buffer(_FIRST_ROWS, _TYPES[width]) for width in self._columns[:, WIDTH].tolist()
        ]
        self._valid = [_buffer(_FIRST_ROWS if one != ROWS else 0, np.uint8) for one in holds]
        self._texts = [_buffer(_FIRST_BYTES if one in HAS_TEXT else 0, np.uint8) for one in holds]
        for number in range(len(self._columns)):
            self._tell(number)
        program.tables[:, ROOM] = _FIRST_ROWS
        self._stack = np.zeros((layout.depth + 1, STACK_NUMBERS), np.int64)
        self._keys = np.zeros(layout.depth + 1, np.int64)
        self.unknown = np.zeros((_FIRST_UNKNOWN, UNKNOWN_NUMBERS), np.int64)
        self.shared = np.zeros(SHARED_NUMBERS, np.int64)
        for place, array in (
            (NODES, program.nodes),
            (FIELDS, program.fields),
            (TABLES, program.tables),
            (COLUMNS, program.columns),
            (STACK, self._stack),
            (ROW_KEYS, self._keys),
            (UNKNOWN, self.unknown),
        ):
            self.shared[place] = array.ctypes.data
        self.shared[ALL_TABLES] = len(program.tables)
        self.shared[UNKNOWN_ROOM] = _FIRST_UNKNOWN

    def rows(self, table: TableLayout) -> int:
        """Rows that a table holds now."""
        return int(self._program.tables[table.number, HELD])

    def is_full(self, table: TableLayout, rows: int) -> bool:
        """Whether a table holds so many rows, or a text that Arrow's offsets soon can't span."""
        held, texts = self.rows(table), self._columns[self._of(table.number), USED]
        return held >= rows or int(texts.max()) >= _MOST_TEXT

    def grow(self) -> None:
        """Make room where ``shared`` says that there is none."""
        number, size = int(self.shared[FULL_NUMBER]), int(self.shared[FULL_SIZE])
        if self.shared[FULL_KIND] == FULL_TABLE:
            self._grow_table(number, size * _GROWTH)
        elif self.shared[FULL_KIND] == FULL_COLUMN:
            used = self._columns[number, USED]
            self._texts[number] = _larger(self._texts[number], size * _GROWTH + SLACK, used)
            self._tell(number)
        else:
            unknown = np.zeros((size * _GROWTH, UNKNOWN_NUMBERS), np.int64)
            unknown[: len(self.unknown)] = self.unknown
            self.unknown = unknown
            self.shared[UNKNOWN] = unknown.ctypes.data
            self.shared[UNKNOWN_ROOM] = len(unknown)

    def key(self, table: TableLayout, place: int) -> pa.Array:
        """A key column of a table, dok_nr first, as an array that holds until :meth:`clear`."""
        return self._array(table.keys[place], self.rows(table), pa.int32())

    def column(self, table: TableLayout, place: int) -> pa.Array:
        """A column of the plan's table, as an array that holds until :meth:`clear`."""
        spec = table.table.columns[place]
        number, _, items = table.columns[place]
        rows = self.rows(table)
        if items is None:
            return self._array(number, rows, spec.type)
        count = int(self._program.tables[self._columns[items, IN_TABLE], HELD])
        inner = self._array(items, count, spec.type.value_type)
        valid = self._valid[number][:rows].view(np.bool_)
        mask = None if valid.all() else pa.array(~valid)
        offsets = pa.array(_offsets(self._cells[number][:rows]))
        return pa.ListArray.from_arrays(offsets, inner, type=spec.type, mask=mask)

    def empty(self) -> None:
        """Forget all rows and keep their room; no array is to be looked at any more."""
        for table, held in enumerate(self._program.tables[:, HELD].tolist()):
            for number in self._of(table):
                self._cells[number][:held] = 0
                self._valid[number][:held] = 0
        self._columns[:, USED] = 0
        self._program.tables[:, HELD] = 0
        self.shared[UNKNOWN_HELD] = 0

    def clear(self, table: TableLayout) -> None:
        """Forget a table's rows."""
        self._clear(table.number)
        for _, _, items in table.columns:
            if items is not None:
                self._clear(int(self._columns[items, IN_TABLE]))

    def _tell(self, number: int) -> None:
        """Put a column's addresses where machine code finds them."""
        column, text, valid = self._columns[number], self._texts[number], self._valid[number]
        column[CELLS] = self._cells[number].ctypes.data
        column[VALID] = valid.ctypes.data if len(valid) else 0
        column[TEXTS] = text.ctypes.data if len(text) else 0
        column[SIZE] = max(len(text) - SLACK, 0)

    def _of(self, table: int) -> range:
        first, last = self._program.tables[table, [OF_TABLE, TO_TABLE]]
        return range(first, last)

    def _grow_table(self, table: int, room: int) -> None:
        held = int(self._program.tables[table, HELD])
        for number in self._of(table):
            self._cells[number] = _larger(self._cells[number], room, held)
            if len(self._valid[number]):
                self._valid[number] = _larger(self._valid[number], room, held)
            self._tell(number)
        self._program.tables[table, ROOM] = room

    def _clear(self, table: int) -> None:
        """Give the memory back: the other tables need theirs meanwhile."""
        for number in self._of(table):
            for buffers in (self._cells, self._valid, self._texts):
                buffers[number] = _buffer(len(buffers[number]), buffers[number].dtype.type)
            self._columns[number, USED] = 0
            self._tell(number)
        self._program.tables[table, HELD] = 0

    def _array(self, number: int, rows: int, kind: pa.DataType) -> pa.Array:
        holds = self.layout.holds[number]
        bitmap, nulls = self._bitmap(number, rows)
        cells = self._cells[number][:rows]
        if holds in HAS_TEXT:
            if nulls == rows:
                return pa.nulls(rows, kind)
            text = self._texts[number][: self._columns[number, USED]]
            buffers = [bitmap, pa.py_buffer(_offsets(cells)), pa.py_buffer(text)]
            strings = pa.Array.from_buffers(pa.string(), rows, buffers, nulls)
            return pc.cast(strings, kind) if holds in {DECIMAL, REAL} else strings
        if holds == BOOLEAN:
            cells = np.packbits(cells, bitorder="little")
        return pa.Array.from_buffers(kind, rows, [bitmap, pa.py_buffer(cells)], nulls)

    def _bitmap(self, number: int, rows: int) -> tuple[pa.Buffer | None, int]:
        """Arrow's bits of validity, None where nothing is null, and how many nulls there are."""
        valid = self._valid[number][:rows]
        if not len(self._valid[number]):
            return None, 0
        nulls = rows - int(np.count_nonzero(valid))
        return (pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None), nulls


def _buffer(size: int, kind: type[_Item]) -> npt.NDArray[_Item]:
    """Zeros in pages of their own, so that only those written on take memory."""
    if size == 0:
        return np.zeros(0, kind)
    pages = mmap.mmap(-1, size * np.dtype(kind).itemsize, access=mmap.ACCESS_COPY)
    return np.frombuffer(pages, kind)


def _larger(old: npt.NDArray[_Item], size: int, used: int) -> npt.NDArray[_Item]:
    new = _buffer(size, old.dtype.type)
    new[:used] = old[:used]
    return new


def _offsets(lengths: npt.NDArray[np.generic]) -> npt.NDArray[np.int32]:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:], dtype=np.int32)
    return offsets
