"""Documents as Arrow structs -> rows of every table of the plan, without a loop over rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract import Column, Plan, Table
from freg_pipeline.contract.plan import ROW_COLUMN, element_column
from freg_pipeline.normalize.read import Frame, struct_of
from freg_pipeline.normalize.values import convert

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows of one table.

    Attributes:
        table: which.
        parent: for each row the index of its document in the frame; ascending.
        keys: ``rad_nr`` and the ``element_nr`` of each level.
        columns: the plan's columns, in its order and types.
        bad: for each column with values that can't be what the contract says, which rows.
    """

    table: Table
    parent: Indices
    keys: dict[str, pa.Array]
    columns: list[pa.Array]
    bad: dict[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class _Level:
    """Struct values of one repetition, with where they hang."""

    values: pa.StructArray
    parent: Indices
    keys: dict[str, pa.Array]


def flatten(frame: Frame, plan: Plan) -> Iterator[Rows]:
    """Yield the rows of every table that has any."""
    levels: dict[tuple[str, ...], _Level] = {}
    present = {member.name for member in frame.documents.type}
    for table in plan.tables:
        if table.path[0] not in present:
            continue
        level = _entity_level(frame, table) if table.levels == 0 else _child_level(table, levels)
        levels[table.path] = level
        if len(level.values):
            yield _rows(table, level)


def _entity_level(frame: Frame, table: Table) -> _Level:
    values, parent, index = _unfold(frame.documents.field(table.entity))
    return _Level(struct_of(values, table.entity), parent, {ROW_COLUMN: index})


def _child_level(table: Table, levels: dict[tuple[str, ...], _Level]) -> _Level:
    """The rows of a list within another table's rows: the longest path above it is that table."""
    above = max((path for path in levels if path == table.path[: len(path)]), key=len)
    outer = levels[above]
    values, at, index = _unfold(_descend(outer.values, table.path[len(above) :]))
    keys = {name: key.take(pa.array(at)) for name, key in outer.keys.items()}
    keys[element_column(table.levels)] = index
    return _Level(struct_of(values, table.path[-1]), outer.parent[at], keys)


def _unfold(values: pa.Array) -> tuple[pa.Array, Indices, pa.Array]:
    """A list's or a single value's elements, whose they are, and their index; nulls are left out.

    The index counts nulls, so that it is the element's place in the document.
    """
    if pa.types.is_list(values.type):
        at = pc.list_parent_indices(values).to_numpy()
        lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
        starts = np.cumsum(lengths) - lengths
        index = np.arange(len(at)) - np.repeat(starts, lengths)
        inner = values.flatten()
    else:
        at = np.arange(len(values))
        index = np.zeros(len(values))
        inner = values
    if inner.null_count:
        valid = inner.is_valid()
        keep = valid.to_numpy(zero_copy_only=False)
        inner, at, index = inner.filter(valid), at[keep], index[keep]
    return inner, at, pa.array(index.astype(np.int32))


def _descend(values: pa.Array, path: tuple[str, ...]) -> pa.Array:
    for name in path:
        values = _member(values, name)
    return values


def _member(values: pa.StructArray, name: str) -> pa.Array:
    """A struct's field, null where the struct is."""
    if values.null_count == 0:
        return values.field(name)
    return pc.struct_field(values, name)


def _rows(table: Table, level: _Level) -> Rows:
    columns: list[pa.Array] = []
    bad: dict[str, npt.NDArray[np.bool_]] = {}
    for column in table.columns:
        values, wrong = _column(level.values, column)
        columns.append(values)
        if wrong is not None:
            bad[".".join((*table.path, *column.path))] = wrong
    return Rows(table, level.parent, level.keys, columns, bad)


def _column(
    values: pa.StructArray, column: Column
) -> tuple[pa.Array, npt.NDArray[np.bool_] | None]:
    found = _descend(values, column.path)
    if column.repeated and found.values.null_count:  # `[null]` holds nothing
        found = _without_nulls(found)
    return convert(found, column)


def _without_nulls(lists: pa.ListArray) -> pa.ListArray:
    inner = lists.flatten()
    keep = inner.is_valid()
    parents = pc.list_parent_indices(lists).filter(keep).to_numpy()
    counts = np.bincount(parents, minlength=len(lists))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), inner.filter(keep), mask=lists.is_null())
