"""Lists of batches that have no end: the same answer to each question.

So answers a cache on the way that takes no notice of the batch's number. Whoever believed it would
go on for ever. A batch or two that come again are nothing of the kind: no published fact says that
they don't, and whoever is delivered twice is a duplicate in the accounting.
"""

from __future__ import annotations

from freg_pipeline.errors import RefusedError
from freg_pipeline.journal.uttrekk import Uttrekk

MOST_BATCHES = 1_000_000  # their numbers have six digits in the store
MOST_IDENTIFIERS = 100_000_000  # of a register with some ten million persons
ALIKE = 20  # batches in a row that hold the same


def require_news(uttrekk: Uttrekk, batch: int, identifiers: list[str]) -> None:
    """See that a batch isn't one of very many copies in a row, and that its list has an end.

    Args:
        uttrekk: whose batch; those before it are here.
        batch: its number.
        identifiers: what it holds.

    Raises:
        RefusedError: it is a copy, or there are more than any register has.
    """
    if batch >= MOST_BATCHES:
        raise _endless(uttrekk, batch)
    if batch % ALIKE:  # each look reads batches, and a list without end comes to the next one
        return
    # Batches may be of any sizes: only what was delivered says how much it is.
    if batch * len(identifiers) > MOST_IDENTIFIERS < _delivered(uttrekk, batch):
        raise _endless(uttrekk, batch)
    before = range(batch - 1, batch - ALIKE, -1)
    if identifiers and all(_holds(uttrekk, number, identifiers) for number in before):
        raise _refused(uttrekk, f"batch {batch} holds what the {ALIKE - 1} before it hold")


def _holds(uttrekk: Uttrekk, batch: int, identifiers: list[str]) -> bool:
    there = batch >= 0 and uttrekk.has_batch(batch)
    return there and uttrekk.identifiers(batch) == identifiers


def _delivered(uttrekk: Uttrekk, batches: int) -> int:
    """How many identifiers the batches before a number hold, read one at a time."""
    here = (batch for batch in range(batches) if uttrekk.has_batch(batch))
    return sum(len(uttrekk.identifiers(batch)) for batch in here)


def _endless(uttrekk: Uttrekk, batch: int) -> RefusedError:
    return _refused(uttrekk, f"the list of batches has no end: it is at number {batch}")


def _refused(uttrekk: Uttrekk, what: str) -> RefusedError:
    return RefusedError(
        f"uttrekk/batch: {what} (uttrekk {uttrekk.name})",
        "Look at what stands between here and the register (a cache), tell the register's staff, "
        "and order it anew under another name",
    )
