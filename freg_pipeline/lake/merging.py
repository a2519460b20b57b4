"""Staged tables -> the rows of those who landed, in the order of a bucket's files.

Each batch's rows of a bucket are in order already (freg_pipeline.lake.packed), and which document
follows which is known of the documents. So a table is merged by whole numbers, one for each
document, and its wide columns are picked once, one column after another. Several buckets are
merged at once, one after the other, where a table is small: batches hold its rows together.
Nothing is taken for granted: whether the rows ascend by their keys is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from freg_pipeline.contract import Plan
from freg_pipeline.lake.documents import Documents
from freg_pipeline.lake.layout import FileLayout
from freg_pipeline.lake.order import is_whole, neighbours, order_of
from freg_pipeline.lake.packed import rows_of
from freg_pipeline.lake.rows import Origin, marked
from freg_pipeline.lake.staging import Staging
from freg_pipeline.lake.tables import PERSON, PERSON_KEY, RECORDED_COLUMN
from freg_pipeline.lake.unasked import UnaskedNumbers
from freg_pipeline.normalize.account import DOCUMENT_TABLE

_PLACE = "dok_nr"
_OF_PERSONS = [
    _PLACE,
    "personidentifikator",
    "dokumentidentifikator",
    "ajourholdt",
    "hentet",
]


class Merging:
    """The rows of documents. Tables may be merged side by side.

    Args:
        staging: the batches' tables, or what of them may hold the documents' rows.
        plan: the contract's tables.
        parts: whose content is landed.
        documents: of those who landed, in order, in each bucket.
        origin: what the rows say of where they came from.
        cuts: where each bucket's documents begin, but the first one's; none: there is but one.
    """

    def __init__(
        self,
        staging: Staging,
        plan: Plan,
        parts: Collection[str],
        documents: Documents,
        origin: Origin,
        cuts: Sequence[int] = (),
    ) -> None:
        self._staging = staging
        self._unasked = UnaskedNumbers(staging, plan, parts)
        self._documents = documents
        self._origin = origin
        self._cuts = cuts

    def of_table(self, layout: FileLayout) -> list[pa.Table]:
        """A table's rows by its keys, the hidden columns among them, bucket by bucket."""
        columns, names, documents = self._read(layout.name)
        if not columns:
            return [layout.schema.empty_table()] * (len(self._cuts) + 1)
        found, starts = rows_of(documents, np.arange(len(self._documents)))
        rows = pa.table(dict(zip(names, picked(columns, found), strict=True)))
        if layout.name == PERSON.name:
            rows = self._as_persons(rows)
        keys = np.repeat(self._documents.keys, np.diff(starts))
        rows = rows.append_column(PERSON_KEY, pa.array(keys))
        if self._origin.delta:
            rows = marked(rows, self._origin.sekvensnummer)
        rows = shaped(rows, layout)
        cuts = [0, *(int(starts[cut]) for cut in self._cuts), len(rows)]
        return [in_order(rows.slice(a, b - a), layout) for a, b in pairwise(cuts)]

    def _as_persons(self, documents: pa.Table) -> pa.Table:
        """The rows of ``person``: what the account tells of the documents."""
        origin = {"sekvensnummer": self._origin.sekvensnummer, "uttrekk": self._origin.uttrekk}
        for name, value in origin.items():
            kind = PERSON.schema.field(name).type
            documents = documents.append_column(
                name, pa.repeat(pa.scalar(value, kind), len(documents))
            )
        return documents.append_column(RECORDED_COLUMN, documents["ajourholdt"])

    def _read(self, name: str) -> tuple[list[list[pa.Array]], list[str], npt.NDArray[np.int32]]:
        """The pieces of each column, the columns' names, and the document of each row."""
        columns: list[list[pa.Array]] = []
        wanted = _OF_PERSONS if name == PERSON.name else None
        name = DOCUMENT_TABLE if name == PERSON.name else name
        names: list[str] = []
        documents = [np.empty(0, np.int32)]
        for batch, staged in self._staging.read_encoded(name, wanted):
            rows = self._unasked.without(name, batch, staged)
            documents.append(self._documents.of_batch(batch, rows[_PLACE].to_numpy()))
            rows = rows.drop_columns(_PLACE)
            if not columns:
                names = rows.column_names
                columns = [[] for _ in names]
            for pieces, column in zip(columns, rows.columns, strict=True):
                pieces += column.chunks
        return columns, names, np.concatenate(documents)


def picked(columns: list[list[pa.Array]], rows: npt.NDArray[np.int32]) -> Iterator[pa.Array]:
    """Rows of each column; its pieces are let go before the next one is picked."""
    indices = pa.array(rows)
    while columns:
        yield _whole(columns.pop(0)).take(indices)


def _whole(pieces: list[pa.Array]) -> pa.Array:
    """Pieces of a column one after the other; texts as a dictionary if all of them are."""
    if len({piece.type for piece in pieces}) > 1:
        plain = next(piece.type for piece in pieces if not pa.types.is_dictionary(piece.type))
        pieces = [piece.cast(plain) for piece in pieces]
    return pa.concat_arrays(pieces)


def shaped(rows: pa.Table, layout: FileLayout) -> pa.Table:
    """The columns of the table's files; dictionaries stay, as files have them or not either way."""
    rows = rows.select(layout.schema.names)
    fields = [
        field.with_type(there.type) if pa.types.is_dictionary(there.type) else field
        for field, there in zip(layout.schema, rows.schema, strict=True)
    ]
    return rows.cast(pa.schema(fields, layout.schema.metadata))


def in_order(rows: pa.Table, layout: FileLayout) -> pa.Table:
    """Rows that ascend by the table's keys."""
    keys = [rows[name] for name in layout.keys]
    if all(map(is_whole, keys)) and neighbours([key.to_numpy() for key in keys])[0]:
        return rows
    nowhere = np.zeros(len(rows), np.int16)
    return rows.take(pa.array(order_of(rows, nowhere, layout.keys)))
