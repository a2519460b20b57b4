"""Whose document it is, and how new: the only elements that are known by name.

A person's current number is that of an ``identifikasjonsnummer`` row with status ``iBruk``; a
person whose only number is ``opphoert`` keeps that one (``design.md``, tables). A document's age is
the latest ``ajourholdstidspunkt`` anywhere in it (``folkeregisteret-api.md``, uttrekk/komplett).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.normalize.flatten import Rows

_ENTITY = "identifikasjonsnummer"
_NUMBER, _STATUS, _IN_USE = "foedselsEllerDNummer", "status", "iBruk"
_CURRENT, _RECORDED = "erGjeldende", "ajourholdstidspunkt"
_NEVER = np.iinfo(np.int64).min


def recorded_at(tables: Sequence[Rows], documents: int) -> pa.Array:
    """For each document the latest ajourholdstidspunkt in it (timestamp, UTC), null if none."""
    latest = np.full(documents, _NEVER)
    for rows in tables:
        times = _times(rows)
        if times is None or not len(times):
            continue
        starts = np.flatnonzero(np.diff(rows.parent, prepend=-1))
        at = rows.parent[starts]
        latest[at] = np.maximum(latest[at], np.maximum.reduceat(times, starts))
    return pa.array(latest, mask=latest == _NEVER).cast(pa.timestamp("us", tz="UTC"))


def current_numbers(tables: Sequence[Rows], documents: int) -> pa.Array:
    """For each document its person's current number, null where it tells none."""
    rows = next((rows for rows in tables if rows.table.path == (_ENTITY,)), None)
    numbers = None if rows is None else _find(rows, _NUMBER)
    if rows is None or numbers is None:
        return pa.nulls(documents, pa.string())
    order = np.lexsort((np.arange(len(rows.parent)), *_preference(rows), rows.parent))
    there = numbers.is_valid().to_numpy(zero_copy_only=False)
    order = order[there[order]]
    best = np.full(documents, -1)
    best[rows.parent[order]] = order  # the last of a document's rows is the preferred one
    return numbers.take(pa.array(best, mask=best < 0))


def _preference(
    rows: Rows,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Sort keys, the weightiest last: in use, then not history, then recorded latest."""
    size = len(rows.parent)
    status, current = _find(rows, _STATUS), _find(rows, _CURRENT)
    times = _times(rows)
    in_use = _mask(None if status is None else pc.equal(status, _IN_USE), size, missing=False)
    not_history = _mask(current, size, missing=True)
    return (times if times is not None else np.zeros(size, np.int64), not_history, in_use)


def _mask(values: pa.Array | None, size: int, *, missing: bool) -> npt.NDArray[np.bool_]:
    if values is None:
        return np.full(size, missing)
    mask: npt.NDArray[np.bool_] = values.fill_null(missing).to_numpy(zero_copy_only=False)
    return mask


def _times(rows: Rows) -> npt.NDArray[np.int64] | None:
    times = _find(rows, _RECORDED)
    if times is None or not pa.types.is_timestamp(times.type):
        return None
    filled: npt.NDArray[np.int64] = times.cast(pa.int64()).fill_null(_NEVER).to_numpy()
    return filled


def _find(rows: Rows, name: str) -> pa.Array | None:
    for column, values in zip(rows.table.columns, rows.columns, strict=True):
        if column.path == (name,):
            return values
    return None
