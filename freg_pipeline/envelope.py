"""The envelope round the documents of a bulk answer, read without touching the documents inside.

The register answers ``{"oppslag": [{"foedselsEllerDNummer" | "dokumentidentifikator": …,
"folkeregisterperson": {…} | "feilmelding": {…}}]}``. Its published description types the archive's
answer loosely, so a bare array, a single object and documents without any wrapping are understood
too (``folkeregisteret-api.md``, personer/bulkoppslag/arkiv). Documents stay bytes: 6 MB are checked
in about 5 ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

IdentifierKind = Literal["foedselsEllerDNummer", "dokumentidentifikator"]

_NOTHING = msgspec.Raw(b"")


@dataclass(frozen=True, slots=True, repr=False)
class Oppslag:
    """One answer within a bulk answer.

    Attributes:
        identifikator: what was asked for, where the answer tells it.
        person: the document as the bytes that came; None where the register has none.
        feilmelding: the register's reason for there being no document.
    """

    identifikator: str | None
    person: bytes | None
    feilmelding: str | None

    def __repr__(self) -> str:
        return f"Oppslag(document={self.person is not None}, error={self.feilmelding is not None})"


class _Entry(msgspec.Struct):
    foedselsEllerDNummer: msgspec.Raw = _NOTHING  # noqa: N815  the register's name
    dokumentidentifikator: msgspec.Raw = _NOTHING
    folkeregisterperson: msgspec.Raw = _NOTHING
    feilmelding: msgspec.Raw = _NOTHING


class _Envelope(msgspec.Struct):
    oppslag: msgspec.Raw = _NOTHING


class _Message(msgspec.Struct):
    feilmelding: str | None = None
    melding: str | None = None
    message: str | None = None


_entry = msgspec.json.Decoder(_Entry)
_envelope = msgspec.json.Decoder(_Envelope)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_anything = msgspec.json.Decoder()
_message = msgspec.json.Decoder(_Message | str | None)


def parse(body: bytes) -> list[Oppslag]:
    """Return the answers that a bulk answer holds, in its order.

    Raises:
        ValueError: the body is no JSON of any of the known forms; says nothing of its content.
    """
    try:
        return [_oppslag(item) for item in _unwrap(body)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not chained: the decoder's message can quote what it met.
        msg = "the answer is no complete JSON of a known form"
        raise ValueError(msg) from None


def compose(answers: Iterable[Oppslag], kind: IdentifierKind) -> bytes:
    """Return one bulk answer made of ``answers``, in the form that the register uses itself."""
    entries = []
    for answer in answers:
        entry = [b'"%s":%s' % (kind.encode(), msgspec.json.encode(answer.identifikator))]
        if answer.person is not None:
            entry.append(b'"folkeregisterperson":' + answer.person)
        if answer.feilmelding is not None:
            message = msgspec.json.encode({"feilmelding": answer.feilmelding})
            entry.append(b'"feilmelding":' + message)
        entries.append(b"{" + b",".join(entry) + b"}")
    return b'{"oppslag":[' + b",".join(entries) + b"]}"


def _unwrap(body: bytes) -> list[bytes]:
    text = body.lstrip()
    if text.startswith(b"["):
        return [bytes(item) for item in _items.decode(text) if not _is_null(item)]
    inner = _envelope.decode(text).oppslag
    if not inner:
        # `{}` answers nothing at all; any other object is one answer, or one document alone.
        return [] if not _anything.decode(text) else [text]
    if _is_null(inner):
        return []
    return _unwrap(bytes(inner)) if bytes(inner).lstrip().startswith(b"[") else [bytes(inner)]


def _oppslag(item: bytes) -> Oppslag:
    entry = _entry.decode(item)
    identifier = _text(entry.foedselsEllerDNummer) or _text(entry.dokumentidentifikator)
    if entry.folkeregisterperson and not _is_null(entry.folkeregisterperson):
        return Oppslag(identifier, bytes(entry.folkeregisterperson), None)
    if entry.feilmelding and not _is_null(entry.feilmelding):
        return Oppslag(identifier, None, _reason(bytes(entry.feilmelding)))
    # No wrapping: the object is a document itself, unless it holds nothing but what was asked for.
    is_document = bool(_fields.decode(item).keys() - _Entry.__struct_fields__)
    return Oppslag(identifier, bytes(item) if is_document else None, None)


def _text(raw: msgspec.Raw) -> str | None:
    if not raw or _is_null(raw):
        return None
    value = _anything.decode(raw)
    return str(value) if isinstance(value, str | int) else None


def _reason(raw: bytes) -> str:
    try:
        message = _message.decode(raw)
    except msgspec.ValidationError:  # a form that nobody has seen: it is still a "no"
        return "uten forklaring"
    if isinstance(message, str):
        return message
    if message is None:
        return "uten forklaring"
    return message.feilmelding or message.melding or message.message or "uten forklaring"


def _is_null(raw: msgspec.Raw | bytes) -> bool:
    return bytes(raw).strip() == b"null"
