"""The account of a batch: one row for each identifier that was asked for, and what came of it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract.names import PERSON_COLUMN
from freg_pipeline.envelope import IdentifierKind
from freg_pipeline.normalize.memory_map import NEVER
from freg_pipeline.normalize.person import CurrentNumbers
from freg_pipeline.normalize.read import Reading

DOCUMENT_TABLE = "dokument"

_TIME = pa.timestamp("us", tz="UTC")
_DOCUMENT, _GONE, _FAILED = 0, 1, 2
_OUTCOMES = ("dokument", "borte", "feilet")
_NAMELESS = ("identifikasjonsnummer", "dokumentet sier ikke hvem det gjelder")
DOCUMENT_SCHEMA = pa.schema(
    [
        ("dok_nr", pa.int32()),
        ("identifikator", pa.string()),
        ("utfall", pa.string()),
        ("aarsak", pa.string()),
        ("sti", pa.string()),
        (PERSON_COLUMN, pa.string()),
        ("dokumentidentifikator", pa.string()),
        ("ajourholdt", _TIME),
        ("hentet", _TIME),
    ]
)


class Account:
    """Rows of account, settled once the persons' numbers are needed.

    Attributes:
        outcomes: identifiers by ``utfall``.
        numbers: for each place in the batch, as far as it is settled, the person's current number.
        dropped: places of documents whose rows must be left out.
    """

    def __init__(self, kind: IdentifierKind, numbers: CurrentNumbers) -> None:
        self._by_document = kind == "dokumentidentifikator"
        self._find = numbers
        self._open: list[Reading] = []
        self._settled: list[pa.Table] = []
        self.outcomes: Counter[str] = Counter()
        self.numbers: pa.StringArray = pa.array([], pa.string())
        self.dropped: list[int] = []

    @property
    def rows(self) -> int:
        """Rows that are settled and not yet taken."""
        return sum(table.num_rows for table in self._settled)

    def add(self, reading: Reading) -> None:
        """Take up the identifiers of a chunk."""
        self._open.append(reading)

    def settle(self) -> None:
        """Find the persons of the documents read since last time, which are in the columns yet."""
        if not self._open:
            return
        first = self._open[0].first
        asked = pa.concat_arrays([reading.asked for reading in self._open])
        numbers = self._find.current(first, len(asked))
        table = self._table(first, asked, numbers)
        self._settled.append(table)
        self.numbers = pa.concat_arrays(
            [self.numbers, table.column(PERSON_COLUMN).combine_chunks()]
        )
        self._open = []

    def take(self) -> pa.Table:
        """The settled rows, which are then forgotten."""
        table = pa.concat_tables([DOCUMENT_SCHEMA.empty_table(), *self._settled])
        self._settled = []
        return table

    def _table(self, first: int, asked: pa.StringArray, numbers: pa.StringArray) -> pa.Table:
        size = len(asked)
        outcome = np.full(size, _DOCUMENT, np.int8)
        reasons = self._reasons(first, outcome)
        there = outcome == _DOCUMENT
        if self._by_document:
            nameless = np.flatnonzero(there & _null(numbers))
            outcome[nameless] = _FAILED
            reasons |= dict.fromkeys(nameless.tolist(), _NAMELESS)
            self.dropped += (first + nameless).tolist()
            numbers = pc.if_else(pa.array(outcome == _DOCUMENT), numbers, None)
        else:  # one that tells no number is whose number was asked for
            numbers = pc.if_else(pa.array(there), pc.coalesce(numbers, asked), None)
        recorded = np.concatenate([reading.recorded for reading in self._open])
        unknown = (recorded == NEVER) | (outcome != _DOCUMENT)
        for code, count in zip(*np.unique(outcome, return_counts=True), strict=True):
            self.outcomes[_OUTCOMES[code]] += int(count)
        columns = [
            pa.array(np.arange(first, first + size, dtype=np.int32)),
            asked,
            pa.array(_OUTCOMES).take(pa.array(outcome)),
            _texts(size, {place: reason for place, (_, reason) in reasons.items()}),
            _texts(size, {place: path for place, (path, _) in reasons.items() if path}),
            numbers,
            asked if self._by_document else pa.nulls(size, pa.string()),
            pa.array(recorded, mask=unknown).cast(_TIME),
            pa.concat_arrays(
                [pa.repeat(pa.scalar(one.hentet, _TIME), len(one.asked)) for one in self._open]
            ),
        ]
        return pa.table(columns, schema=DOCUMENT_SCHEMA)

    def _reasons(self, first: int, outcome: npt.NDArray[np.int8]) -> dict[int, tuple[str, str]]:
        """For each identifier without a document (path, reason); its outcome is set."""
        reasons: dict[int, tuple[str, str]] = {}
        for reading in self._open:
            start = reading.first - first
            for index, text in reading.gone.items():
                outcome[start + index] = _GONE
                reasons[start + index] = ("", text)
            for index, told in reading.failed.items():
                outcome[start + index] = _FAILED
                reasons[start + index] = told
        return reasons


def _null(values: pa.Array) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = values.is_null().to_numpy(zero_copy_only=False)
    return mask


def _texts(size: int, texts: dict[int, str]) -> pa.StringArray:
    """An array of mostly nulls."""
    if not texts:
        return pa.nulls(size, pa.string())
    return pa.array([texts.get(index) for index in range(size)], pa.string())
