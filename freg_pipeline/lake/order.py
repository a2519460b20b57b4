"""The order of rows in files: by bucket, and within it by the table's keys."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Order = npt.NDArray[np.int64]
_BUCKET = "_bucket"


def order_of(rows: pa.Table, bucket: npt.NDArray[np.int16], keys: Sequence[str]) -> Order:
    """Where to take rows from, so that they ascend by bucket and keys.

    Nearly all tables are sorted by person and by numbers within the person's document, and come
    with each person's rows together and in order: then only the persons are sorted. That it is so
    is looked at, not taken for granted.

    Args:
        rows: in the order that they came in.
        bucket: of each row.
        keys: columns, the first one first; none: rows of a bucket stay as they came.
    """
    if not all(is_whole(rows[name]) for name in keys):
        return _by_values(rows, bucket, keys)
    numbers: list[Order] = [rows[name].to_numpy() for name in keys]
    order = np.argsort(numbers[0], kind="stable") if numbers else np.arange(len(rows))
    if len(bucket) and bucket.min() != bucket.max():
        order = order[np.argsort(bucket[order], kind="stable")]
    columns: list[npt.NDArray[Any]] = [bucket, *numbers]
    if neighbours([column[order] for column in columns])[0]:
        return order
    by_all: Order = np.lexsort(columns[::-1])  # the last one first
    return by_all


def ascending(rows: pa.Table, name: str, together: int) -> pa.Table:
    """Rows by a column of whole numbers; those that have the same stay in their order.

    Args:
        rows: of an answer they come together, mostly in order: then they are moved without a copy.
        name: the column.
        together: numbers an answer.
    """
    numbers = rows[name].to_numpy()
    falls = np.diff(numbers) < 0
    if not falls.any():
        return rows
    cuts = np.flatnonzero(falls | (np.diff(numbers // together) != 0)) + 1
    starts = [0, *cuts.tolist()]
    stretches = sorted(pairwise([*starts, len(rows)]), key=lambda stretch: int(numbers[stretch[0]]))
    apart = all(numbers[end - 1] < numbers[start] for (_, end), (start, _) in pairwise(stretches))
    if apart:
        return pa.concat_tables([rows.slice(start, end - start) for start, end in stretches])
    return rows.take(pa.array(np.argsort(numbers, kind="stable")))


def is_whole(column: pa.ChunkedArray) -> bool:
    """Whether a column holds whole numbers, and no gaps."""
    return bool(pa.types.is_integer(column.type)) and not column.null_count


def neighbours(columns: Sequence[npt.NDArray[Any]]) -> tuple[bool, int]:
    """Whether rows ascend, and how many are the same as the one before.

    Of two neighbours the first column that differs tells which is the lower one.
    """
    undecided: npt.NDArray[np.bool_] = np.ones(max(len(columns[0]) - 1, 0), dtype=np.bool_)
    for column in columns:
        before, after = column[:-1], column[1:]
        if bool((undecided & (before > after)).any()):
            return False, 0
        undecided &= before == after
    return True, int(np.count_nonzero(undecided))


def _by_values(rows: pa.Table, bucket: npt.NDArray[np.int16], keys: Sequence[str]) -> Order:
    sorted_by = rows.select(keys).append_column(_BUCKET, pa.array(bucket, pa.int16()))
    wanted = [(name, "ascending") for name in (_BUCKET, *keys)]
    found: Order = pc.sort_indices(sorted_by, sort_keys=wanted).to_numpy().astype(np.int64)
    return found
