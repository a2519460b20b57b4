"""What an uttrekk took: kept with what came of it, and summed up in its release.

Each answer tells what it took, and so does each batch that has landed. Whoever dies between the two
loses nothing of it: the answers that are here tell it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec


class Span(msgspec.Struct, frozen=True, array_like=True, order=True):
    """From when to when (UTC)."""

    began: datetime
    ended: datetime


class Took(msgspec.Struct, frozen=True, omit_defaults=True):
    """What it took to get something from the register.

    Attributes:
        spans: when it was worked on, waits for its turn and for another try among that.
        millis: of each request that was answered, from sending it to having all of the answer.
        bytes: of these answers, decompressed.
        retries: requests that were sent again.
    """

    spans: tuple[Span, ...] = ()
    millis: tuple[int, ...] = ()
    bytes: int = 0
    retries: int = 0


class BatchTook(msgspec.Struct, frozen=True):
    """What a batch took.

    Attributes:
        identifiers: to get its identifiers.
        look_ups: to get the answers that it was decoded from.
        decoding: to make its tables; while its answers come, an answer at a time.
    """

    identifiers: Took
    look_ups: Took
    decoding: tuple[Span, ...]


class Measures(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the uttrekk of a release took. Times are wall clock, and those of stages may overlap.

    Attributes:
        look_ups: requests for documents that were answered, of the answers that are kept.
        look_ups_per_second: in the time in which any was under way, waits among that.
        latency_p50: seconds; half of them were answered within it.
        latency_p95: seconds; 95 % of them were.
        bytes: of their answers, decompressed.
        retries: how many were sent again, after a fault or because the register asked to wait.
        seconds: by stage, in their order: ``order`` (until the register had accepted the job),
            ``wait`` (until it had the first batch), ``identifiers`` (until all batches were here),
            ``look_ups``, ``decode`` and ``release``. Of the first three, an uttrekk that is no job
            at the register has ``identifiers`` at most. What a process did that was killed counts
            as far as anything of it was kept.
    """

    look_ups: int = 0
    look_ups_per_second: float | None = None
    latency_p50: float | None = None
    latency_p95: float | None = None
    bytes: int = 0
    retries: int = 0
    seconds: dict[str, float] = {}


def just_now(seconds: float) -> Span:
    """What lasted so many seconds, and has ended now."""
    now = datetime.now(UTC)
    return Span(now - timedelta(seconds=seconds), now)


def together(all_of: Iterable[Took]) -> Took:
    """What several took; spans that touch become one."""
    took = list(all_of)
    return Took(
        spans=united(span for one in took for span in one.spans),
        millis=tuple(millis for one in took for millis in one.millis),
        bytes=sum(one.bytes for one in took),
        retries=sum(one.retries for one in took),
    )


def united(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time as spans that don't overlap, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.began <= found[-1].ended:
            found[-1] = Span(found[-1].began, max(found[-1].ended, span.ended))
        else:
            found.append(span)
    return tuple(found)


def seconds_of(spans: Iterable[Span]) -> float:
    """How long: time that several of them cover counts once."""
    return sum((span.ended - span.began).total_seconds() for span in united(spans))


def quantile(ascending: Sequence[int], share: float) -> int:
    """The least of some numbers, in order, that so large a share of them doesn't exceed."""
    place = -(-len(ascending) * share // 1)
    return ascending[max(0, int(place) - 1)]
