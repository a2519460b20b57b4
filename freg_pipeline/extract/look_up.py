"""One look-up of 1,000 identifiers at most: what its answer leaves open is asked for again.

Every identifier asked for gets a document, or a reason for there being none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from freg_pipeline.client import Register
from freg_pipeline.client.answers import Answer
from freg_pipeline.client.html import PageError
from freg_pipeline.envelope import IdentifierKind, Oppslag, compose, is_xml, match, parse
from freg_pipeline.errors import RefusedError
from freg_pipeline.extract.poll import circumstances
from freg_pipeline.extract.probe import advised
from freg_pipeline.journal.raw import RawMeta
from freg_pipeline.reasons import means_gone

logger = logging.getLogger(__name__)

# What personer/arkiv answers for a document that it doesn't have: unknown, or history for more than
# 36 months and deleted. Accounted for as gone.
_NOT_THERE = {404, 400}
ASKED_AGAIN = 2  # times that what has no answer is asked for again
FIRST_PAUSE = 1.0  # seconds until then, where the register gave a reason; twice as long later

_READ: Final = object()  # what is known of an answer that somebody reads along
Plain = Callable[[bytes, datetime], Awaitable[bool]]


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
