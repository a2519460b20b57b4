"""Decoders that are wrong in one way each: ``python -m freg_pipeline_tests.fuzz.mutants``.

What the decoder is held against has to notice every one of them; those that it doesn't are told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from unittest import mock

import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.normalize.columns import Columns
from freg_pipeline_tests.fuzz.decoder import Fuzz
from freg_pipeline_tests.fuzz.made import answer

_ANSWERS = 300
Change = Callable[[pa.Array], pa.Array]


def _less(values: pa.Array) -> pa.Array:
    return pa.concat_arrays([values[:-1], pa.nulls(1, values.type)]) if len(values) else values


def _of(kind: Callable[[pa.DataType], bool], change: Change) -> Change:
    return lambda values: change(values) if kind(values.type) else values


def _swapped(values: pa.Array) -> pa.Array:
    """The last value in place of each."""
    return pa.array([values[-1].as_py()] * len(values), values.type) if len(values) else values


CHANGES: dict[str, Change] = {
    "a value less": _less,
    "no values": lambda values: pa.nulls(len(values), values.type),
    "a letter less": _of(pa.types.is_string, lambda values: pc.utf8_slice_codeunits(values, 1)),
    "another letter": _of(
        pa.types.is_string, lambda values: pc.replace_substring(values, "a", "b")
    ),
    "a number off by one": _of(
        lambda kind: kind == pa.int64(), lambda values: pc.bit_wise_xor(values, pa.scalar(1))
    ),
    "yes for no": _of(pa.types.is_boolean, pc.invert),
    "another's text": _of(pa.types.is_string, _swapped),
}


def unnoticed() -> list[str]:
    """The ways to be wrong that nothing tells of."""
    found = []
    column = Columns.column
    for name, change in CHANGES.items():

        def changed(self: Columns, table: object, place: int, change: Change = change) -> pa.Array:
            return change(column(self, table, place))  # type: ignore[arg-type]

        with mock.patch.object(Columns, "column", changed):
            if not _is_noticed():
                found.append(name)
    return found


def _is_noticed() -> bool:
    fuzz = Fuzz()
    for seed in range(_ANSWERS):
        try:
            fuzz.read(*answer(seed))
        except AssertionError:
            return True
    return False


if __name__ == "__main__":
    sys.exit("\n".join(unnoticed()) or None)
