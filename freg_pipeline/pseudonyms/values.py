"""What a rule makes of a column's values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.lake.norwegian import ZONE
from freg_pipeline.pseudonyms.key import Key, as_text
from freg_pipeline.pseudonyms.numbers_in_text import without_numbers
from freg_pipeline.pseudonyms.rules import Rule

_FIVE = 5
_KOMMUNE = r"^[0-9]{4}$"


def ruled(
    values: pa.Array, rule: Rule, key: Key | None, hidden: pa.Array | None = None
) -> tuple[pa.Array, int]:
    """A column as it goes out, and how many of its values held a number where none belongs.

    Args:
        values: the column; of a list each of its values.
        rule: what becomes of them.
        key: makes pseudonyms; None: there are none.
        hidden: numbers of whom nothing goes out: in their place there is nothing.
    """
    if not pa.types.is_list(values.type):
        return _ruled(values, rule, key, hidden)
    inner, found = _ruled(values.flatten(), rule, key, hidden)
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
    if rule is Rule.PSEUDONYM:  # in their own order: the one of the numbers would tell of these
        parents = np.repeat(np.arange(len(values)), lengths)
        inner, lengths = _sorted(inner, parents, len(values))
    ends = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    lists = pa.ListArray.from_arrays(ends, inner)
    return pc.if_else(pc.is_valid(values), lists, pa.scalar(None, lists.type)), found


def holding(values: pa.Array, numbers: pa.Array) -> pa.BooleanArray:
    """Which values of a column are one of some numbers; of lists, which have one."""
    if not pa.types.is_list(values.type):
        return pc.is_in(as_text(values), value_set=numbers)
    among = holding(values.flatten(), numbers)
    rows = np.zeros(len(values), np.bool_)
    rows[pc.list_parent_indices(values).filter(among).to_numpy()] = True
    return pa.array(rows)


def _ruled(
    values: pa.Array, rule: Rule, key: Key | None, hidden: pa.Array | None
) -> tuple[pa.Array, int]:
    if rule is Rule.PSEUDONYM:
        assert key is not None  # noqa: S101  rules with pseudonyms are opened with a key
        texts = as_text(values)
        if hidden is not None:
            texts = pc.if_else(pc.is_in(texts, value_set=hidden), None, texts)
        return key.pseudonyms(texts), 0
    return without_numbers(_coarser(values, rule))


def _coarser(values: pa.Array, rule: Rule) -> pa.Array:
    if rule in {Rule.YEAR, Rule.FIVE_YEARS}:
        years = values if pa.types.is_integer(values.type) else pc.year(_local(values))
        if rule is Rule.FIVE_YEARS:
            years = pc.multiply(pc.floor(pc.divide(pc.cast(years, pa.float64()), _FIVE)), _FIVE)
        return years.cast(pa.int16())
    if rule is Rule.MONTH:
        return pc.floor_temporal(_local(values), unit="month").cast(pa.date32())
    if rule in {Rule.KOMMUNE, Rule.FYLKE}:
        is_one = pc.match_substring_regex(values, _KOMMUNE)
        told = values if rule is Rule.KOMMUNE else pc.utf8_slice_codeunits(values, 0, 2)
        return pc.if_else(is_one, told, pa.scalar(None, values.type))
    return values


def _local(moments: pa.Array) -> pa.Array:
    """Days as they are; of moments what Norway's calendar showed."""
    if pa.types.is_timestamp(moments.type):
        return pc.local_timestamp(moments.cast(pa.timestamp("us", tz=ZONE)))
    return moments


def _sorted(inner: pa.Array, parents: np.ndarray, lists: int) -> tuple[pa.Array, np.ndarray]:
    """The values of lists, each list's sorted and without NULL, and how many each has."""
    table = pa.table({"parent": parents, "value": inner}).filter(pc.is_valid(inner))
    table = table.sort_by([("parent", "ascending"), ("value", "ascending")])
    lengths = np.bincount(table["parent"].to_numpy(), minlength=lists)
    return table["value"].combine_chunks(), lengths
