"""Of counts no small one is told, nor can it be reckoned from totals that are known elsewhere."""

from __future__ import annotations

from datetime import date
from itertools import product

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.pseudonyms.rules import Rule
from freg_pipeline.pseudonyms.small_cells import without_small_cells

BY = {"kommune": Rule.KOMMUNE, "alder": Rule.FIVE_YEARS, "kjoenn": Rule.KEEP}
# What is known of each elsewhere: it, a coarser kind of it, or all together.
KNOWN = (
    (lambda one: one, lambda one: one and one[:2], lambda one: ""),
    (lambda one: one, lambda one: one // 10, lambda one: ""),
    (lambda one: one, lambda one: ""),
)
KINDS = st.tuples(
    st.sampled_from(["0301", "5001", "5003", None]), st.sampled_from([1980, 1985, 1990]),
    st.sampled_from(["kvinne", "mann"]),
)  # fmt: skip
Cells = dict[tuple[object, ...], int]
CELLS = st.dictionaries(KINDS, st.integers(1, 12))


def _told(cells: Cells, minimum: int) -> Cells:
    kinds = [pa.string(), pa.int16(), pa.string()]
    columns = {
        name: pa.array([cell[place] for cell in cells], kind)
        for place, (name, kind) in enumerate(zip(BY, kinds, strict=True))
    }
    table = pa.table({**columns, "antall": pa.array([*cells.values()], pa.int64())})
    found = without_small_cells(table, BY, minimum)
    assert found.schema == table.schema
    rows = [tuple(row.values()) for row in found.to_pylist()]
    return {row[:3]: row[3] for row in rows}


@given(CELLS, st.integers(3, 6))
def test_no_total_gives_a_small_cell_away(cells: Cells, minimum: int) -> None:
    told = _told(cells, minimum)
    assert told.items() <= cells.items()
    assert all(count >= minimum for count in told.values())
    for kinds in product(*KNOWN):
        groups: dict[tuple[object, ...], list[tuple[object, ...]]] = {}
        for cell in cells:
            kind = tuple(make(value) for make, value in zip(kinds, cell, strict=True))
            groups.setdefault(kind, []).append(cell)
        for group in groups.values():
            hidden = [cells[cell] for cell in group if cell not in told]
            if hidden and len(hidden) < len(group):
                assert len(hidden) > 1
                assert sum(hidden) >= minimum


@given(CELLS, st.integers(3, 6))
def test_where_no_cell_is_small_all_are_told(cells: Cells, minimum: int) -> None:
    large = {cell: count + minimum for cell, count in cells.items()}
    assert _told(large, minimum) == large


def test_one_small_cell_takes_others_with_it() -> None:
    cells: Cells = {
        ("0301", year, sex): 50 for year in (1980, 1985, 1990) for sex in ("kvinne", "mann")
    }
    cells |= {("0301", 1980, "kvinne"): 2, ("0301", 1985, "mann"): 40}
    hidden = {*cells} - {*_told(cells, 5)}
    # Its year has one other cell, which goes; and each sex needs one more, of the same year.
    assert hidden == {("0301", year, sex) for year in (1980, 1985) for sex in ("kvinne", "mann")}


def test_a_fylkes_total_gives_no_kommune_away() -> None:
    cells: Cells = {(kommune, 1980, "mann"): 50 for kommune in ("5001", "5003", "0301", "0302")}
    cells |= {("5001", 1980, "mann"): 3, ("0301", 1980, "mann"): 4}
    hidden = {*cells} - {*_told(cells, 5)}
    assert hidden == {*cells}  # each fylke needs another one of its own


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        (Rule.YEAR, [1980, 1981, 1990, 1991, None]),
        (
            Rule.MONTH,
            [date(1980, 1, 1), date(1980, 2, 1), date(1990, 1, 1), date(1990, 2, 1), None],
        ),
        (Rule.GRUNNKRETS, [101, 102, 201, 202, None]),
        (Rule.GRUNNKRETS, ["0101", "0102", "0201", "0202", "unknown"]),
    ],
)
def test_coarser_kinds_of_each_rule_are_totals(rule: Rule, values: list[object]) -> None:
    table = pa.table({"of": values, "antall": pa.array([3, 50, 4, 60, 70], pa.int64())})
    found = without_small_cells(table, {"of": rule}, 5)
    assert found.schema == table.schema
    assert found["antall"].to_pylist() == [70]
