"""The envelope round the documents of a bulk answer, read without touching the documents inside.

The register answers ``{"oppslag": [{"foedselsEllerDNummer" | "dokumentidentifikator": …,
"folkeregisterperson": {…} | "feilmelding": {…}}]}``. Its published description types the archive's
answer loosely, so a bare array, a single object and documents without any wrapping are understood
too (``folkeregisteret-api.md``, personer/bulkoppslag/arkiv). Documents stay bytes, and the usual
form is read in one pass.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from lxml import etree

from freg_pipeline import envelope_xml
from freg_pipeline.identifiers import as_told
from freg_pipeline.outside import showable
from freg_pipeline.readable import read_json, sliceable

IdentifierKind = Literal["foedselsEllerDNummer", "dokumentidentifikator"]

NOTHING = msgspec.Raw(b"")


@dataclass(frozen=True, slots=True, repr=False)
class Oppslag:
    """One answer within a bulk answer.

    Attributes:
        identifikator: what was asked for, where the answer tells it.
        document: the document within the answer; None where the register has none.
        feilmelding: the register's reason for there being no document, identity numbers masked.
    """

    identifikator: str | None
    document: bytes | msgspec.Raw | None
    feilmelding: str | None

    @property
    def person(self) -> bytes | None:
        """The document as the bytes that came; copied, which few need."""
        return None if self.document is None else bytes(self.document)

    def __repr__(self) -> str:
        there, told = self.document is not None, self.feilmelding is not None
        return f"Oppslag(document={there}, error={told})"


class _Entry(msgspec.Struct):
    foedselsEllerDNummer: msgspec.Raw = NOTHING  # noqa: N815  the register's name
    dokumentidentifikator: msgspec.Raw = NOTHING
    folkeregisterperson: msgspec.Raw = NOTHING
    feilmelding: msgspec.Raw = NOTHING


class _Usual(msgspec.Struct):
    oppslag: list[_Entry]


class _Envelope(msgspec.Struct):
    oppslag: msgspec.Raw = NOTHING


class _Document(msgspec.Struct):
    identifikasjonsnummer: Any = None


class _Message(msgspec.Struct):
    feilmelding: str | None = None
    melding: str | None = None
    message: str | None = None


_UNTOLD = "uten forklaring"
_TEXTS = ("feilmelding", "melding", "message", "error")
_OF_ERRORS = {*_TEXTS, "kode", "feilkode", "code", "httpStatus", "feilreferanse"}

_entry = msgspec.json.Decoder(_Entry)
_usual = msgspec.json.Decoder(_Usual)
_envelope = msgspec.json.Decoder(_Envelope)
_document = msgspec.json.Decoder(_Document)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_anything = msgspec.json.Decoder()
_message = msgspec.json.Decoder(_Message | str | None)


def parse(body: bytes) -> list[Oppslag]:
    """Return the answers that a bulk answer holds, in its order; JSON or XML.

    Raises:
        ValueError: the body is complete in none of the known forms; says nothing of its content.
    """
    if is_xml(body):
        return [_from_xml(entry) for entry in envelope_xml.entries(body)]
    try:
        return _answers(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Not chained: the decoder's message can quote what it met.
        msg = "the answer is not complete JSON of a known form"
        raise ValueError(msg) from None


def _answers(body: bytes) -> list[Oppslag]:
    """A text in a document that is no Unicode is left to who reads the document."""
    try:
        usual = [_told_by(entry) for entry in _usual.decode(body).oppslag]
    except msgspec.DecodeError:
        usual = [None]
    found = [oppslag for oppslag in usual if oppslag is not None]
    return found if len(found) == len(usual) else _answers_of_any_form(body)


def _answers_of_any_form(body: bytes) -> list[Oppslag]:
    """As :func:`_answers`, with each of the envelope's layers read by itself."""
    try:
        return [_oppslag(item) for item in _unwrap(body)]
    except msgspec.DecodeError:
        whole = sliceable(body)
        if whole == body:
            raise
    return [_oppslag(item) for item in _unwrap(whole)]


def compose(answers: Iterable[Oppslag], kind: IdentifierKind) -> bytes:
    """Return one bulk answer made of ``answers``, in the form that the register uses itself.

    It is XML if any of the documents is.
    """
    told = [(answer.identifikator, answer.person, answer.feilmelding) for answer in answers]
    if any(person is not None and is_xml(person) for _, person, _ in told):
        return envelope_xml.compose(told, kind)
    entries = []
    for identifier, person, reason in told:
        entry = [b'"%s":%s' % (kind.encode(), msgspec.json.encode(identifier))]
        if person is not None:
            entry.append(b'"folkeregisterperson":' + person)
        if reason is not None:
            message = msgspec.json.encode({"feilmelding": reason})
            entry.append(b'"feilmelding":' + message)
        entries.append(b"{" + b",".join(entry) + b"}")
    return b'{"oppslag":[' + b",".join(entries) + b"]}"


