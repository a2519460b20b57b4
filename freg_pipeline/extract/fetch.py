"""Expand a batch of identifiers into kept answers, 1,000 at a time.

Each answer is checked before it is kept: every identifier asked for has a document or a reason for
there being none. What was kept is not asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from freg_pipeline.client import Register
from freg_pipeline.client.answers import Answer
from freg_pipeline.client.html import PageError
from freg_pipeline.envelope import IdentifierKind, Oppslag, compose, is_xml, match
from freg_pipeline.errors import RefusedError
from freg_pipeline.extract.apart import with_numbers
from freg_pipeline.extract.crowd import for_each
from freg_pipeline.extract.earlier import EarlierAnswers
from freg_pipeline.extract.parts import HISTORY
from freg_pipeline.extract.poll import circumstances
from freg_pipeline.journal.raw import RawMeta, pack
from freg_pipeline.journal.uttrekk import Request, Uttrekk, chunks

logger = logging.getLogger(__name__)

# What personer/arkiv answers for a document that it doesn't have: unknown, or history for more than
# 36 months and deleted. Accounted for as gone.
_NOT_THERE = {404, 400}


@dataclass(frozen=True)
class FetchReport:
    """What fetching a batch took.

    Attributes:
        identifiers: in the batch.
        fetched: look-ups made now.
        kept: look-ups that were answered before.
        bytes: of the answers fetched now, before compression.
    """

    identifiers: int
    fetched: int
    kept: int
    bytes: int


async def fetch_batch(
    register: Register,
    uttrekk: Uttrekk,
    batch: int,
    *,
    concurrency: int,
    progress: Callable[[int], None] | None = None,
) -> FetchReport:
    """Fetch and keep the answers to all look-ups of a batch that lack one.

    Args:
        register: whom to ask.
        uttrekk: whose batch it is.
        batch: its number.
        concurrency: look-ups under way at once; each holds some 6 MB.
        progress: told how many more identifiers are answered.

    Raises:
        RefusedError, PassingError: as for every request; what was fetched until then is kept.
    """
    asked = chunks(uttrekk.identifiers(batch))
    kind = uttrekk.identifier_kind(batch)
    kept = uttrekk.answered(batch)
    report = progress or (lambda _: None)
    report(sum(len(asked[chunk]) for chunk in kept))
    waiting = [chunk for chunk in range(len(asked)) if chunk not in kept]
    sizes: list[int] = []

    async def ask(identifiers: list[str]) -> tuple[RawMeta, bytes]:
        return await _documents(register, uttrekk.request, kind, identifiers)

    earlier = EarlierAnswers(uttrekk, batch)

    async def work(chunk: int) -> None:
        meta, body = await earlier.completed(asked[chunk], kind, ask)
        key = uttrekk.answer_key(batch, chunk)
        await asyncio.to_thread(_keep, uttrekk, key, meta, body)
        sizes.append(len(body))
        report(len(asked[chunk]))

    await for_each(waiting, work, concurrency)
    return FetchReport(sum(map(len, asked)), len(sizes), len(kept), sum(sizes))


def _keep(uttrekk: Uttrekk, key: str, meta: RawMeta, body: bytes) -> None:
    uttrekk.store.write(key, pack(body, meta))


async def _documents(
    register: Register, request: Request, kind: IdentifierKind, asked: list[str]
) -> tuple[RawMeta, bytes]:
    """The documents with what tells their persons apart: of one look-up, where that will do."""
    parts, apart = request.parts, request.parts_apart
    if HISTORY not in apart:
        return await look_up(register, (*parts, *apart), kind, asked)

    async def ask(parts: tuple[str, ...], asked: list[str]) -> tuple[RawMeta, bytes]:
        return await look_up(register, parts, kind, asked)

    return await with_numbers(ask, parts, apart, kind, asked)


async def look_up(
    register: Register, parts: tuple[str, ...], kind: IdentifierKind, asked: list[str]
) -> tuple[RawMeta, bytes]:
    """Look up 1,000 identifiers at most; those that the answer leaves out are asked for once more.

    Raises:
        RefusedError, PassingError: as for every request.
    """
    if kind == "dokumentidentifikator":
        try:
            answer = await register.personer.bulkoppslag_arkiv(asked, parts)
        except RefusedError as refused:
            return await _despite(refused, register, asked, parts)
    else:
        answer = await register.personer.bulkoppslag(asked, parts)
    found = match(asked, answer.checked)
    open_questions = [index for index, oppslag in enumerate(found) if oppslag is None]
    if not open_questions:
        return circumstances(answer), answer.body
    logger.warning("%d of %d identifiers were not answered: asking again", len(open_questions),
                   len(asked))  # fmt: skip
    missing = [asked[index] for index in open_questions]
    if kind == "dokumentidentifikator":
        later = await _one_by_one(register, missing, parts)
    else:
        later = await _once_more(register, missing, parts)
    for index, oppslag in zip(open_questions, later, strict=True):
        found[index] = oppslag
    return _composed(answer, asked, found, kind)


async def _despite(
    refused: RefusedError, register: Register, asked: list[str], parts: tuple[str, ...]
) -> tuple[RawMeta, bytes]:
    """An archive that refuses many documents for the sake of one of them: each by itself.

    Where it gives none of them, the refusal was about something else, such as a ``part``.
    """
    if refused.status not in _NOT_THERE or isinstance(refused, PageError):
        raise refused
    logger.warning("%d documents were refused together: asking for each by itself", len(asked))
    found = await _one_by_one(register, asked, parts)
    if not any(oppslag and oppslag.person is not None for oppslag in found):
        raise refused
    body = compose([oppslag for oppslag in found if oppslag is not None], "dokumentidentifikator")
    form = "application/xml" if is_xml(body) else "application/json"
    return RawMeta(len(body), datetime.now(UTC), form, "", composed=True), body


async def _once_more(
    register: Register, missing: list[str], parts: tuple[str, ...]
) -> list[Oppslag | None]:
    answer = await register.personer.bulkoppslag(missing, parts)
    return match(missing, answer.checked)


async def _one_by_one(
    register: Register, missing: list[str], parts: tuple[str, ...]
) -> list[Oppslag | None]:
    """An archive's answer that can't be told apart: each document by itself."""
    return list(await asyncio.gather(*(_single(register, one, parts) for one in missing)))


async def _single(register: Register, wanted: str, parts: tuple[str, ...]) -> Oppslag | None:
    try:
        answer = await register.personer.arkiv(wanted, parts)
    except RefusedError as error:
        if error.status not in _NOT_THERE or isinstance(error, PageError):
            raise
        return Oppslag(wanted, None, error.said or "uten forklaring")
    found: list[Oppslag] = answer.checked
    return replace(found[0], identifikator=wanted) if found else None


def _composed(
    answer: Answer, asked: list[str], found: list[Oppslag | None], kind: IdentifierKind
) -> tuple[RawMeta, bytes]:
    """One answer made of several. What nobody answered is left out, and is accounted for later."""
    answers = [
        replace(oppslag, identifikator=wanted)
        for wanted, oppslag in zip(asked, found, strict=True)
        if oppslag is not None
    ]
    body = compose(answers, kind)
    meta = RawMeta(
        len(body), answer.hentet, answer.content_type, answer.correlation_id, composed=True
    )
    return meta, body
