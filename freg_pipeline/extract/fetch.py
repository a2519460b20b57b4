"""Expand a batch of identifiers into kept answers, 1,000 at a time.

Each answer is checked before it is kept: every identifier asked for has a document or a reason for
there being none. What was kept is not asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.client.answers import Answer
from freg_pipeline.client.html import PageError
from freg_pipeline.envelope import IdentifierKind, Oppslag, compose, is_xml, match, parse
from freg_pipeline.errors import RefusedError
from freg_pipeline.extract.apart import with_numbers
from freg_pipeline.extract.blank import answer_without, without_placeholders
from freg_pipeline.extract.crowd import for_each
from freg_pipeline.extract.earlier import EarlierAnswers
from freg_pipeline.extract.parts import HISTORY
from freg_pipeline.extract.poll import circumstances
from freg_pipeline.extract.probe import advised
from freg_pipeline.extract.took import measured
from freg_pipeline.journal.batches import chunks
from freg_pipeline.journal.keptout import NOBODY, KeptOut, kept_out
from freg_pipeline.journal.raw import RawMeta, pack
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.reasons import means_gone

logger = logging.getLogger(__name__)

# What personer/arkiv answers for a document that it doesn't have: unknown, or history for more than
# 36 months and deleted. Accounted for as gone.
_NOT_THERE = {404, 400}
ASKED_AGAIN = 2  # times that what has no answer is asked for again
FIRST_PAUSE = 1.0  # seconds until then, where the register gave a reason; twice as long later


_READ: Final = object()  # what is known of an answer that somebody reads along


class Along(Protocol):
    """Reads a batch's answers as they come."""

    @property
    def kept_out(self) -> KeptOut:
        """Who is kept out."""

    async def read_plain(self, chunk: int, body: bytes, hentet: datetime) -> bool:
        """Read an answer, if it answers everything in the plain form; else it isn't read."""

    async def kept(self, chunk: int, meta: RawMeta, body: bytes) -> None:
        """Be told that the answer to a look-up is kept; it may have been read before."""

    def give_up(self) -> None:
        """Be told that another answer than the one that was read is kept."""


Plain = Callable[[bytes, datetime], Awaitable[bool]]


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
    along: Along | None = None,
) -> FetchReport:
    """Fetch and keep the answers to all look-ups of a batch that lack one.

    Args:
        register: whom to ask.
        uttrekk: whose batch it is.
        batch: its number.
        concurrency: look-ups under way at once; each holds some 6 MB.
        progress: told how many more identifiers are answered.
        along: reads the answers as they come. What it can read in one go isn't checked besides.

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

    earlier = EarlierAnswers(uttrekk, batch)
    out = NOBODY
    if waiting:
        out = kept_out(uttrekk.store) if along is None else along.kept_out

    async def work(chunk: int) -> None:
        plain = None if along is None or out else partial(along.read_plain, chunk)

        async def ask(identifiers: list[str]) -> tuple[RawMeta, bytes]:
            whole = plain if len(identifiers) == len(asked[chunk]) else None
            return await _documents(register, uttrekk.request, kind, identifiers, whole)

        answered = earlier.completed(asked[chunk], kind, partial(without_placeholders, ask))
        (meta, body), took = await measured(answered)
        meta, body = await asyncio.to_thread(_without, out, kind, meta, body)
        meta = msgspec.structs.replace(meta, took=took)
        key = uttrekk.answer_key(batch, chunk)
        is_ours = await asyncio.to_thread(_keep, uttrekk, key, meta, body)
        if along is not None:
            await along.kept(chunk, meta, body) if is_ours else along.give_up()
        sizes.append(len(body))
        report(len(asked[chunk]))

    await for_each(waiting, work, concurrency)
    return FetchReport(sum(map(len, asked)), len(sizes), len(kept), sum(sizes))


def _without(
    out: KeptOut, kind: IdentifierKind, meta: RawMeta, body: bytes
) -> tuple[RawMeta, bytes]:
    """An answer as it may be kept: nothing of those who are kept out."""
    meta = msgspec.structs.replace(meta, kept_out=out.number)
    left = answer_without(body, kind, out) if out else None
    if left is None:
        return meta, body
    return msgspec.structs.replace(meta, size=len(left), composed=True), left


def _keep(uttrekk: Uttrekk, key: str, meta: RawMeta, body: bytes) -> bool:
    """Whether it is kept, or another worker's answer to the same look-up."""
    return uttrekk.store.write(key, pack(key, body, meta))


async def _documents(
    register: Register,
    request: Request,
    kind: IdentifierKind,
    asked: list[str],
    plain: Plain | None,
) -> tuple[RawMeta, bytes]:
    """The documents with what tells their persons apart: of one look-up, where that will do."""
    parts, apart = request.parts, request.parts_apart
    if HISTORY not in apart:
        return await look_up(register, (*parts, *apart), kind, asked, plain)

    async def ask(parts: tuple[str, ...], asked: list[str]) -> tuple[RawMeta, bytes]:
        return await look_up(register, parts, kind, asked)

    return await with_numbers(ask, parts, apart, kind, asked)


