"""Which of a person's rows is the current one: the rule, in one place (docs/decisions/0048).

A row is current where the register says so (``er_gjeldende``); where it says nothing, as long as
the row has no end (``opphoerstidspunkt``). The register's word counts, and no clock: a current row
may begin tomorrow. What was annulled isn't in the document any more, and what was corrected stands
there as it is now, so that both need no rule. Most entities have one current row at most. Of
several the one counts that

1. the register calls current, before one of which it says nothing,
2. began last (``gyldighetstidspunkt``; one without a time before all that have one),
3. was recorded last (``ajourholdstidspunkt``; likewise),
4. comes first in the document.

Documents are worked on a batch at a time, in columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Plan, ValueKind
from freg_pipeline.contract.names import ROW_COLUMN
from freg_pipeline.normalize.memory_map import NEVER
from freg_pipeline.normalize.person import Mask, mask
from freg_pipeline.normalize.write import BatchRows

CURRENT, ENDED = "er_gjeldende", "opphoerstidspunkt"
_BEGAN, _RECORDED = "gyldighetstidspunkt", "ajourholdstidspunkt"
_DOCUMENT = "dok_nr"
# What a column of a type can be made of: a contract may have another that is called so.
_FITS = {
    pa.string(): (ValueKind.STRING, ValueKind.CODE),
    pa.bool_(): (ValueKind.BOOLEAN,),
    pa.date32(): (ValueKind.DATE,),
    pa.int16(): (ValueKind.YEAR,),
    pa.int64(): (ValueKind.INTEGER,),
    pa.timestamp("us", tz="UTC"): (ValueKind.DATETIME,),
}
_RULE = {
    CURRENT: pa.bool_(),
    ENDED: pa.timestamp("us", tz="UTC"),
    _BEGAN: pa.timestamp("us", tz="UTC"),
    _RECORDED: pa.timestamp("us", tz="UTC"),
}

Places = npt.NDArray[np.int64]


class Entity:
    """The rows of one entity in a batch.

    Args:
        plan: the contract's tables.
        tables: the batch's rows by table.
        table: the entity's.
        columns: those that are wanted, with their types; what the contract doesn't have is null.
        documents: places in the batch of the documents: a result has a value for each.
    """

    def __init__(
        self,
        plan: Plan,
        tables: Mapping[str, BatchRows],
        table: str,
        columns: Mapping[str, pa.DataType],
        documents: Places,
    ) -> None:
        wanted = {**_RULE, **columns}
        there = _fitting(plan, table, wanted)
        self.size = len(documents)
        self._there = there
        self._wanted = wanted
        rows = None
        if table in tables and documents.size:
            rows = tables[table].read([_DOCUMENT, ROW_COLUMN, *there])
            last = int(documents.max())
            place = np.full(last + 1, -1)
            place[documents] = np.arange(self.size)
            whose = rows[_DOCUMENT].to_numpy().astype(np.int64)
            mine = (whose <= last) & (place[np.minimum(whose, last)] >= 0)
            rows = rows.filter(pa.array(mine)) if not mine.all() else rows
            self.document: Places = place[rows[_DOCUMENT].to_numpy()]
        else:
            self.document = np.empty(0, np.int64)
        self._rows = rows

    def has(self, column: str) -> bool:
        """Whether the contract has the column."""
        return column in self._there

    def values(self, column: str) -> pa.Array:
        """A column's values, of all rows."""
        if self._rows is None or column not in self._there:
            return pa.nulls(len(self.document), self._wanted[column])
        values = self._rows[column]
        return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values

    @property
    def current(self) -> Mask:
        """Which rows are current."""
        told = self.values(CURRENT)
        return mask(pc.coalesce(told, self.values(ENDED).is_null()))

    def chosen(self, among: Mask) -> Places:
        """For each document which row counts, of those; -1: none.

        Args:
            among: which rows come into question: current ones.
        """
        rows = np.flatnonzero(among)
        owner = self.document[rows]
        if len(rows) and (np.diff(owner) <= 0).any():  # somebody has several
            rows = rows[np.lexsort((*(key[rows] for key in self._preference()), owner))]
        best = np.full(self.size, -1)
        best[self.document[rows]] = rows  # the last of a document's rows is the preferred one
        return best

    def of_chosen(self, column: str, chosen: Places) -> pa.Array:
        """For each document the value of the row that counts."""
        values = self.values(column)
        if not len(values):
            return pa.nulls(self.size, self._wanted[column])
        return values.take(pa.array(chosen, mask=chosen < 0))

    def _preference(self) -> Sequence[npt.NDArray[np.generic]]:
        """Sort keys, the weightiest last."""
        assert self._rows is not None  # noqa: S101  who calls has rows
        place = -self._rows[ROW_COLUMN].to_numpy().astype(np.int64)
        began, recorded = (self._moments(name) for name in (_BEGAN, _RECORDED))
        return place, recorded, began, mask(self.values(CURRENT))

    def _moments(self, column: str) -> npt.NDArray[np.int64]:
        moments: npt.NDArray[np.int64] = (
            self.values(column).cast(pa.int64()).fill_null(NEVER).to_numpy()
        )
        return moments


def _fitting(plan: Plan, table: str, wanted: Mapping[str, pa.DataType]) -> list[str]:
    """Those of the wanted columns that the contract has, as what is meant."""
    there = next((one.columns for one in plan.tables if one.name == table), ())
    return [
        column.name
        for column in there
        if column.name in wanted
        and not column.repeated
        and column.kind in _FITS[wanted[column.name]]
    ]
