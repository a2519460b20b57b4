"""What the uttrekk of a release took, from what its batches say."""

from __future__ import annotations

import time
from collections.abc import Sequence

from freg_pipeline.journal.measures import (
    BatchTook,
    Measures,
    Span,
    quantile,
    seconds_of,
    together,
)
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import LandedBatch


def measures_of(uttrekk: Uttrekk, landed: Sequence[LandedBatch], began: float) -> Measures:
    """Sum up what it took.

    Args:
        uttrekk: whose release is being made.
        landed: its batches.
        began: when making its release was begun, by :func:`time.monotonic`.
    """
    took = [batch.took for batch in landed if batch.took is not None]
    asked = together(one.look_ups for one in took)
    waited = sorted(asked.millis)
    seconds = seconds_of(asked.spans)
    stages = {
        **_until_all_were_here(uttrekk, took),
        "look_ups": seconds,
        "decode": seconds_of(span for one in took for span in one.decoding),
        "release": time.monotonic() - began,
    }
    return Measures(
        look_ups=len(waited),
        look_ups_per_second=round(len(waited) / seconds, 2) if waited and seconds else None,
        latency_p50=quantile(waited, 0.5) / 1_000 if waited else None,
        latency_p95=quantile(waited, 0.95) / 1_000 if waited else None,
        bytes=asked.bytes,
        retries=asked.retries,
        seconds={stage: round(lasted, 3) for stage, lasted in stages.items()},
    )


def _until_all_were_here(uttrekk: Uttrekk, took: Sequence[BatchTook]) -> dict[str, float]:
    """How long the stages lasted until all of its identifiers were here."""
    came = [span for one in took for span in one.identifiers.spans]
    if not came:
        return {}
    first, last = min(came).began, max(span.ended for span in came)
    begun, accepted = uttrekk.request.created, uttrekk.accepted_at
    if accepted is None:
        return {"identifiers": _lasted(Span(begun, last))}
    return {
        "order": _lasted(Span(begun, accepted)),
        "wait": _lasted(Span(accepted, first)),
        "identifiers": _lasted(Span(first, last)),
    }


def _lasted(span: Span) -> float:
    """In seconds; a clock may have been put back."""
    return max(0.0, seconds_of([span]))