def match(asked: Sequence[str], answers: Sequence[Oppslag]) -> list[Oppslag | None]:
    """Return, for each identifier asked for, the answer to it, or None where there is none.

    Answers may come in any order, and each serves one question. They are matched by the identifier
    that they tell; then by the numbers in the document itself, because a look-up by an old number
    may be answered under the current one; and where no answer left tells an identifier, by their
    order, if the counts agree (``folkeregisteret-api.md``, bulkoppslag and bulkoppslag/arkiv).
    """
    if len(asked) == len(answers) and all(
        answer.identifikator in (wanted, None)
        for wanted, answer in zip(asked, answers, strict=True)
    ):
        return list(answers)
    told: dict[str, deque[Oppslag]] = defaultdict(deque)
    for answer in answers:
        if answer.identifikator is not None:
            told[answer.identifikator].append(answer)
    found = [told[wanted].popleft() if told.get(wanted) else None for wanted in asked]
    _match_by_document(asked, found, [answer for queue in told.values() for answer in queue])
    untold = [answer for answer in answers if answer.identifikator is None]
    open_questions = [index for index, answer in enumerate(found) if answer is None]
    if len(untold) == len(open_questions):
        for index, answer in zip(open_questions, untold, strict=True):
            found[index] = answer
    return found


def _match_by_document(
    asked: Sequence[str], found: list[Oppslag | None], left: Iterable[Oppslag]
) -> None:
    by_number: dict[str, Oppslag] = {}
    for answer in left:
        for number in numbers_of(answer.person):
            by_number[number] = answer
    if by_number:
        for index, wanted in enumerate(asked):
            if found[index] is None:
                found[index] = by_number.get(wanted)


def numbers_of(person: bytes | None) -> list[str]:
    """The identity numbers that a document tells as its person's own, current and earlier."""
    if person is None:
        return []
    if is_xml(person):
        return envelope_xml.numbers_of(person)
    try:
        rows = read_json(_document.decode, person).identifikasjonsnummer
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []  # what is wrong with it is told where it is decoded
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list):
        return []
    numbers = [row.get("foedselsEllerDNummer") for row in rows if isinstance(row, dict)]
    return [str(number) for number in numbers if number]


def is_xml(body: bytes) -> bool:
    """Whether an answer, or a document, is XML and not JSON."""
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _from_xml(entry: etree._Element) -> Oppslag:
    identifier, document, reason = envelope_xml.parts(entry)
    person = None if document is None else etree.tostring(document, with_tail=False)
    return Oppslag(identifier, person, None if person is not None else reason)


def _unwrap(body: bytes) -> list[bytes]:
    text = body.lstrip()
    if text.startswith(b"["):
        return [bytes(item) for item in _items.decode(text) if not is_null(item)]
    inner = _envelope.decode(text).oppslag
    if not inner:
        # `{}` answers nothing at all; any other object is one answer, or one document alone.
        return [text] if _names(text) else []
    if is_null(inner):
        return []
    return _unwrap(bytes(inner)) if bytes(inner).lstrip().startswith(b"[") else [bytes(inner)]


def _oppslag(item: bytes) -> Oppslag:
    entry = _entry.decode(item)
    told = _told_by(entry)
    if told is not None:
        return told
    # No wrapping: the object is a document itself if it tells whose. Another's error under status
    # 200 is none, and would empty whoever was asked for.
    is_document = "identifikasjonsnummer" in _names(item)
    return Oppslag(_identifier(entry), bytes(item) if is_document else None, None)


def _told_by(entry: _Entry) -> Oppslag | None:
    """The document or the reason that an entry tells; None: it tells neither."""
    if entry.folkeregisterperson and not is_null(entry.folkeregisterperson):
        return Oppslag(_identifier(entry), entry.folkeregisterperson, None)
    if entry.feilmelding and not is_null(entry.feilmelding):
        return Oppslag(_identifier(entry), None, refusal(bytes(entry.feilmelding)))
    return None


def _identifier(entry: _Entry) -> str | None:
    number = _told(entry.foedselsEllerDNummer)
    document = _told(entry.dokumentidentifikator)
    return as_told(number) if number else str(document) if document else None


def _names(item: bytes) -> set[str]:
    return set(read_json(_fields.decode, item))


def _told(raw: msgspec.Raw) -> str | int | None:
    value = read_json(_anything.decode, bytes(raw)) if raw else None
    return value if isinstance(value, str | int) else None


def refusal(raw: bytes) -> str:
    """The register's reason for there being no document, identity numbers masked."""
    try:
        message = read_json(_message.decode, raw)
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
    ):  # a form that nobody has seen: it is still a "no"
        message = None
    if isinstance(message, _Message):
        message = message.feilmelding or message.melding or message.message
    return showable(message or _UNTOLD)


def reason_in(fields: Mapping[str, msgspec.Raw]) -> str | None:
    """The reason that an answer holds in place of what was asked for, identity numbers masked.

    Args:
        fields: of the answer, by name; of an error's body, in any of the forms that are known.

    Returns:
        None: it holds no reason.
    """
    named = {name: raw for name, raw in fields.items() if name in _OF_ERRORS and not _is_blank(raw)}
    text = next((named[name] for name in _TEXTS if name in named), None)
    return None if not named else _UNTOLD if text is None else refusal(bytes(text))


def _is_blank(raw: msgspec.Raw) -> bool:
    return is_null(raw) or bytes(raw).strip() == b'""'


def is_null(raw: msgspec.Raw | bytes) -> bool:
    """Whether a value is null."""
    return memoryview(raw).nbytes < 16 and bytes(raw).strip() == b"null"  # documents aren't copied
