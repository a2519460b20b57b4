"""Whom a sync looks up: each person of its events once, and by what.

By the document that the last event of the person points to, where the package of rights tells it;
else by number. A pointer names the document as of that event: one who has a later event, after the
slice, gets its later document with the next one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow.compute as pc

from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.extract.batches import add_batches
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import load_landed
from freg_pipeline.lake.staging import read_landed
from freg_pipeline.normalize.account import DOCUMENT_TABLE

SYNC_BATCH_SIZE = 20_000  # identifiers: enough of them to land while the next are being fetched


@dataclass(frozen=True, repr=False)
class Persons:
    """Whom to look up.

    Attributes:
        by_document: document identifiers, with the numbers whose events point to each.
        by_number: identity numbers whose last event points to no document.
    """

    by_document: dict[str, list[str]]
    by_number: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.by_document) + len(self.by_number)

    def __repr__(self) -> str:
        return f"Persons({len(self.by_document)} by document, {len(self.by_number)} by number)"


def persons_of(events: Iterable[FeedEntry], others: Iterable[str] = ()) -> Persons:
    """The persons whom events concern, whatever their kind: each means to look the person up.

    Args:
        events: in the list's order. One that tells no number is followed by the document that it
            points to, and passed over if it points to none.
        others: numbers that are looked up without an event.
    """
    last: dict[str, str | None] = {}
    by_document: dict[str, list[str]] = {}
    for event in events:
        if event.folkeregisteridentifikator is not None:
            last[event.folkeregisteridentifikator] = event.persondokument
        elif event.persondokument is not None:
            by_document[event.persondokument] = []
    for number, document in last.items():
        if document is not None:
            by_document.setdefault(document, []).append(number)
    by_number = [number for number in last if last[number] is None]
    return Persons(by_document, (*by_number, *(one for one in others if one not in last)))


def write_batches(uttrekk: Uttrekk, persons: Persons, there: Container[int] = ()) -> int:
    """Write the batches of a sync, in the register's own form; return how many there are.

    Args:
        uttrekk: the sync.
        persons: whom it looks up.
        there: the numbers of batches that are known to be there.
    """
    documents = list(persons.by_document)
    count = add_batches(
        uttrekk, 0, "dokumentidentifikator", documents, size=SYNC_BATCH_SIZE, there=there
    )
    return _by_number(uttrekk, count, persons.by_number, there)


def write_second_tries(
    uttrekk: Uttrekk, persons: Persons, batches: int, there: Container[int] = ()
) -> int:
    """Batches for the persons whose document is gone, once the others have landed.

    The register deletes documents; the persons are then looked up by number.

    Args:
        uttrekk: the sync.
        persons: whom it looks up.
        batches: how many batches there are; all of them have landed.
        there: the numbers of batches that are known to be there.

    Returns:
        How many there are now.
    """
    missing = [
        number
        for batch in range(batches)
        for document in _gone(uttrekk, batch)
        for number in persons.by_document.get(document, ())
    ]
    return _by_number(uttrekk, batches, list(dict.fromkeys(missing)), there)


def write_confirmations(
    uttrekk: Uttrekk, numbers: Sequence[str], batches: int, there: Container[int] = ()
) -> int:
    """Batches for those whose answer is in doubt, after the others; how many there are now."""
    return _by_number(uttrekk, batches, numbers, there)


def _by_number(uttrekk: Uttrekk, first: int, numbers: Sequence[str], there: Container[int]) -> int:
    return add_batches(
        uttrekk, first, "foedselsEllerDNummer", numbers, size=SYNC_BATCH_SIZE, there=there
    )


def _gone(uttrekk: Uttrekk, batch: int) -> Iterator[str]:
    """The identifiers of a landed batch that the register has nothing for."""
    landed = load_landed(uttrekk.store, uttrekk.place, batch)
    if not landed.outcomes.get("borte"):
        return
    rows = read_landed(
        uttrekk.store, uttrekk.place, landed, DOCUMENT_TABLE, ["dok_nr", "identifikator", "utfall"]
    )
    gone = rows.filter(pc.equal(rows["utfall"], "borte")).sort_by("dok_nr")
    yield from gone["identifikator"].to_pylist()
