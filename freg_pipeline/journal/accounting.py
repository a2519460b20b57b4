"""What became of an uttrekk's identifiers, in numbers."""

from __future__ import annotations

import msgspec


class Accounting(msgspec.Struct, frozen=True):
    """What became of an uttrekk's identifiers.

    Attributes:
        delivered: identifiers that the register delivered in batches.
        landed: persons in the release, counted in its files.
        merged: numbers that have gone over to another person, or are another number of one.
        duplicates: older documents of a person, and identifiers that came twice.
        gone: the register no longer has them.
        failed: they could not be decoded, or were never answered.
        unexplained: identifiers that are none of these; anything but 0 is a fault of ours.
        reasons: how many for each reason, the most frequent ones.
        events_without_document: event documents that the register didn't give; no identifiers, and
            no fault: their persons were looked up all the same.
        events_not_followed: events that name neither a person nor a document.
        erased: of persons who were erased, and are kept out.
    """

    delivered: int
    landed: int
    merged: int
    duplicates: int
    gone: int
    failed: int
    unexplained: int
    reasons: dict[str, int]
    events_without_document: int = 0
    events_not_followed: int = 0
    erased: int = 0
