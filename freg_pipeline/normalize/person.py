"""Whose document it is: the only elements that are known by name.

A person's current number is that of an ``identifikasjonsnummer`` row with status ``iBruk``; a
person whose only number is ``opphoert`` keeps that one (``design.md``, tables).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import ValueKind
from freg_pipeline.normalize.columns import Columns
from freg_pipeline.normalize.memory_map import NEVER
from freg_pipeline.normalize.program import Layout

_PATH = ("identifikasjonsnummer",)
_NUMBER, _STATUS, _IN_USE = "foedselsEllerDNummer", "status", "iBruk"
_CURRENT, _RECORDED = "erGjeldende", "ajourholdstidspunkt"

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


class CurrentNumbers:
    """Finds each document's person in the columns of one contract."""

    def __init__(self, layout: Layout, columns: Columns) -> None:
        self._tables = layout.tables
        self._table = next((one for one in layout.tables if one.table.path == _PATH), None)
        self._columns = columns

    def current(self, places: Places) -> pa.StringArray:
        """The current number of each document, by its place, null where it tells none.

        The rows of those documents are still in the columns, perhaps among others.
        """
        size = len(places)
        number = self._column(_NUMBER, ValueKind.STRING, ValueKind.CODE)
        if self._table is None or number is None:
            return pa.nulls(size, pa.string())
        whose = self._columns.key(self._table, 0).to_numpy()
        index = np.full(max(whose.max(initial=-1), places.max(initial=-1)) + 1, -1)
        index[places] = np.arange(size)
        at = index[whose]
        rows = np.flatnonzero((at >= 0) & mask(number.is_valid()))
        order = rows[np.lexsort((rows, *(key[rows] for key in self._preference()), at[rows]))]
        best = np.full(size, -1)
        best[at[order]] = order  # the last of a document's rows is the preferred one
        return number.take(pa.array(best, mask=best < 0))

    def holding(self, places: Places) -> Mask:
        """Which documents, by their places, hold anything that the contract knows."""
        found = np.zeros(len(places), bool)
        for table in self._tables:
            if self._columns.rows(table):
                found |= np.isin(places, self._columns.key(table, 0).to_numpy())
        return found

    def _preference(self) -> tuple[npt.NDArray[np.generic], ...]:
        """Sort keys, the weightiest last: in use, then not history, then recorded latest."""
        assert self._table is not None  # noqa: S101  who calls has seen it
        size = self._columns.rows(self._table)
        status = self._column(_STATUS, ValueKind.STRING, ValueKind.CODE)
        current = self._column(_CURRENT, ValueKind.BOOLEAN)
        times = self._column(_RECORDED, ValueKind.DATETIME)
        in_use = np.zeros(size, bool) if status is None else mask(pc.equal(status, _IN_USE))
        history = None if current is None else pc.invert(current)
        not_history = np.ones(size, bool) if history is None else ~mask(history)
        if times is None:
            recorded = np.full(size, NEVER)
        else:
            recorded = times.cast(pa.int64()).fill_null(NEVER).to_numpy()
        return recorded, not_history, in_use

    def _column(self, name: str, *kinds: ValueKind) -> pa.Array | None:
        if self._table is None:
            return None
        for place, column in enumerate(self._table.table.columns):
            if column.path == (name,) and column.kind in kinds and not column.repeated:
                return self._columns.column(self._table, place)
        return None


def mask(values: pa.BooleanArray) -> Mask:
    """Which values are true; null is false."""
    told: Mask = values.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
    return told
