"""Texts from outside, made fit to be shown: in an error, a log or the metadata of a run.

What a register, a gateway, a proxy or a user's own command line says may be long, steer a terminal,
or hold identity numbers and our own secrets. :func:`showable` is what every such text passes before
it enters anything that is kept or shown. :func:`masked` and :class:`MaskedFormatter` are the second
line of defence: they go over lines that are ready, and leave our own counts and names alone.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

LONGEST = 200  # characters of a text from outside that are shown
_LOOKED_AT = 100_000  # what comes after so many characters is not even read
_STARS = "*" * 11
_SECRET = "***"  # noqa: S105  what stands in a secret's place

_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|\Z)"  # titles, links, commands
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)

# A digit and what may stand between two of them, as such, percent-encoded (also twice) or as an
# entity or escape of HTML and JSON.
_DIGIT = r"(?:\d|%(?:25)*3\d|\\u003\d|&#(?:[xX]3\d|0*(?:4[89]|5[0-7]));)"
_BETWEEN = r"(?:%(?:25)*[0-9A-Fa-f]{2}|&#?\w{1,8};|\\u00[0-9a-fA-F]{2}|\\[nrt]|[\W_])"
_DIGITS = re.compile(rf"{_DIGIT}(?>{_BETWEEN}{{0,5}}?{_DIGIT}){{9,}}")
_ONE_DIGIT = re.compile(_DIGIT)

# What has as many digits and is no identity number: a time, a random UUID, an address with its
# port, and a sequence number as our own names write it, of a second try as well.
_OTHERWISE = re.compile(
    r"(\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?![\d.])"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b"
    r"|(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
    r"(?::\d{1,5})?(?![\d.])"
    r"|\bhendelser-000\d{9}-\d{1,3}(?!\d|[^\w/]{1,3}\d)"
    r"|(?<!\d)000\d{9}(?!\d|[^\w/]{1,3}\d))",
    re.IGNORECASE | re.ASCII,
)


def showable(text: str, limit: int = LONGEST) -> str:
    """Return a text from outside as it may be shown: one line, not long, nothing secret in it.

    Control characters and terminal escapes are gone; whatever has as many digits as an identity
    number is masked, however they are written or separated; so is each known secret.

    Args:
        text: as it came.
        limit: characters at the most.
    """
    cut = len(text) > _LOOKED_AT
    line = _hide_secrets(_clean(text[:_LOOKED_AT]))
    line = _mask_numbers(line, _any_number)
    if len(line) > limit:
        return f"{line[: limit - 1]}…"
    return "…" if cut else line  # of what was cut through, the end may be half a number


def masked(line: str) -> str:
    """Return lines of our own as they may be shown: no secret, no steering of terminals in them.

    Of what has as many digits as an identity number, that is masked which can be one: our own
    counts, keys and positions stay.
    """
    plain = (char for char in _ESCAPE.sub("", line) if char.isprintable() or char in "\n\t")
    return _mask_numbers(_hide_secrets("".join(plain)), _may_be_number)


class MaskedFormatter(logging.Formatter):
    """Formats log records with :func:`masked`, tracebacks and all."""

    def format(self, record: logging.LogRecord) -> str:
        """Format, then mask."""
        return masked(super().format(record))


def looks_like_number(text: str) -> bool:
    """Whether a text holds what may be an identity number; secrets are no matter of this."""
    return _mask_numbers(text, _may_be_number) != text


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFKC", _ESCAPE.sub("", text))
    kept = (char for char in text if char.isprintable() or char.isspace())
    return " ".join("".join(kept).split())


def _mask_numbers(text: str, is_number: Callable[[str, bool], bool]) -> str:
    def mask(found: re.Match[str]) -> str:
        written = found.group().removesuffix(".0")  # as a floating-point number
        digits = "".join(_value(one) for one in _ONE_DIGIT.findall(written))
        if len(digits) == 10:  # as a JSON number, it has lost its leading zero
            return _STARS if _begins_with_date(f"0{digits}") else found.group()
        return _STARS if is_number(digits, written.isdecimal()) else found.group()

    pieces = _OTHERWISE.split(text)
    pieces[::2] = [_DIGITS.sub(mask, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _value(digit: str) -> str:
    if digit.startswith("&#") and digit[2] not in "xX":
        return str(int(digit[2:-1]) - ord("0"))
    return str(unicodedata.digit(digit.rstrip(";")[-1]))


def _any_number(digits: str, together: bool) -> bool:  # noqa: FBT001  as the other one
    del digits, together
    return True


def _may_be_number(digits: str, together: bool) -> bool:  # noqa: FBT001  as a callback
    """Whether they are eleven digits, or hold eleven that begin with a date as numbers do.

    Args:
        digits: at least eleven.
        together: nothing stands between them.
    """
    exactly = together and len(digits) == 11
    return exactly or any(_begins_with_date(digits[at:]) for at in range(len(digits) - 10))


def _begins_with_date(digits: str) -> bool:
    """Day (a D-number's + 40) and month (a test number's + 40, + 65 or + 80)."""
    day, month = int(digits[:2]), int(digits[2:4])
    return day <= 71 and 1 <= day % 40 <= 31 and any(1 <= month - plus <= 12 for plus in _TEST)


_TEST = (0, 40, 65, 80)

_SHORTEST = 3  # a shorter one is part of any word
_PIECE = 12  # of a long one, so many characters in a row are already too much
_MOST = 64  # tokens are renewed for as long as a process lives

_secrets: dict[str, frozenset[str]] = {}  # each with its forms, the one used last at the end
_known: tuple[list[str], frozenset[str]] = ([], frozenset())  # all forms, and their pieces
_lock = threading.Lock()


def keep_secret(*values: str | None) -> None:
    """Remember secrets, so that no text from outside that echoes one shows it.

    Args:
        values: tokens, passwords, keys, assertions; of a text of several lines each line.
    """
    with _lock:
        for value in filter(None, values):
            if value in _secrets:
                _secrets[value] = _secrets.pop(value)  # the longest unused is forgotten first
                continue
            cleaned = map(_clean, value.splitlines())
            lines = [line for line in cleaned if len(line) >= _SHORTEST]
            _secrets[value] = frozenset(form for line in lines for form in _forms(line))
            if len(_secrets) > _MOST:
                del _secrets[next(iter(_secrets))]
            _know()


def _know() -> None:
    global _known
    forms = frozenset[str]().union(*_secrets.values())
    pieces = (form[at : at + _PIECE] for form in forms for at in range(len(form) - _PIECE + 1))
    _known = (sorted(forms, key=len, reverse=True), frozenset(pieces))


def _forms(secret: str) -> set[str]:
    """A secret as it is echoed: in a URL, in JSON or HTML, as Basic authorisation has it."""
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        html.escape(secret),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }


def _hide_secrets(text: str) -> str:
    forms, pieces = _known
    for form in forms:
        text = text.replace(form, _SECRET)
    return _hide_pieces(text, pieces) if pieces else text


def _hide_pieces(text: str, pieces: frozenset[str]) -> str:
    """Without what is a part of a secret: one that was cut, or stands in another one's form."""
    shown: list[str] = []
    at = 0
    while at < len(text):
        if text[at : at + _PIECE] not in pieces:
            shown.append(text[at])
            at += 1
            continue
        while text[at : at + _PIECE] in pieces:
            at += 1
        at += _PIECE - 1
        shown.append(_SECRET)
    return "".join(shown)