async def look_up(
    register: Register,
    parts: tuple[str, ...],
    kind: IdentifierKind,
    asked: list[str],
    plain: Plain | None = None,
) -> tuple[RawMeta, bytes]:
    """Look up 1,000 identifiers at most; what stays open is asked for again, a few times.

    Open is what the answer leaves out, and what it gives no document for without saying that there
    is none.

    Args:
        register: whom to ask.
        parts: what of their documents.
        kind: what the identifiers are.
        asked: the identifiers.
        plain: reads an answer that leaves nothing open, so that it needn't be checked besides.

    Raises:
        PartsRefusedError: the register no longer takes the parts.
        RefusedError, PassingError: as for every request.
    """
    of_documents = kind == "dokumentidentifikator"
    service = register.personer.bulkoppslag_arkiv if of_documents else register.personer.bulkoppslag
    try:
        answer = await service(asked, parts, *([] if plain is None else [_reader(plain)]))
    except RefusedError as refused:
        told = await advised(refused, register, parts)
        if told is refused and of_documents and is_about_documents(refused):
            return await _despite(refused, register, asked, parts)
        raise told from None
    if answer.checked is _READ:
        return circumstances(answer), answer.body
    found = match(asked, answer.checked)
    if not any(map(is_open, found)):
        return circumstances(answer), answer.body
    for attempt in range(ASKED_AGAIN):
        places = [index for index, oppslag in enumerate(found) if is_open(oppslag)]
        if not places:
            break
        logger.warning("%d of %d identifiers have no answer: asking again", len(places),
                       len(asked))  # fmt: skip
        await asyncio.sleep(FIRST_PAUSE * 2**attempt if _gave_reasons(found) else 0)
        missing = [asked[index] for index in places]
        if kind == "foedselsEllerDNummer":
            later = match(missing, (await register.personer.bulkoppslag(missing, parts)).checked)
        else:
            later = await _one_by_one(register, missing, parts)
        for index, oppslag in zip(places, later, strict=True):
            found[index] = oppslag or found[index]
    return _composed(answer, asked, found, kind)


def _reader(plain: Plain) -> Callable[[bytes, datetime], Awaitable[object]]:
    async def read(body: bytes, hentet: datetime) -> object:
        return _READ if await plain(body, hentet) else await asyncio.to_thread(parse, body)

    return read


def is_open(oppslag: Oppslag | None) -> bool:
    """Whether it is neither a document nor the word that there is none."""
    if oppslag is None:
        return True
    return oppslag.feilmelding is not None and not means_gone(oppslag.feilmelding)


def _gave_reasons(found: list[Oppslag | None]) -> bool:
    return any(oppslag is not None and is_open(oppslag) for oppslag in found)


async def _despite(
    refused: RefusedError, register: Register, asked: list[str], parts: tuple[str, ...]
) -> tuple[RawMeta, bytes]:
    """An archive that refuses many documents for the sake of one of them: each by itself.

    Where it gives none of the documents, the refusal was about something else.
    """
    logger.warning("%d documents were refused together: asking for them one by one", len(asked))
    found = await _one_by_one(register, asked, parts)
    if not any(oppslag and oppslag.person is not None for oppslag in found) and not means_gone(
        refused.said
    ):
        raise refused
    body = compose([oppslag for oppslag in found if oppslag is not None], "dokumentidentifikator")
    form = "application/xml" if is_xml(body) else "application/json"
    return RawMeta(len(body), datetime.now(UTC), form, "", composed=True), body


async def _one_by_one(
    register: Register, missing: list[str], parts: tuple[str, ...]
) -> list[Oppslag | None]:
    """An archive's answer that can't be told apart: each document by itself."""
    return list(await asyncio.gather(*(_single(register, one, parts) for one in missing)))


def is_about_documents(refused: RefusedError) -> bool:
    """Whether a refusal can be about the documents asked for, and not about the asking."""
    return refused.status in _NOT_THERE and not isinstance(refused, PageError)


def not_there(error: RefusedError) -> str:
    """Why a document isn't there, from the refusal of it alone: its status tells, too."""
    if means_gone(error.said):
        return error.said
    said = f": {error.said}" if error.said else ""
    return f"finnes ikke (svar {error.status}{said})"


async def _single(register: Register, wanted: str, parts: tuple[str, ...]) -> Oppslag | None:
    try:
        answer = await register.personer.arkiv(wanted, parts)
    except RefusedError as error:
        if not is_about_documents(error):
            raise
        return Oppslag(wanted, None, not_there(error))
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
