"""Answers that are small on their way, and large once they are read.

A list of empty lists takes thirty times its size, of empty texts eighty; so a bound on bytes alone
is none on memory. What the register sends (documents, events, batches, contracts; JSON and XML) has
more than twenty bytes to a value.
"""

from __future__ import annotations

from freg_pipeline.envelope import is_xml
from freg_pipeline.errors import RefusedError

# To a value, on the average. In XML each sign counts that begins a tag or a value.
LEAST_BYTES, LEAST_IN_XML = 8, 12
FREE = 100_000  # values that any answer may have


class HollowError(RefusedError):
    """An answer is nothing but brackets and commas."""


def require_substance(body: bytes, service: str) -> None:
    """See that a body takes memory as its size says, before it is read.

    Args:
        body: of an answer with status 200, unpacked.
        service: its name, for the error.

    Raises:
        HollowError: it has more values than anything real of that size.
    """
    if len(body) < FREE:
        return
    is_marked_up = is_xml(body)
    least = LEAST_IN_XML if is_marked_up else LEAST_BYTES
    values = sum(map(body.count, (b"<", b"=") if is_marked_up else (b",", b"[", b"{")))
    if values > FREE and values * least > len(body):
        raise HollowError(
            f"{service} answered {values:,} values in {len(body):,} bytes, which is no answer of "
            "the register's: it was not read",
            "See that FREG_BASE_URL leads to the register, and what stands between here and there",
        )
