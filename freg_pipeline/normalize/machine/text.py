"""JSON's strings: finding their end, comparing, copying with escapes resolved and UTF-8 checked.

Places (``at``, ``end``) are addresses; ``end`` is where the answer's bytes end. Where eight bytes
are looked at together, they lie before ``end``.
"""

from __future__ import annotations

import numpy as np

from freg_pipeline.normalize.machine.memory import (
    compiled,
    load_8,
    load_8_bytes,
    load_64,
    store_8,
    store_64,
    trailing_zeros,
)

PLAIN, ESCAPES, BEYOND_ASCII = 0, 1, 2  # what a string holds, as flags
BAD = -1

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_BLANKS = np.uint64(0x2020202020202020)
_NONE = np.uint64(0)


@compiled
def after_blanks(at: int, end: int) -> int:
    """The first place that is no white space."""
    while at < end:
        byte = load_8(at)
        if byte != 32 and byte != 10 and byte != 13 and byte != 9:
            break
        at += 1
    return at


@compiled
def _special(word: np.uint64) -> np.uint64:
    """Non-zero if any byte is a quotation mark, a backslash, a control sign or beyond ASCII.

    The lowest flag is in the first such byte.
    """
    quote = word ^ _QUOTES
    slash = word ^ _BACKSLASHES
    found = (quote - _ONES) & ~quote | (slash - _ONES) & ~slash | (word - _BLANKS) & ~word | word
    return found & _HIGH


@compiled
def string_end(at: int, end: int) -> tuple[int, int]:
    """The place of the closing quotation mark and what is before it; BAD if there is none.

    Args:
        at: the first byte within the string.
    """
    holds = PLAIN
    while at < end:
        if at + 8 <= end:
            found = _special(load_8_bytes(at))
            if found == _NONE:
                at += 8
                continue
            at += trailing_zeros(found) >> 3
        byte = load_8(at)
        if byte == 34:
            return at, holds
        if byte == 92:
            holds |= ESCAPES
            at += 1
        elif byte >= 128:
            holds |= BEYOND_ASCII
        elif byte < 32:
            return BAD, holds
        at += 1
    return BAD, holds


@compiled
def same_bytes(at: int, end: int, other: int, length: int) -> bool:
    """Whether the bytes at ``at`` are the ``length`` ones at ``other``.

    Those are followed by bytes up to a multiple of eight, which don't matter.
    """
    if at + ((length + 7) & -8) > end:
        return at + length <= end and _same_slowly(at, other, length)
    while length >= 8:
        if load_8_bytes(at) != load_8_bytes(other):
            return False
        at += 8
        other += 8
        length -= 8
    if length == 0:
        return True
    unused = np.uint64(64 - 8 * length)
    return bool((load_8_bytes(at) ^ load_8_bytes(other)) << unused == _NONE)


@compiled
def _same_slowly(at: int, other: int, length: int) -> bool:
    for index in range(length):
        if load_8(at + index) != load_8(other + index):
            return False
    return True


@compiled
def copy(at: int, length: int, to: int, end: int) -> None:
    """Copy bytes; may write up to seven bytes more than ``length`` at ``to``."""
    done = 0
    while done < length and at + done + 8 <= end:
        store_64(to + done, load_64(at + done))
        done += 8
    while done < length:
        store_8(to + done, load_8(at + done))
        done += 1


@compiled
def copy_string(at: int, stop: int, holds: int, to: int, end: int) -> int:
    """Copy a string's text to ``to`` and return its length in bytes; BAD if it is no text.

    Args:
        at: its first byte.
        stop: its closing quotation mark.
        holds: as :func:`string_end` tells.
        to: where to; there is room for ``stop - at`` bytes and seven more.
        end: the answer's end.
    """
    if holds & ESCAPES:
        length = _unescaped(at, stop, to)
    else:
        length = stop - at
        copy(at, length, to, end)
    if holds & BEYOND_ASCII and not _is_utf8(to, to + length):
        return BAD
    return length


@compiled
def _unescaped(at: int, stop: int, to: int) -> int:
    start = to
    while at < stop:
        byte = load_8(at)
        if byte != 92:
            store_8(to, byte)
            to += 1
            at += 1
            continue
        at, code = _escape(at + 1, stop)
        if code < 0:
            return BAD
        to = _encode(code, to)
    return to - start


@compiled
def _escape(at: int, stop: int) -> tuple[int, int]:
    """The letter that the escape after a backslash stands for, and the place after it."""
    byte = load_8(at)
    if byte == 117:  # u
        code = _four_digits(at + 1, stop)
        if 0xD800 <= code < 0xDC00:  # half of a pair
            low = BAD
            if at + 11 <= stop and load_8(at + 5) == 92 and load_8(at + 6) == 117:
                low = _four_digits(at + 7, stop)
            if not 0xDC00 <= low < 0xE000:
                return at, BAD
            return at + 11, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        return at + 5, BAD if 0xDC00 <= code < 0xE000 else code
    return at + 1, _short_escape(byte)


@compiled
def _short_escape(byte: int) -> int:
    if byte == 34 or byte == 92 or byte == 47:
        return byte
    if byte == 110:
        return 10
    if byte == 116:
        return 9
    if byte == 114:
        return 13
    if byte == 98:
        return 8
    return 12 if byte == 102 else BAD


@compiled
def _four_digits(at: int, stop: int) -> int:
    if at + 4 > stop:
        return BAD
    code = 0
    for index in range(4):
        byte = load_8(at + index)
        if 48 <= byte <= 57:
            digit = byte - 48
        elif 65 <= (byte & 0xDF) <= 70:
            digit = (byte & 0xDF) - 55
        else:
            return BAD
        code = code * 16 + digit
    return code


@compiled
def _encode(code: int, to: int) -> int:
    """Write a letter in UTF-8; never longer than its escape."""
    if code < 0x80:
        store_8(to, code)
        return to + 1
    if code < 0x800:
        store_8(to, 0xC0 | code >> 6)
    else:
        if code < 0x10000:
            store_8(to, 0xE0 | code >> 12)
        else:
            store_8(to, 0xF0 | code >> 18)
            to += 1
            store_8(to, 0x80 | code >> 12 & 0x3F)
        to += 1
        store_8(to, 0x80 | code >> 6 & 0x3F)
    store_8(to + 1, 0x80 | code & 0x3F)
    return to + 2


@compiled
def _is_utf8(at: int, stop: int) -> bool:
    while at < stop:
        byte = load_8(at)
        if byte < 0x80:
            at += 1
            continue
        more = _followers(byte, load_8(at + 1) if at + 1 < stop else 0)
        if more == 0 or at + more >= stop:
            return False
        for index in range(2, more + 1):
            if load_8(at + index) & 0xC0 != 0x80:
                return False
        at += more + 1
    return True


@compiled
def _followers(first: int, second: int) -> int:
    """How many bytes follow a letter's first one; 0 if the first two begin no letter."""
    if second & 0xC0 != 0x80:
        return 0
    if 0xC2 <= first <= 0xDF:
        return 1
    if 0xE0 <= first <= 0xEF:  # neither too long a form, nor half of a surrogate pair
        return 0 if (first == 0xE0 and second < 0xA0) or (first == 0xED and second > 0x9F) else 2
    if 0xF0 <= first <= 0xF4:  # nor beyond Unicode
        return 0 if (first == 0xF0 and second < 0x90) or (first == 0xF4 and second > 0x8F) else 3
    return 0
