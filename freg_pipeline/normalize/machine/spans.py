"""Where a value ends, whatever it is."""

from __future__ import annotations

from freg_pipeline.normalize.machine import text
from freg_pipeline.normalize.machine.memory import compiled, load_8

_QUOTE, _COMMA, _COLON = 34, 44, 58
_OPEN_LIST, _CLOSE_LIST, _OPEN, _CLOSE = 91, 93, 123, 125


@compiled
def token_end(at: int, end: int) -> int:
    """The place after a number, ``true``, ``false`` or ``null``: the first sign of no such word."""
    while at < end:
        byte = load_8(at)
        letter = byte | 32
        if not (48 <= byte <= 57 or 97 <= letter <= 122 or byte == 43 or byte == 45 or byte == 46):
            break
        at += 1
    return at


@compiled
def value_end(at: int, end: int) -> int:
    """The place after any value, found by its brackets; BAD if it has no end."""
    depth = 0
    while at < end:
        byte = load_8(at)
        if byte == _OPEN or byte == _OPEN_LIST:
            depth += 1
            at += 1
            continue
        if depth and (byte <= 32 or byte == _COMMA or byte == _COLON):
            at += 1
            continue
        if byte == _CLOSE or byte == _CLOSE_LIST:
            depth -= 1
            at += 1
        else:
            after = _single_end(at, end)
            if after <= at:
                return text.BAD
            at = after
        if depth <= 0:
            return at if depth == 0 else text.BAD
    return text.BAD


@compiled
def _single_end(at: int, end: int) -> int:
    """The place after a single value; BAD or the same place if there is none."""
    if load_8(at) != _QUOTE:
        return token_end(at, end)
    stop, _ = text.string_end(at + 1, end)
    return stop + 1 if stop >= 0 else text.BAD


@compiled
def tells_surrogates(at: int, stop: int) -> bool:
    """Whether ``\\ud…`` is between two places, as an escape or as something like it."""
    while at + 2 < stop:
        if load_8(at) == 92 and load_8(at + 1) == 117 and load_8(at + 2) | 32 == 100:
            return True
        at += 1
    return False
