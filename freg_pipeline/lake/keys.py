"""The whole number that stands for an identity number within files, and the bucket that it is in.

Files carry it as a hidden column: rows of persons that a delta replaces are hidden by it, which
costs a reader much less than the number as text (docs/decisions/0017).
"""

from __future__ import annotations

import hashlib
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

PERSONS_A_BUCKET = 125_000
MOST_BUCKETS = 64
_SPREAD = 9973  # a prime: numbers that follow a pattern are spread all the same


def key_sql(column: str) -> str:
    """A number's key, as an SQL expression of type BIGINT: its digits; of what is none, a hash."""
    digits = f"CASE WHEN regexp_full_match({column}, '[0-9]{{11}}') THEN {column}::UBIGINT END"
    other = f"(md5_number_lower({column}) >> 2) | (1::UBIGINT << 62)"  # above all that have digits
    return f"coalesce({digits}, {other})::BIGINT"


def keys_of(numbers: pa.StringArray) -> npt.NDArray[np.int64]:
    """The key of each number, as :func:`key_sql` tells it; of null 0."""
    digits = pc.match_substring_regex(numbers, r"^[0-9]{11}\z")
    keys = pc.if_else(digits, numbers, None).cast(pa.int64()).fill_null(0).to_numpy().copy()
    others = pc.indices_nonzero(pc.invert(digits)).to_numpy()
    for place in others.tolist():
        digest = hashlib.md5(numbers[place].as_py().encode(), usedforsecurity=False).digest()
        keys[place] = (int.from_bytes(digest[8:], "little") >> 2) | (1 << 62)
    return cast("npt.NDArray[np.int64]", keys)


def bucket_sql(key: str, buckets: int) -> str:
    """The bucket of a key, as an SQL expression: spread evenly, and the same for ever.

    Among twice as many buckets, those of bucket ``n`` are in ``n`` and ``n + buckets``.
    """
    return f"({key} % {_SPREAD} % {buckets})::SMALLINT"


def buckets_of(keys: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.int64]:
    """The bucket of each key, as :func:`bucket_sql` tells it."""
    return keys % _SPREAD % buckets


def among(keys: npt.NDArray[np.int64], ascending: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which keys are among others, which ascend.

    NumPy's own ``isin`` and ``unique`` hash, and take a hundred times as long on numbers like ours.
    """
    places = np.searchsorted(ascending, keys)
    places[places == len(ascending)] = 0
    return ascending[places] == keys if len(ascending) else np.zeros(len(keys), np.bool_)


def distinct(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each key once, ascending; quick where they ascend already."""
    ascending = np.sort(keys, kind="stable")
    first = np.ones(len(ascending), np.bool_)
    first[1:] = ascending[1:] != ascending[:-1]
    return ascending[first]


def in_slices(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each key's slice: its bucket of MOST_BUCKETS, numbered so that any fewer are in a row.

    Of any number of buckets, a power of two, bucket ``n`` is one stretch of the MOST_BUCKETS:
    ``stretch_of(n, buckets)``.
    """
    return _REVERSED[keys % _SPREAD % MOST_BUCKETS]


def stretch_of(bucket: int, buckets: int) -> range:
    """The slices, as :func:`in_slices` tells them, that a bucket is made of."""
    size = MOST_BUCKETS // buckets
    first = int(_REVERSED[bucket])
    return range(first, first + size)


def _reversed(bits: int) -> npt.NDArray[np.int64]:
    """Of each number of so many bits, the one with these bits the other way round."""
    numbers = np.arange(1 << bits)
    found = np.zeros(1 << bits, np.int64)
    for bit in range(bits):
        found |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    return found


_REVERSED = _reversed(MOST_BUCKETS.bit_length() - 1)


def bucket_count(persons: int) -> int:
    """How many buckets: a power of two, each of about PERSONS_A_BUCKET."""
    buckets = 1
    while persons > buckets * PERSONS_A_BUCKET and buckets < MOST_BUCKETS:
        buckets *= 2
    return buckets
