"""Text that is no Unicode, in answers that are whole otherwise: one letter stops no uttrekk.

Half of a surrogate pair (``"X\\ud83dY"``), bytes that are no UTF-8, control signs that JSON or XML
don't allow as they are. Answers are kept as they came; only those that can't be read are looked at
here, and what is no text in them is read as U+FFFD (docs/decisions/0029).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

_T = TypeVar("_T")

BOM = b"\xef\xbb\xbf"
REPLACEMENT = "\ufffd"
_NO_TEXT = b"\xff"  # no UTF-8 holds it; a reader of documents tells where it met one
# One that is cut short goes to the end: nothing is looked at twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SUSPECT = re.compile(rb"[\x00-\x1f]|\\u[dD][89a-fA-F]")
_AT_ONCE = 65_536  # letters
_SIGN = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|(?P<control>[\x00-\x1f])"
    rb"|\\.",
    re.DOTALL,
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,12})|([0-9]{1,12}));")
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENCODING = re.compile(rb"<\?xml[^>]{0,100}\bencoding\s*=\s*[\"'](?!utf-?8[\"'])", re.IGNORECASE)


def unicode(text: str) -> str:
    """The text, with U+FFFD for each half of a surrogate pair, or byte that was no UTF-8."""
    return _replaced(_SURROGATES, text)


def _replaced(sign: re.Pattern[str], text: str) -> str:
    """With U+FFFD for each such sign, part by part: else each is an object of its own."""
    if not sign.search(text):
        return text
    parts = (text[at : at + _AT_ONCE] for at in range(0, len(text), _AT_ONCE))
    return "".join(sign.sub(REPLACEMENT, part) for part in parts)


def decoded(text: bytes) -> str:
    """UTF-8 as a text; a byte that is none becomes a sign that :func:`unicode` replaces."""
    return text.removeprefix(BOM).decode("utf-8", "surrogateescape")


def sliceable(body: bytes) -> bytes:
    """JSON that parts can be taken out of, as far as it is damaged by single signs only.

    Control signs are escaped, and are still what they were. Half of a pair becomes a byte that is
    no UTF-8, so that whoever reads the part that holds it can tell.
    """
    return _changed(_STRING, _sliceable, body.removeprefix(BOM))


def _changed(
    found: re.Pattern[bytes], change: Callable[[re.Match[bytes]], bytes], text: bytes
) -> bytes:
    """As ``found.sub(change, text)``, which takes eighty times the memory of a text of nothing."""
    changed, done = bytearray(), 0
    for one in found.finditer(text):
        part = change(one)
        if part != one[0]:
            changed += text[done : one.start()]
            changed += part
            done = one.end()
    changed += text[done:]
    return bytes(changed) if done else text


def _sliceable(string: re.Match[bytes]) -> bytes:
    text = string[0]
    return _changed(_SIGN, _sign, text) if _SUSPECT.search(text) else text


def _sign(found: re.Match[bytes]) -> bytes:
    if found["half"]:
        return _NO_TEXT
    return b"\\u%04x" % found["control"][0] if found["control"] else found[0]


def readable_json(body: bytes) -> bytes:
    """JSON of which every text is Unicode."""
    return unicode(decoded(sliceable(body))).encode()


def within_depth(read: Callable[[bytes], _T], body: bytes) -> _T:
    """What ``read`` makes of a body; one that is nested beyond measure is damaged as any other.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError: it can't be read.
    """
    try:
        return read(body)
    except RecursionError:
        msg = "nested too deep"
        raise msgspec.DecodeError(msg) from None


def read_json(read: Callable[[bytes], _T], body: bytes) -> _T:
    """What ``read`` makes of a body: as it is, or else with every text in it made Unicode.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError: it can't be read either way.
    """
    try:
        return within_depth(read, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        readable = readable_json(body)
        if readable == body:
            raise
    return within_depth(read, readable)


def readable_xml(body: bytes) -> bytes:
    """XML without signs, and references to signs, that XML doesn't allow.

    Another encoding than UTF-8 is left as it is.
    """
    if _ENCODING.match(body.removeprefix(BOM).lstrip()):
        return body
    text = _changed(_REFERENCE, _reference, body).decode("utf-8", "surrogateescape")
    return _replaced(_NO_XML, text.removeprefix("\ufeff")).encode()


def _reference(found: re.Match[bytes]) -> bytes:
    code = int(found[1], 16) if found[1] else int(found[2])
    allowed = code <= 0x10FFFF and not _NO_XML.match(chr(code))
    return found[0] if allowed else REPLACEMENT.encode()


def told_apart(document: bytes) -> bytes:
    """A document in JSON with each U+FFFD as a byte that is no UTF-8: its reader counts them."""
    return document.replace(REPLACEMENT.encode(), _NO_TEXT)
