"""A bulk answer in the form that the register uses -> its documents' values in columns.

``{"oppslag": [{"dokumentidentifikator": "…", "folkeregisterperson": {…}}, …]}``, one entry for each
identifier, in the order asked. Any other form is left to slower code (``envelope.py``).
"""

from __future__ import annotations

from freg_pipeline.normalize.machine import text
from freg_pipeline.normalize.machine.append import (
    BEFORE_ANSWER,
    BEFORE_ENTRY,
    ODD,
    remember,
    take_back,
)
from freg_pipeline.normalize.machine.fields import is_null, name
from freg_pipeline.normalize.machine.memory import compiled, get, load_8, put
from freg_pipeline.normalize.machine.spans import value_end
from freg_pipeline.normalize.machine.walk import document
from freg_pipeline.normalize.memory_map import (
    ASKED_FROM,
    ASKED_TO,
    ENTRIES,
    ENTRY_NUMBERS,
    FIELDS,
    FROM,
    FULL,
    LANDED,
    LATEST,
    NEVER,
    NOTHING,
    ODD_DOCUMENT,
    OTHER_FORM,
    OUTCOME,
    PLACE,
    RECORDED_AT,
    REFUSED,
    TAKE_BACK,
    TO,
    UNKNOWN_BEFORE,
    UNKNOWN_HELD,
)
from freg_pipeline.normalize.program import (
    DOCUMENT,
    ENVELOPE,
    FIELD_NUMBERS,
    HOLDS,
    REFUSAL,
)

_NOT_TOLD, _TOLD, _ANOTHER = 0, 1, 2  # what an entry says of the identifier that it answers

_QUOTE, _COMMA, _OPEN, _CLOSE = 34, 44, 123, 125


@compiled
def entries(at: int, end: int, number: int, count: int, shared: int) -> tuple[int, int]:
    """Read the entries from ``number`` on.

    Args:
        at: where entry ``number`` begins.
        end: where the list of entries ends.
        number: of the first entry to read; 0 unless the answer is resumed after FULL. TAKE_BACK:
            nothing is read, and the answer before is taken back.
        count: how many there must be.
        shared: the address of the shared numbers.

    Returns:
        How many entries are done, and the list's end; in place of that FULL, where the entry under
        way is taken back and begins at its TO, or OTHER_FORM, where the whole answer is.
    """
    if number == TAKE_BACK:
        take_back(BEFORE_ANSWER, shared)
        return 0, OTHER_FORM
    if number == 0:
        remember(BEFORE_ANSWER, shared)
    while number < count:
        entry = get(shared, ENTRIES) + 8 * ENTRY_NUMBERS * number
        put(entry, TO, at)
        remember(BEFORE_ENTRY, shared)
        at = _entry(at, end, entry, shared)
        if at == FULL:
            take_back(BEFORE_ENTRY, shared)
            return number, FULL
        if at < 0:
            break
        number += 1
        at = _next_entry(at, end, number == count)
        if at < 0:
            break
    if number == count and at == end:
        return number, at
    take_back(BEFORE_ANSWER, shared)
    return number, OTHER_FORM


@compiled
def _next_entry(at: int, end: int, last: bool) -> int:  # noqa: FBT001  numba knows no keywords here
    """The place after a comma and blanks, or after the last entry; OTHER_FORM."""
    at = text.after_blanks(at, end)
    if last:
        return at
    if at >= end or load_8(at) != _COMMA:
        return OTHER_FORM
    return text.after_blanks(at + 1, end)


@compiled
def _entry(at: int, end: int, entry: int, shared: int) -> int:
    """One entry; the place after it, FULL or OTHER_FORM."""
    if at >= end or load_8(at) != _OPEN:
        return OTHER_FORM
    put(entry, OUTCOME, NOTHING)
    put(entry, RECORDED_AT, NEVER)
    told, last, separator = _NOT_TOLD, -1, _OPEN
    while load_8(at) == separator:
        at = text.after_blanks(at + 1, end)
        one, at = name(at, end, ENVELOPE, last, shared)
        if one >= 0:
            last = one
            at, told = _member(at, end, one, told, entry, shared)
        if at < 0:
            return FULL if at == FULL else OTHER_FORM
        at = text.after_blanks(at, end)
        if at >= end:
            return OTHER_FORM
        separator = _COMMA
    if load_8(at) != _CLOSE or told == _ANOTHER:
        return OTHER_FORM
    if get(entry, OUTCOME) == NOTHING and get(shared, UNKNOWN_HELD) > get(shared, UNKNOWN_BEFORE):
        return OTHER_FORM  # perhaps a document without wrapping
    return at + 1


@compiled
def _member(at: int, end: int, one: int, told: int, entry: int, shared: int) -> tuple[int, int]:
    """A known field of an entry; the place after it, FULL or OTHER_FORM, and what is told now."""
    if is_null(at, end):
        return at + 4, told
    holds = get(get(shared, FIELDS) + 8 * FIELD_NUMBERS * one, HOLDS)
    if holds == DOCUMENT:
        return _document(at, end, entry, shared), told
    after = value_end(at, end)
    if after < 0:
        return OTHER_FORM, told
    if holds == REFUSAL:
        if get(entry, OUTCOME) == NOTHING:
            put(entry, OUTCOME, REFUSED)
            put(entry, FROM, at)
            put(entry, TO, after)
    elif told != _TOLD:
        told = _TOLD if _is_asked_for(at, after, entry) else _ANOTHER
    return after, told


@compiled
def _document(at: int, end: int, entry: int, shared: int) -> int:
    outcome = get(entry, OUTCOME)
    if outcome == LANDED or outcome == ODD_DOCUMENT:
        return OTHER_FORM  # two documents for one question
    after = document(at, end, get(entry, PLACE), shared)
    if after == FULL:
        return FULL
    if after == ODD:
        take_back(BEFORE_ENTRY, shared)
        after = value_end(at, end)
        if after < 0:
            return OTHER_FORM
        put(entry, OUTCOME, ODD_DOCUMENT)
        put(entry, FROM, at)
        put(entry, TO, after)
    else:
        put(entry, OUTCOME, LANDED)
        put(entry, RECORDED_AT, get(shared, LATEST))
    return after


@compiled
def _is_asked_for(at: int, after: int, entry: int) -> bool:
    """Whether the value between ``at`` and ``after`` is the identifier that was asked for."""
    asked = get(entry, ASKED_FROM)
    if load_8(at) == _QUOTE:
        at, after = at + 1, after - 1
    if after - at != get(entry, ASKED_TO) - asked:
        return False
    for index in range(after - at):
        if load_8(at + index) != load_8(asked + index):
            return False
    return True
