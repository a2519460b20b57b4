"""Counts of persons without those of so few that they may tell who they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import polars as pl
import pyarrow as pa

from freg_pipeline.pseudonyms.rules import Rule

COUNT = "antall"
_HIDDEN, _CELL = "_hidden", "_cell"


def _digits(places: int) -> Callable[[pl.Expr], pl.Expr]:
    return lambda value: value.cast(pl.String).str.slice(0, places)


def _years(many: int) -> Callable[[pl.Expr], pl.Expr]:
    return lambda value: value // many


# What else others count by: fylker, parts of a kommune, years and groups of them.
_COARSER: Mapping[Rule, tuple[Callable[[pl.Expr], pl.Expr], ...]] = {
    Rule.KOMMUNE: (_digits(2),),
    Rule.GRUNNKRETS: (lambda value: value.cast(pl.Int64, strict=False) // 100,),
    Rule.MONTH: (
        lambda value: value.dt.year(),
        lambda value: value.dt.year() // 5,
        lambda value: value.dt.year() // 10,
    ),
    Rule.YEAR: (_years(5), _years(10)),
    Rule.FIVE_YEARS: (_years(10),),
}


def without_small_cells(cells: pa.Table, by: Mapping[str, Rule], minimum: int) -> pa.Table:
    """The cells that may be told, in the order of what they are of.

    Those of fewer than ``minimum`` are left out. Whoever knows a total, of some columns or of all,
    from elsewhere, could reckon one that is left out from the others: so wherever a total's cells
    that are left out are one alone, or of fewer than ``minimum`` together, the smallest of the
    others is left out, too. Totals are of coarser kinds as well: of a fylke, of ten years.

    Args:
        cells: each combination that there is, once, and how many persons: ``antall``.
        by: the columns of which they are combinations, and as what they are told.
        minimum: of persons.
    """
    frame = pl.DataFrame(pl.from_arrow(cells)).sort([*by]).with_row_index(_CELL)
    frame = frame.with_columns((pl.col(COUNT) < minimum).alias(_HIDDEN))
    coarser = {
        f"{name}, {place}": make(pl.col(name))
        for name, rule in by.items()
        for place, make in enumerate(_COARSER.get(rule, ()))
    }
    frame = frame.with_columns(**coarser)
    levels = [[name, *(one for one in coarser if one.startswith(f"{name}, ")), ""] for name in by]
    _, *totals = ([one for one in of if one] for of in product(*levels))  # all but cells themselves
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
