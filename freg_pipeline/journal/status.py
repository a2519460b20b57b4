"""Where an uttrekk stands, for people: a stage and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from freg_pipeline.journal.batches import CHUNK
from freg_pipeline.journal.kinds import KindName
from freg_pipeline.journal.uttrekk import Uttrekk

Stage = Literal[
    "requested",
    "uncertain",
    "ordered",
    "fetching",
    "fetched",
    "landed",
    "released",
    "gone",
    "abandoned",
]


@dataclass(frozen=True)
class Status:
    """Where an uttrekk stands. Counts only."""

    name: str
    kind: KindName
    created: datetime
    stage: Stage
    batches: int
    end_seen: bool
    identifiers: int
    answered: int
    landed: int
    release: str | None


def read_status(uttrekk: Uttrekk) -> Status:
    """Where it stands, by what is here."""
    batches = uttrekk.batches()
    sizes = {batch: len(uttrekk.identifiers(batch)) for batch in batches}
    answered = sum(
        _answered_identifiers(size, uttrekk.answered(batch)) for batch, size in sizes.items()
    )
    end, landed, release = uttrekk.end, uttrekk.landed(), uttrekk.release
    total = sum(sizes.values())
    return Status(
        name=uttrekk.name,
        kind=uttrekk.kind.name,
        created=uttrekk.request.created,
        stage=_stage(uttrekk, end, landed, release, fetched=answered == total),
        batches=len(batches),
        end_seen=end is not None,
        identifiers=total,
        answered=answered,
        landed=len(landed),
        release=release,
    )


def _stage(
    uttrekk: Uttrekk, end: int | None, landed: set[int], release: str | None, *, fetched: bool
) -> Stage:
    if release is not None:
        return "released"
    if uttrekk.is_abandoned:
        return "abandoned"
    if end is not None and len(landed) == end:
        return "landed"
    if end is not None and fetched:
        return "fetched"
    if uttrekk.is_gone:
        return "gone"
    if uttrekk.batches():
        return "fetching"
    attempts = uttrekk.attempts()
    if not attempts:
        return "requested"
    last = attempts[-1][1]
    if last is None:
        return "uncertain"
    return "ordered" if last.jobbId else "requested"


def _answered_identifiers(size: int, answered: set[int]) -> int:
    return sum(min(CHUNK, size - chunk * CHUNK) for chunk in answered)
