"""The whole number that stands for an identity number within files, and the bucket that it is in.

Files carry it as a hidden column: rows of persons that a delta replaces are hidden by it, which
costs a reader much less than the number as text (docs/decisions/0017).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PERSONS_A_BUCKET = 500_000
MOST_BUCKETS = 64
_SPREAD = 9973  # a prime: numbers that follow a pattern are spread all the same


def key_sql(column: str) -> str:
    """A number's key, as an SQL expression of type BIGINT: its digits; of what is none, a hash."""
    digits = f"CASE WHEN length({column}) = 11 THEN TRY_CAST({column} AS UBIGINT) END"
    other = f"(md5_number_lower({column}) >> 2) | (1::UBIGINT << 62)"  # above all that have digits
    return f"coalesce({digits}, {other})::BIGINT"


def bucket_sql(key: str, buckets: int) -> str:
    """The bucket of a key, as an SQL expression: spread evenly, and the same for ever.

    Among twice as many buckets, those of bucket ``n`` are in ``n`` and ``n + buckets``.
    """
    return f"({key} % {_SPREAD} % {buckets})::SMALLINT"


def buckets_of(keys: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.int64]:
    """The bucket of each key, as :func:`bucket_sql` tells it."""
    return keys % _SPREAD % buckets


def bucket_count(persons: int) -> int:
    """How many buckets: a power of two, each of about PERSONS_A_BUCKET."""
    buckets = 1
    while persons > buckets * PERSONS_A_BUCKET and buckets < MOST_BUCKETS:
        buckets *= 2
    return buckets
