"""Counts of persons without those of so few that they may tell who they are."""

from __future__ import annotations

from itertools import combinations

import polars as pl
import pyarrow as pa

COUNT = "antall"
_HIDDEN, _CELL = "_hidden", "_cell"


def without_small_cells(cells: pa.Table, by: list[str], minimum: int) -> pa.Table:
    """The cells that may be told, in the order of what they are of.

    Those of fewer than ``minimum`` are left out. Whoever knows a total, of some columns or of all,
    from elsewhere, could reckon one that is left out from the others: so wherever a total's cells
    that are left out are one alone, or of fewer than ``minimum`` together, the smallest of the
    others is left out, too.

    Args:
        cells: each combination that there is, once, and how many persons: ``antall``.
        by: the columns of which they are combinations.
        minimum: of persons.
    """
    frame = pl.DataFrame(pl.from_arrow(cells)).sort(by).with_row_index(_CELL)
    frame = frame.with_columns((pl.col(COUNT) < minimum).alias(_HIDDEN))
    totals = [list(some) for size in range(len(by)) for some in combinations(by, size)]
    while more := {cell for of in totals for cell in _to_hide(frame, of, minimum)}:
        frame = frame.with_columns(pl.col(_HIDDEN) | pl.col(_CELL).is_in(list(more)))
    told = frame.filter(~pl.col(_HIDDEN)).select(*by, COUNT)
    return told.to_arrow().cast(cells.select([*by, COUNT]).schema)


def _to_hide(frame: pl.DataFrame, of: list[str], minimum: int) -> list[int]:
    """A further cell of each total that would give one away."""
    hidden = pl.col(_HIDDEN)
    together = pl.col(COUNT).filter(hidden).sum()
    gives_away = (hidden.sum() == 1) | (hidden.any() & (together < minimum))
    smallest = pl.col(_CELL).filter(~hidden).sort_by(pl.col(COUNT).filter(~hidden)).first()
    total: list[pl.Expr] = [pl.col(name) for name in of] or [pl.lit(0).alias("_all")]
    found = frame.group_by(total).agg(gives_away.alias("gives"), smallest.alias("cell"))
    return found.filter(pl.col("gives") & pl.col("cell").is_not_null())["cell"].to_list()
