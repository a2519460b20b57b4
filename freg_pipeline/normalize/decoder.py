"""Answers by one contract -> columns, by machine code; what it can't read is told to the caller."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from freg_pipeline.normalize.columns import Columns
from freg_pipeline.normalize.memory_map import (
    ASKED_FROM,
    ASKED_TO,
    ENTRIES,
    ENTRY_NUMBERS,
    FROM,
    FULL,
    OTHER_FORM,
    OUTCOME,
    PLACE,
    RECORDED_AT,
    TAKE_BACK,
    TO,
    UNKNOWN_HELD,
)
from freg_pipeline.normalize.unknown import UnknownFields
from freg_pipeline.readable import read_json

_HEAD = re.compile(rb'\s*\{\s*"oppslag"\s*:\s*\[\s*')
_TAIL = re.compile(rb"\]\s*\}\s*\Z")
_TAIL_LENGTH = 64  # a longer tail is a form that others read


class Decoded:
    """What came of an answer's entries, one for each document asked for.

    Attributes:
        outcomes: LANDED, ODD_DOCUMENT, REFUSED or NOTHING.
        recorded: the documents' latest ajourholdstidspunkt, microseconds since 1970, or NEVER.
        unknown: how many fields it held that the contract doesn't know.
    """

    def __init__(
        self, body: bytes, address: int, entries: npt.NDArray[np.int64], unknown: int
    ) -> None:
        self.unknown = unknown
        self._body = body
        self._spans = entries[:, [FROM, TO]] - address
        self.outcomes = entries[:, OUTCOME]
        self.recorded = entries[:, RECORDED_AT]

    def text(self, entry: int) -> bytes:
        """An odd document, or the register's refusal."""
        start, end = self._spans[entry]
        return self._body[start:end]


class Decoder:
    """Reads answers in the register's own form. Not to be shared between threads.

    Args:
        columns: where to, by the contract's layout, and empty.
        unknown: counts the fields that the contract doesn't know.
    """

    def __init__(self, columns: Columns, unknown: UnknownFields) -> None:
        # Here, for whoever decodes and nobody else: it may have to be compiled.
        from freg_pipeline.normalize import machine

        self._machine = machine
        self._unknown = unknown
        self.layout = columns.layout
        self.columns = columns

    def decode(
        self,
        body: bytes,
        places: npt.NDArray[np.int64],
        asked: pa.StringArray | None = None,
        *,
        accept: Callable[[Decoded], bool] = lambda _: True,
    ) -> Decoded | None:
        """Append an answer's documents to the columns.

        Args:
            body: ``{"oppslag": [{"folkeregisterperson": …}, …]}``.
            places: for each entry its place in the batch.
            asked: for each entry the identifier that it must answer, if it tells one.
            accept: whether to leave it at that.

        Returns:
            What came of each entry; None, with nothing appended, if the answer has another form,
            another number of entries, answers to other questions, or isn't accepted.
        """
        found = entries_within(body)
        if found is None:
            return None
        entries = asked_entries(places, asked)
        address = np.frombuffer(body, np.uint8).ctypes.data
        if not self.read(address + found[0], address + found[1], entries):
            return None
        shared = self.columns.shared
        decoded = Decoded(body, address, entries, int(shared[UNKNOWN_HELD]))
        if not accept(decoded):
            self._machine.read_entries(0, 0, TAKE_BACK, 0, shared.ctypes.data)
            return None
        self._tell_unknown(body, address)
        return decoded

    def read(self, at: int, end: int, entries: npt.NDArray[np.int64]) -> bool:
        """Append the documents of the entries that lie in memory from ``at`` to ``end``.

        Nothing is read outside of it, whatever is there. What came of each entry, and the unknown
        fields, are noted by their addresses.

        Args:
            at: address of the first entry.
            end: address after the last one.
            entries: what was asked for (:func:`asked_entries`); what came of it is put there.

        Returns:
            Whether it was read; else nothing is appended.
        """
        shared = self.columns.shared
        shared[ENTRIES] = entries.ctypes.data
        done = 0
        while True:
            done, at = self._machine.read_entries(at, end, done, len(entries), shared.ctypes.data)
            if at != FULL:
                return bool(at != OTHER_FORM)
            self.columns.grow()
            at = int(entries[done, TO])

    def _tell_unknown(self, body: bytes, address: int) -> None:
        """Count the unknown fields that were met; one may be in every document."""
        shared = self.columns.shared
        held = int(shared[UNKNOWN_HELD])
        shared[UNKNOWN_HELD] = 0
        counts: Counter[tuple[int, bytes]] = Counter()
        examples: dict[tuple[int, bytes], bytes] = {}
        noted = self.columns.unknown[:held].copy()
        noted[:, 1:] -= address
        for node, name, name_end, start, end in noted.tolist():
            key = (node, body[name:name_end])
            value = body[start:end]
            if value[:1] in b"{[":
                self._unknown.add_value(self._path(key), _value(value))
            elif value != b"null":
                counts[key] += 1
                examples.setdefault(key, value)
        for key, count in counts.items():
            self._unknown.add(self._path(key), count, _value(examples[key]))

    def _path(self, key: tuple[int, bytes]) -> str:
        node, name = key
        return ".".join((*self.layout.paths[node], str(_value(name))))


def entries_within(body: bytes) -> tuple[int, int] | None:
    """From where to where an answer's entries are; None if it has another form."""
    head, tail = _HEAD.match(body), _TAIL.search(body, max(0, len(body) - _TAIL_LENGTH))
    return None if head is None or tail is None else (head.end(), tail.start())


def asked_entries(
    places: npt.NDArray[np.int64], asked: pa.StringArray | None = None
) -> npt.NDArray[np.int64]:
    """Entries for machine code, of which nothing is known but what was asked for.

    Args:
        places: for each its place in the batch.
        asked: for each the identifier that it must answer; kept alive by the caller.
    """
    entries = np.zeros((len(places), ENTRY_NUMBERS), np.int64)
    entries[:, PLACE] = places
    if asked is not None:
        _, offsets, text = asked.buffers()
        ends = np.frombuffer(offsets, np.int32, len(asked) + 1).astype(np.int64)
        entries[:, ASKED_FROM] = ends[:-1] + (text.address if text else 0)
        entries[:, ASKED_TO] = ends[1:] + (text.address if text else 0)
    return entries


def _value(text: bytes) -> Any:
    try:
        return read_json(msgspec.json.decode, text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""  # counted all the same
