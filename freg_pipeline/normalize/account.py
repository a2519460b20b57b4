"""The account of a batch: one row for each identifier that was asked for, and what came of it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract.names import PERSON_COLUMN
from freg_pipeline.envelope import IdentifierKind
from freg_pipeline.journal.keptout import OUTCOME, PLACEHOLDER, REASON
from freg_pipeline.normalize.memory_map import NEVER
from freg_pipeline.normalize.person import CurrentNumbers, Places
from freg_pipeline.normalize.read import Reading

DOCUMENT_TABLE = "dokument"

_TIME = pa.timestamp("us", tz="UTC")
_DOCUMENT, _GONE, _FAILED, _ERASED = 0, 1, 2, 3
_OUTCOMES = ("dokument", "borte", "feilet", OUTCOME)
_NAMELESS = ("identifikasjonsnummer", "dokumentet sier ikke hvem det gjelder")
_BLANK = ("", "dokumentet er tomt")
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
        dropped: places of documents whose rows must be left out.
    """

    def __init__(self, kind: IdentifierKind, numbers: CurrentNumbers) -> None:
        self._by_document = kind == "dokumentidentifikator"
        self._find = numbers
        self._open: list[Reading] = []
        self._settled: list[pa.Table] = []
        self.outcomes: Counter[str] = Counter()
        self._numbers: pa.StringArray = pa.array([], pa.string())
        self._where = np.full(0, -1, np.int32)  # by place: in those numbers
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
        asked = pa.concat_arrays([reading.asked for reading in self._open])
        places = np.concatenate([_places(reading) for reading in self._open])
        table = self._table(places, asked, self._find.current(places))
        self._settled.append(table)
        numbers = table.column(PERSON_COLUMN).combine_chunks()
        self._note(places, len(self._numbers))
        self._numbers = pa.concat_arrays([self._numbers, numbers])
        self._open = []

    def numbers(self, places: pa.Int32Array) -> pa.StringArray:
        """The current numbers of the persons at some places in the batch, which are settled."""
        return self._numbers.take(pa.array(self._where[places.to_numpy()]))

    def _note(self, places: Places, first: int) -> None:
        size = max(len(self._where), int(places.max()) + 1)
        where = np.full(size, -1, np.int32)
        where[: len(self._where)] = self._where
        where[places] = np.arange(first, first + len(places))
        self._where = where

    def take(self) -> pa.Table:
        """The settled rows, which are then forgotten."""
        table = pa.concat_tables([DOCUMENT_SCHEMA.empty_table(), *self._settled])
        self._settled = []
        return table

    def _table(self, places: Places, asked: pa.StringArray, numbers: pa.StringArray) -> pa.Table:
        size = len(asked)
        outcome = np.full(size, _DOCUMENT, np.int8)
        reasons = self._reasons(outcome)
        nameless = np.flatnonzero((outcome == _DOCUMENT) & _null(numbers))
        if not self._by_document and nameless.size:
            nameless = nameless[~self._find.holding(places[nameless])]
        outcome[nameless] = _FAILED
        reasons |= dict.fromkeys(nameless.tolist(), _NAMELESS if self._by_document else _BLANK)
        self.dropped += places[nameless].tolist()
        if not self._by_document:  # one that tells no number is whose number was asked for
            numbers = pc.coalesce(numbers, asked)
        numbers = pc.if_else(pa.array(outcome == _DOCUMENT), numbers, None)
        recorded = np.concatenate([reading.recorded for reading in self._open])
        unknown = (recorded == NEVER) | (outcome != _DOCUMENT)
        for code, count in zip(*np.unique(outcome, return_counts=True), strict=True):
            self.outcomes[_OUTCOMES[code]] += int(count)
        asked = _without_erased(asked, outcome)
        columns = [
            pa.array(places, pa.int32()),
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

    def _reasons(self, outcome: npt.NDArray[np.int8]) -> dict[int, tuple[str, str]]:
        """For each identifier without a document (path, reason); its outcome is set."""
        reasons: dict[int, tuple[str, str]] = {}
        start = 0
        for reading in self._open:
            for index, text in reading.gone.items():
                outcome[start + index] = _ERASED if text == REASON else _GONE
                reasons[start + index] = ("", text)
            for index, told in reading.failed.items():
                outcome[start + index] = _FAILED
                reasons[start + index] = told
            start += len(reading.asked)
        return reasons


def _without_erased(asked: pa.StringArray, outcome: npt.NDArray[np.int8]) -> pa.StringArray:
    """Identifiers, with a placeholder for those of persons who are kept out."""
    erased = outcome == _ERASED
    return pc.if_else(pa.array(erased), PLACEHOLDER, asked) if erased.any() else asked


def _places(reading: Reading) -> Places:
    """The places in the batch of a chunk's identifiers."""
    return np.arange(reading.first, reading.first + len(reading.asked))


def _null(values: pa.Array) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = values.is_null().to_numpy(zero_copy_only=False)
    return mask


def _texts(size: int, texts: dict[int, str]) -> pa.StringArray:
    """An array of mostly nulls."""
    if not texts:
        return pa.nulls(size, pa.string())
    return pa.array([texts.get(index) for index in range(size)], pa.string())
