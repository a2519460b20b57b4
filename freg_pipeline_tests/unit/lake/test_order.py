"""The order of rows in files is that of a full sort, however the rows came."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.lake.order import ascending, order_of

_ROW = st.tuples(st.integers(0, 2**62), st.integers(0, 3), st.sampled_from("abc") | st.none())


def _table(rows: list[tuple[int, int, str | None]]) -> pa.Table:
    persons, numbers, texts = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "person": pa.array(persons, pa.int64()),
            "nr": pa.array(numbers, pa.int32()),
            "text": pa.array(texts, pa.string()),
        }
    )


def _ordered(rows: pa.Table, buckets: int, keys: list[str]) -> list[dict[str, object]]:
    bucket = (rows["person"].to_numpy() % buckets).astype(np.int16)
    order = order_of(rows, bucket, keys)
    assert sorted(order.tolist()) == list(range(len(rows)))
    return rows.append_column("bucket", pa.array(bucket)).take(pa.array(order)).to_pylist()


@given(st.lists(_ROW, max_size=30), st.integers(1, 3), st.integers(1, 4))
def test_rows_ascend_by_bucket_and_keys(
    rows: list[tuple[int, int, str | None]], buckets: int, pieces: int
) -> None:
    table = _table(rows)
    chunked = pa.concat_tables([table.slice(at, 5) for at in range(0, len(table), 5)] or [table])
    found = _ordered(chunked, buckets, ["person", "nr"])
    for one, other in pairwise((row["bucket"], row["person"], row["nr"]) for row in found):
        assert one <= other
    assert sorted((row["person"], row["nr"], str(row["text"])) for row in found) == sorted(
        (person, number, str(text)) for person, number, text in rows
    )


@given(st.lists(_ROW, max_size=30))
def test_texts_and_gaps_are_sorted_too(rows: list[tuple[int, int, str | None]]) -> None:
    found = _ordered(_table(rows), 1, ["text", "nr"])
    keys = [(row["text"] is None, row["text"] or "", row["nr"]) for row in found]
    assert keys == sorted(keys)


def test_without_keys_rows_of_a_bucket_stay_as_they_came() -> None:
    table = _table([(4, 0, "a"), (3, 0, "b"), (2, 0, "c"), (1, 0, "a")])
    assert [row["person"] for row in _ordered(table, 2, [])] == [4, 2, 3, 1]


@given(st.lists(st.lists(st.integers(-1, 9), max_size=6)))
def test_rows_ascend_and_those_alike_stay_in_their_order(pieces: list[list[int]]) -> None:
    numbers = [number for piece in pieces for number in piece]
    chunks = pa.chunked_array([pa.array(piece, pa.int32()) for piece in pieces], pa.int32())
    rows = pa.table({"dok_nr": chunks, "came": pa.array(range(len(numbers)))})
    found = ascending(rows, "dok_nr", 3).to_pydict()
    expected = sorted(zip(numbers, range(len(numbers)), strict=True))
    assert list(zip(found["dok_nr"], found["came"], strict=True)) == expected
