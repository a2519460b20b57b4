"""Batches of identifiers that this side makes itself, in the form in which the register gives them.

For an uttrekk that is no job at the register: a list of one's own, the hits of a search, the
persons whom events concern.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import UTC, datetime

import msgspec

from freg_pipeline.envelope import IdentifierKind
from freg_pipeline.journal.raw import RawMeta, pack
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import write_record

BATCH_SIZE = 100_000  # identifiers: a batch is a partition, and a partition's run costs seconds


def packed_batch(key: str, kind: IdentifierKind, identifiers: Sequence[str]) -> bytes:
    """The object under a key that holds a batch, with the circumstances that it was made here."""
    body = msgspec.json.encode({kind: identifiers})
    meta = RawMeta(len(body), datetime.now(UTC), "application/json", "", composed=True)
    return pack(key, body, meta)


def add_batches(
    uttrekk: Uttrekk,
    first: int,
    kind: IdentifierKind,
    identifiers: Sequence[str],
    *,
    size: int = BATCH_SIZE,
    there: Container[int] = (),
) -> int:
    """Write batches from number ``first`` on, where they aren't there; return the next number.

    Args:
        uttrekk: whose batches they are.
        first: the first one's number.
        kind: what identifies persons or documents in them.
        identifiers: of all of them.
        size: how many a batch holds.
        there: the numbers of batches that are known to be there.
    """
    count = first
    for start in range(0, len(identifiers), size):
        if count not in there:
            key = uttrekk.batch_key(count)
            uttrekk.store.write(key, packed_batch(key, kind, identifiers[start : start + size]))
        count += 1
    return count


def close_batches(uttrekk: Uttrekk, batches: int) -> None:
    """Record how many batches there are: all of them are here."""
    write_record(uttrekk.store, uttrekk.end_key, {"batches": batches})
