"""Answers without those who are kept out (freg_pipeline.journal.keptout).

Their documents are replaced by a reason for there being none. Where the document of somebody else
names them, the number becomes null, so that the answer stays what it was but for that: it is read
as before, and the other person's row has no reference.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Container, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.client.hendelsesdokument import (
    Egenskapshendelse,
    Hendelsesdokument,
    hendelsesdokumenter,
)
from freg_pipeline.client.hendelsesdokument import compose as compose_events
from freg_pipeline.envelope import (
    IdentifierKind,
    Oppslag,
    compose,
    is_xml,
    match,
    numbers_of,
    parse,
)
from freg_pipeline.journal.keptout import (
    OUTCOME,
    PLACEHOLDER,
    REASON,
    REASON_SINCE,
    KeptOut,
    numbers_in,
)
from freg_pipeline.journal.raw import RawMeta

_DIGITS = rb"\d{10,11}"
# Texts of JSON, those that name a value too, and numbers that may be an identity number.
_VALUE = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|(?<![\w.+-])(%s)(?![\w.])' % _DIGITS, re.DOTALL)
_ANYWHERE = re.compile(rb"(?<!\d)%s(?!\d)" % _DIGITS)


def answer_without(body: bytes, kind: IdentifierKind, out: Container[str]) -> bytes | None:
    """A bulk answer without those who are kept out; None: it holds nothing of them.

    Args:
        body: the answer, JSON or XML.
        kind: what was asked for.
        out: who is kept out.
    """
    found = _named(body, out)
    if not found:
        return None
    try:
        answers = parse(body)
    except ValueError:  # in no known form: what it is is told where it is decoded
        return blanked(body, found)
    return compose((_without(one, kind, found) for one in answers), kind)


async def without_placeholders(
    ask: Callable[[list[str]], Awaitable[tuple[RawMeta, bytes]]], asked: list[str]
) -> tuple[RawMeta, bytes]:
    """Ask for identifiers, but not for those who are kept out: their answer is known."""
    wanted = [one for one in asked if one != PLACEHOLDER]
    if len(wanted) == len(asked):
        return await ask(asked)
    found: list[Oppslag | None] = []
    meta = RawMeta(0, datetime.now(UTC), "application/json", "")
    if wanted:
        meta, body = await ask(wanted)
        found = match(wanted, parse(body))
    answers = iter(found)
    told = (
        Oppslag(PLACEHOLDER, None, REASON) if one == PLACEHOLDER else _named_as(one, next(answers))
        for one in asked
    )
    body = compose((one for one in told if one is not None), "foedselsEllerDNummer")
    return msgspec.structs.replace(meta, size=len(body), composed=True), body


def _named_as(asked: str, found: Oppslag | None) -> Oppslag | None:
    return found and replace(found, identifikator=asked)


def _without(answer: Oppslag, kind: IdentifierKind, out: Container[str]) -> Oppslag:
    by_number = kind == "foedselsEllerDNummer"
    own = set(numbers_of(answer.person))
    own |= {answer.identifikator} if by_number and answer.identifikator else set()
    if by_number and answer.identifikator in out:
        return Oppslag(PLACEHOLDER, None, REASON)
    if any(one in out for one in own):
        known = all(one in out for one in own)
        return Oppslag(answer.identifikator, None, REASON if known else REASON_SINCE)
    person = answer.person
    if person is None or not _named(person, out):
        return answer
    return replace(answer, document=blanked(person, out))


def blanked(text: bytes, out: Container[str]) -> bytes:
    """A document of others without the numbers of those who are kept out."""

    def is_out(digits: bytes) -> bool:
        return digits.decode().zfill(11) in out

    def unreadable(text: bytes, by: bytes = b"x") -> bytes:
        return _ANYWHERE.sub(lambda one: by * len(one[0]) if is_out(one[0]) else one[0], text)

    def value(one: re.Match[bytes]) -> bytes:
        content = one[3] if one[1] is None else one[1]
        if not one[2] and _ANYWHERE.fullmatch(content):
            return b"null" if is_out(content) else one[0]
        return unreadable(one[0])

    return unreadable(text, b"") if is_xml(text) else _VALUE.sub(value, text)


def events_without(events: Iterable[FeedEntry], out: Container[str]) -> list[FeedEntry]:
    """Events, of which those of persons who are kept out tell their place in the list only."""
    return [
        FeedEntry(one.sekvensnummer, hendelsetype=OUTCOME)
        if one.folkeregisteridentifikator is not None and one.folkeregisteridentifikator in out
        else one
        for one in events
    ]


def is_blank(event: FeedEntry) -> bool:
    """Whether an event was somebody's who is kept out."""
    return event.hendelsetype == OUTCOME and event.folkeregisteridentifikator is None


def composed_page(events: Iterable[FeedEntry]) -> bytes:
    """A page of the event list, as JSON, made of events."""
    told = []
    for event in events:
        fields = msgspec.structs.asdict(event)
        told.append({"sekvensnummer": fields.pop("sekvensnummer"), "hendelse": fields})
    return msgspec.json.encode(told)


def event_documents_without(
    body: bytes, out: Container[str], documents: Container[str] = ()
) -> bytes | None:
    """The documents of events without those who are kept out; None: it holds nothing of them.

    Args:
        body: the answer, JSON or XML.
        out: who is kept out.
        documents: the documents of their events.
    """
    found = _named(body, out)
    told = hendelsesdokumenter(body)
    gone = [
        one.dokumentidentifikator in documents or one.folkeregisteridentifikator in found
        for one in told
    ]
    if not found and not any(gone):
        return None
    if not any(gone):
        return blanked(body, found)
    left = (
        Hendelsesdokument(one.dokumentidentifikator, feilmelding=REASON) if is_gone else one
        for one, is_gone in zip(told, gone, strict=True)
    )
    return blanked(compose_events(left, _is_kept), found)


def _is_kept(change: Egenskapshendelse) -> bool:
    del change
    return True


def batch_without(identifiers: Iterable[str], out: Container[str]) -> list[str] | None:
    """A batch's numbers, with a placeholder for each of those kept out; None: there are none."""
    told = list(identifiers)
    left = [PLACEHOLDER if one in out else one for one in told]
    return None if left == told else left


def _named(text: bytes, out: Container[str]) -> set[str]:
    numbers = numbers_in(text)
    return (
        out.among(numbers) if isinstance(out, KeptOut) else {one for one in numbers if one in out}
    )
