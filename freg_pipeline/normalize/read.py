"""Raw answers -> documents in columns, each with its place in the batch; reasons for the others.

An answer in the register's own form is read by machine code at once. In another form (answers in
another order, one missing, no wrapping), its documents are first put into that form. Documents that
aren't as the contract says are then repaired one by one, or put in quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from freg_pipeline.contract import Plan
from freg_pipeline.envelope import IdentifierKind, Oppslag, compose, match, parse, refusal
from freg_pipeline.normalize.columns import Columns
from freg_pipeline.normalize.decoder import Decoded, Decoder
from freg_pipeline.normalize.memory_map import LANDED, NEVER, ODD_DOCUMENT, REFUSED
from freg_pipeline.normalize.repair import NotDecodableError, repaired
from freg_pipeline.normalize.unknown import UnknownFields
from freg_pipeline.reasons import means_gone

_KIND: IdentifierKind = "dokumentidentifikator"  # for answers of our own making; never stored
_NOT_ANSWERED = ("", "ikke besvart")
_UNREADABLE = ("", "dokumentet kan ikke leses")


@dataclass(frozen=True, repr=False)
class Chunk:
    """One answered look-up.

    Attributes:
        first: place in the batch of the first identifier asked for, from 0.
        asked: the identifiers asked for, in order.
        body: the answer as it came, JSON.
        hentet: when it was answered.
    """

    first: int
    asked: Sequence[str]
    body: bytes
    hentet: datetime


@dataclass
class Reading:
    """What came of a chunk's identifiers: documents in the columns, or a reason. No answer.

    Attributes:
        first: place in the batch of the first identifier.
        asked: the identifiers.
        hentet: when it was answered.
        recorded: for each document its latest ajourholdstidspunkt, microseconds since 1970, UTC;
            NEVER where it tells none or isn't there.
        gone: index in ``asked`` -> the register's reason for having no document.
        failed: index in ``asked`` -> (path, reason) for what can't be used.
    """

    first: int
    asked: pa.StringArray
    hentet: datetime
    recorded: npt.NDArray[np.int64]
    gone: dict[int, str] = field(default_factory=dict)
    failed: dict[int, tuple[str, str]] = field(default_factory=dict)


def _begun(chunk: Chunk) -> Reading:
    asked = pa.array(chunk.asked, pa.string())
    return Reading(chunk.first, asked, chunk.hentet, np.full(len(asked), NEVER))


def _is_plain(decoded: Decoded) -> bool:
    others = np.flatnonzero(decoded.outcomes != LANDED)
    return not decoded.unknown and all(
        decoded.outcomes[entry] == REFUSED and means_gone(refusal(decoded.text(entry)))
        for entry in others.tolist()
    )


def _note_reason(reading: Reading, index: int, reason: str) -> None:
    """Gone, where the register's reason says so; else it gave no document for another reason."""
    if means_gone(reason):
        reading.gone[index] = reason
    else:
        reading.failed[index] = ("", f"registeret svarte: {reason}")


class Reader:
    """Reads answers by one contract into its columns. Not to be shared between threads."""

    def __init__(self, plan: Plan, columns: Columns, unknown: UnknownFields) -> None:
        self._structure = plan.contract.structure
        self._unknown = unknown
        self._decoder = Decoder(columns, unknown)

    def read(self, chunk: Chunk) -> Reading:
        """Read a chunk's answer: its documents' values are in the columns then."""
        reading = _begun(chunk)
        indices = np.arange(len(chunk.asked))
        decoded = self._decoder.decode(chunk.body, chunk.first + indices, reading.asked)
        if decoded is not None:
            odd = self._sort_out(decoded, indices.tolist(), reading)
        else:
            odd = self._read_other_form(chunk, reading)
        self._read_odd(chunk, odd, reading)
        return reading

    def read_plain(self, chunk: Chunk) -> Reading | None:
        """Read an answer if it answers everything in the contract's plain form.

        So it is known to be whole and to leave nothing open, without being read twice.

        Returns:
            None, with nothing read, for every other answer: one that is damaged, that leaves out an
            identifier or gives no document for a reason that may pass, and one with an odd document
            or a field that the contract doesn't know.
        """
        reading = _begun(chunk)
        indices = np.arange(len(chunk.asked))
        decoded = self._decoder.decode(
            chunk.body, chunk.first + indices, reading.asked, accept=_is_plain
        )
        if decoded is not None:
            self._sort_out(decoded, indices.tolist(), reading)
        return None if decoded is None else reading

    def _sort_out(
        self, decoded: Decoded, indices: Sequence[int], reading: Reading
    ) -> dict[int, bytes]:
        """Note what came of the entries, and return the odd documents."""
        odd = {}
        reading.recorded[indices] = decoded.recorded
        for entry in np.flatnonzero(decoded.outcomes != LANDED).tolist():
            index, outcome = indices[entry], decoded.outcomes[entry]
            if outcome == ODD_DOCUMENT:
                odd[index] = decoded.text(entry)
            elif outcome == REFUSED:
                _note_reason(reading, index, refusal(decoded.text(entry)))
            else:
                reading.failed[index] = _NOT_ANSWERED
        return odd

    def _read_other_form(self, chunk: Chunk, reading: Reading) -> dict[int, bytes]:
        """Read the documents of an answer in any form; return the odd ones."""
        try:
            answers = match(chunk.asked, parse(chunk.body))
        except ValueError as error:
            reading.failed |= dict.fromkeys(range(len(chunk.asked)), ("", str(error)))
            return {}
        persons: dict[int, bytes] = {}
        for index, answer in enumerate(answers):
            if answer is None or (answer.person is None and answer.feilmelding is None):
                reading.failed[index] = _NOT_ANSWERED
            elif answer.person is None:
                _note_reason(reading, index, answer.feilmelding or "uten forklaring")
            else:
                persons[index] = answer.person
        return self._read_documents(chunk, persons, reading)

    def _read_documents(
        self, chunk: Chunk, persons: dict[int, bytes], reading: Reading
    ) -> dict[int, bytes]:
        """Read documents; return those that aren't in the contract's plain form."""
        body = compose((Oppslag(None, person, None) for person in persons.values()), _KIND)
        indices = list(persons)
        decoded = self._decoder.decode(body, chunk.first + np.array(indices, np.int64))
        return persons if decoded is None else self._sort_out(decoded, indices, reading)

    def _read_odd(self, chunk: Chunk, odd: dict[int, bytes], reading: Reading) -> None:
        mended: dict[int, bytes] = {}
        for index, person in odd.items():
            try:
                mended[index] = repaired(person, self._structure, self._unknown)
            except NotDecodableError as error:
                reading.failed[index] = (error.path, error.reason)
        if mended:
            unreadable = self._read_documents(chunk, mended, reading)
            reading.failed |= dict.fromkeys(unreadable, _UNREADABLE)
