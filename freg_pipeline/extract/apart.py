"""Put a person's numbers, the ended ones too, into a document that was asked for without history.

The numbers come from a look-up of their own (freg_pipeline.extract.parts). What is kept is one
document, in which the rows of ``identifikasjonsnummer`` are those of the second look-up: first the
current ones, at the places that they have without the others.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec

from freg_pipeline.envelope import IdentifierKind, Oppslag, compose, match, parse
from freg_pipeline.extract.number_rows import number_rows, with_rows
from freg_pipeline.journal.raw import RawMeta
from freg_pipeline.reasons import means_gone

logger = logging.getLogger(__name__)

TRIES = 3  # pairs of look-ups until both tell of the same person
# Asks for parts of what identifiers stand for: how it was answered, and the answer.
LookUp = Callable[[tuple[str, ...], list[str]], Awaitable[tuple[RawMeta, bytes]]]


async def with_numbers(
    look_up: LookUp,
    parts: tuple[str, ...],
    apart: tuple[str, ...],
    kind: IdentifierKind,
    asked: list[str],
) -> tuple[RawMeta, bytes]:
    """Look up documents, and their persons' numbers; return them as one answer.

    A look-up by number gives what is in force: between the two, a number may pass to another
    person, or nobody's. Then both are asked for again. What never agrees is left out, as not
    answered, unless the register says why one of them told nothing.

    Args:
        look_up: asks the register.
        parts: what is landed.
        apart: what tells persons apart.
        kind: what the identifiers are.
        asked: up to 1,000 of them.

    Raises:
        RefusedError, PassingError: as for every request.
    """
    found: list[Oppslag | None] = [None] * len(asked)
    waiting = list(range(len(asked)))
    for _ in range(TRIES):
        wanted = [asked[place] for place in waiting]
        meta, body = await look_up(parts, wanted)
        documents = match(wanted, parse(body))
        numbers = match(wanted, parse((await look_up(apart, wanted))[1]))
        both = [_both(*one) for one in zip(documents, numbers, strict=True)]
        for place, one, *two in zip(waiting, both, documents, numbers, strict=True):
            found[place] = one or next(filter(_is_fault, two), None)
        disagree = zip(waiting, documents, both, strict=True)
        waiting = [place for place, document, one in disagree if document and one is None]
        if not waiting:
            break
        logger.warning("%d of %d persons changed between two look-ups", len(waiting), len(asked))
    answers = [
        replace(oppslag, identifikator=identifier)
        for identifier, oppslag in zip(asked, found, strict=True)
        if oppslag is not None
    ]
    body = compose(answers, kind)
    return msgspec.structs.replace(meta, size=len(body), composed=True), body


def _is_fault(oppslag: Oppslag | None) -> bool:
    """Whether it says why nothing can be told: more than that nothing came."""
    reason = None if oppslag is None else oppslag.feilmelding
    return reason is not None and not means_gone(reason)


def _both(document: Oppslag | None, numbers: Oppslag | None) -> Oppslag | None:
    """The document with the numbers; None where they aren't of one person at one time."""
    if document is None or document.person is None:
        is_told_twice = numbers is None or numbers.person is None
        return document if is_told_twice else None  # gone for one, and there for the other
    if numbers is None or numbers.person is None:
        return None
    try:
        mine, told = number_rows(document.person), number_rows(numbers.person)
        current = {row.number for row in told if not row.is_history}
        if told and not current.issuperset(row.number for row in mine if not row.is_history):
            return None
        rows = sorted(told, key=lambda row: row.is_history)
        return replace(document, document=with_rows(document.person, rows)) if told else document
    except (ValueError, msgspec.DecodeError, RecursionError):
        return document  # what is wrong with it is told where it is decoded
