"""What the staging tables hold of numbers to tell persons apart, and no part was asked for.

The register gives ``identifikasjonsnummer`` with every answer, and look-ups ask for the ended
numbers beside what is configured (freg_pipeline.extract.parts). Who landed is decided by all of
them; the tables hold those only that the configured parts give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Plan
from freg_pipeline.extract.parts import HISTORY, NUMBERS, entities
from freg_pipeline.lake.keys import among, distinct
from freg_pipeline.lake.staging import Staging

_CURRENT, _ROW = "er_gjeldende", "rad_nr"


class UnaskedNumbers:
    """Takes rows out of the tables of ``identifikasjonsnummer``.

    Args:
        staging: the batches' tables.
        plan: the contract's tables.
        parts: whose content is landed.
    """

    def __init__(self, staging: Staging, plan: Plan, parts: Collection[str]) -> None:
        self._staging = staging
        # By name: whether it holds lists from within the rows of the other one.
        self._inner = {one.name: one.levels > 0 for one in plan.tables if one.entity == NUMBERS}
        self._asked = NUMBERS in entities(parts)
        self._all = self._asked and HISTORY in parts

    def without(self, name: str, batch: int, rows: pa.Table) -> pa.Table:
        """The rows of a batch's table, or a piece of it, without those that nobody asked for."""
        if self._all or name not in self._inner:
            return rows
        if not self._asked:
            return rows.slice(0, 0)
        if self._inner[name]:
            over = self._history.get(batch, np.empty(0, np.int64))
            return rows.filter(pa.array(~among(_places(rows), over)))
        return rows.filter(pc.invert(_is_history(rows)))

    @cached_property
    def _history(self) -> dict[int, npt.NDArray[np.int64]]:
        """By batch, the rows that are history."""
        found: dict[int, list[npt.NDArray[np.int64]]] = defaultdict(list)
        for batch, rows in self._staging.read(NUMBERS):
            found[batch].append(_places(rows.filter(_is_history(rows))))
        return {batch: distinct(np.concatenate(places)) for batch, places in found.items()}


def _is_history(rows: pa.Table) -> pa.Array | pa.ChunkedArray:
    if _CURRENT not in rows.column_names:
        return pa.array(np.zeros(len(rows), bool))
    return pc.fill_null(pc.invert(rows[_CURRENT]), fill_value=False)


def _places(rows: pa.Table) -> npt.NDArray[np.int64]:
    places: npt.NDArray[np.int64] = (rows["dok_nr"].to_numpy().astype(np.int64) << 31) + rows[
        _ROW
    ].to_numpy()
    return places
