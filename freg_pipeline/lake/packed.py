"""The form of a batch's staging tables: one file, split by person, of which any part can be read.

A release is made bucket by bucket, maybe on several machines, and how many buckets there will be
isn't known when a batch lands. So a batch's documents are ordered by slice and by the person's key
(freg_pipeline.lake.keys): whatever the number of buckets, a bucket's rows are one stretch of each
table, in the order that the release has them. A table is cut into parts, 1 to MOST_BUCKETS of them
by how many rows it has, each of which holds as many slices. The parts are Arrow messages under LZ4:
they are read once, soon, and cost a fifth of what Parquet does (docs/decisions/0066). The record of
the batch tells where in the file each one lies, and its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.journal.batches import CHUNK
from freg_pipeline.journal.files import damaged
from freg_pipeline.journal.kept import read_ranges
from freg_pipeline.lake.keys import MOST_BUCKETS, in_slices, keys_of, stretch_of
from freg_pipeline.lake.kommune import with_kommune
from freg_pipeline.lake.order import ascending
from freg_pipeline.normalize.account import DOCUMENT_SCHEMA, DOCUMENT_TABLE
from freg_pipeline.normalize.write import BatchRows
from freg_pipeline.store import Store

ROWS_A_PART = 2_048  # smaller parts cost more to find than to read
_PLACE, _PERSON = "dok_nr", "personidentifikator"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_ENCODED_FROM = 500  # rows, by the first of which it is seen whether a text comes often
_MOST_DIFFERENT = 0.3
_DIGITS = 16  # of a digest: damage is to be found, nobody's forgery

Places = npt.NDArray[np.int64]


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of the file.

    Attributes:
        start: where they begin.
        bytes: how many.
        digest: of them.
        rows: how many rows they hold.
    """

    start: int
    bytes: int
    digest: str
    rows: int = 0

    def holds(self, content: memoryview | pa.Buffer) -> bool:
        """Whether bytes are those that were written."""
        return len(content) == self.bytes and _digest(content) == self.digest


class PackedFile(msgspec.Struct, frozen=True):
    """The file of a batch's tables as it was written.

    Attributes:
        bytes: how many.
        sha256: of all of them.
    """

    bytes: int
    sha256: str


class PackedTable(msgspec.Struct, frozen=True):
    """Where a table lies in the file of its batch.

    Attributes:
        rows: how many.
        bytes: how many, in the file.
        held: bytes that the rows take in memory, at most.
        head: where the columns' description lies, with the dictionaries.
        parts: 1, 2, 4, ... parts, each of as many slices.
    """

    rows: int
    bytes: int
    held: int
    head: Stretch
    parts: tuple[Stretch, ...]

    def parts_of(self, bucket: int, buckets: int) -> tuple[Stretch, ...]:
        """The parts that a bucket's rows are in; other buckets' may be there too."""
        size = MOST_BUCKETS // len(self.parts)
        stretch = stretch_of(bucket, buckets)
        return self.parts[stretch.start // size : (stretch.stop - 1) // size + 1]


def pack(tables: Mapping[str, BatchRows], path: Path) -> dict[str, PackedTable]:
    """Write a batch's tables; return where they lie.

    Args:
        tables: rows by table, with ``dok_nr``; one of them tells of each document whose it is.
        path: the file to write.
    """
    told = tables[DOCUMENT_TABLE] if DOCUMENT_TABLE in tables else BatchRows(DOCUMENT_SCHEMA)
    documents = _Documents(told.read([_PLACE, _PERSON]))
    with path.open("wb") as file:
        return {name: _write(file, documents.split(rows.read())) for name, rows in tables.items()}


def _write(file: BinaryIO, parts: Sequence[pa.RecordBatch]) -> PackedTable:
    """Append a table."""
    schema, start = parts[0].schema, file.tell()
    largest = max(parts, key=len)
    sink = pa.BufferOutputStream()
    ends = []
    with pa.ipc.new_stream(sink, schema, options=_OPTIONS) as writer:
        for part in (parts[0].slice(0, 0), *parts):  # without rows: what is ahead of all parts
            writer.write_batch(part)
            ends.append(sink.tell())
    content = sink.getvalue()
    file.write(content)
    begins, ends = ends[:-1], ends[1:]

    def stretch(begin: int, end: int, rows: int = 0) -> Stretch:
        return Stretch(start + begin, end - begin, _digest(content[begin:end]), rows)

    return PackedTable(
        rows=sum(map(len, parts)),
        bytes=len(content),
        held=largest.nbytes * len(parts),
        head=stretch(0, begins[0]),
        parts=tuple(
            stretch(begin, end, len(part))
            for begin, end, part in zip(begins, ends, parts, strict=True)
        ),
    )


class _Documents:
    """A batch's documents in order: by slice and key; what is no person's comes last.

    Args:
        told: the place and the person of each document.
    """

    def __init__(self, told: pa.Table) -> None:
        places = told[_PLACE].to_numpy().astype(np.int64)
        persons = told[_PERSON].combine_chunks()
        keys = np.zeros(int(places.max(initial=-1)) + 1, np.int64)
        keys[places] = keys_of(persons)
        slices = np.full(len(keys), MOST_BUCKETS - 1)
        whose = places[persons.is_valid().to_numpy(zero_copy_only=False)]
        slices[whose] = in_slices(keys[whose])
        self._order = np.lexsort((keys, slices))
        self._slices = slices[self._order]

    def split(self, table: pa.Table) -> list[pa.RecordBatch]:
        """A table in its parts, with the kommune of each address."""
        table = with_kommune(table)
        if _PLACE not in table.column_names:  # of no document
            return [_in_one(table)]
        # Which texts are dictionaries, and in which order these have them, goes by the rows' order:
        # what is packed twice must not differ by the order that answers came in.
        table = ascending(table, _PLACE, CHUNK)
        found, starts = rows_of(table[_PLACE].to_numpy(), self._order)
        rows = pc.take(_encoded(table), pa.array(found), boundscheck=False)
        count = _count_of_parts(len(rows))
        firsts = np.searchsorted(self._slices, np.arange(0, MOST_BUCKETS, MOST_BUCKETS // count))
        cuts = [*starts[firsts].tolist(), len(rows)]
        return [rows.slice(start, end - start) for start, end in pairwise(cuts)]


def _encoded(rows: pa.Table) -> pa.RecordBatch:
    """With texts that come often as dictionaries: codes, names of places, much that is empty."""
    columns = [_whole(column) for column in rows.columns]
    for place, column in enumerate(columns):
        if column.type == pa.string() and len(column) >= _ENCODED_FROM:
            different = len(column.slice(0, _ENCODED_FROM).unique())
            if different <= _ENCODED_FROM * _MOST_DIFFERENT:
                columns[place] = column.dictionary_encode()
    return pa.RecordBatch.from_arrays(columns, names=rows.column_names)


def decoded(rows: pa.Table) -> pa.Table:
    """With plain texts in place of dictionaries."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            plain = rows.column(place).cast(field.type.value_type)
            rows = rows.set_column(place, field.name, plain)
    return rows


def rows_of(places: npt.NDArray[Any], order: Places) -> tuple[npt.NDArray[np.int32], Places]:
    """Where rows are, document by document, in an order of the documents.

    Args:
        places: of each row, the place of its document; below 0: of none. A document's rows come
            together.
        order: the places of the documents wanted, each once.

    Returns:
        The rows' indices; and where each document's begin among them, and the last one's end.
    """
    size = int(max(order.max(initial=-1), places.max(initial=-1))) + 1
    firsts = np.flatnonzero(np.diff(places, prepend=-2)).astype(np.int32)
    of, counts = places[firsts], np.diff(firsts, append=np.int32(len(places)))
    mine = of >= 0
    first, count = np.zeros(size, np.int32), np.zeros(size, np.int32)
    first[of[mine]] = firsts[mine]
    count[of[mine]] = counts[mine]
    if np.count_nonzero(count) != np.count_nonzero(mine):  # they don't come together
        by_document = np.argsort(places, kind="stable").astype(np.int32)
        found, starts = rows_of(places[by_document], order)
        return by_document[found], starts
    first, count = first[order], count[order]
    starts = np.concatenate([[0], np.cumsum(count, dtype=np.int64)])
    found = np.repeat(first - starts[:-1].astype(np.int32), count)
    found += np.arange(len(found), dtype=np.int32)
    return found, starts


def keep_packed(store: Store, key: str, path: Path) -> PackedFile:
    """Put a batch's file into the store, unless it is there as it should be.

    Whoever packs the same tables writes the same bytes.
    """
    with path.open("rb") as file:
        made = PackedFile(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    if not store.put_file(key, path) and hashlib.sha256(store.read(key)).hexdigest() != made.sha256:
        store.delete(key)  # damaged, or of another version of this software
        store.put_file(key, path)
    return made


def _count_of_parts(rows: int) -> int:
    count = 1
    while count < MOST_BUCKETS and rows > count * 2 * ROWS_A_PART:
        count *= 2
    return count


def _in_one(rows: pa.Table) -> pa.RecordBatch:
    columns = [_whole(column) for column in rows.columns]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def read_parts(
    store: Store,
    key: str,
    table: PackedTable,
    parts: Sequence[Stretch],
    columns: Sequence[str] | None = None,
) -> Iterator[pa.Table]:
    """Yield the rows of parts of a table, with texts as dictionaries where they were kept as such.

    Args:
        store: where the batch's file lies.
        key: the file.
        table: where the table lies in it.
        parts: of it, in a row.
        columns: which of them, where the contract has them: it may lack any; None: all.

    Raises:
        DamagedError: what is read isn't as it was written, or is gone.
        StoreError: it can't be read.
    """
    if not parts:
        return
    stretches = (table.head, *parts)
    start, end = parts[0].start, parts[-1].start + parts[-1].bytes
    near = table.head.start + table.head.bytes == start
    reads = [(table.head.start, end)] if near else [_range(table.head), (start, end)]
    content = b"".join(read_ranges(store, key, reads))
    found = _cut(content, [one.bytes for one in stretches])
    if not all(one.holds(there) for one, there in zip(stretches, found, strict=True)):
        raise damaged(store, key)
    yield from _unpacked(content, columns)


def _range(stretch: Stretch) -> tuple[int, int]:
    return stretch.start, stretch.start + stretch.bytes


def _cut(content: bytes, sizes: Sequence[int]) -> list[memoryview]:
    """Bytes one after the other; too few of them make for short ones."""
    ends = np.cumsum([0, *sizes]).tolist()
    return [memoryview(content)[start:end] for start, end in pairwise(ends)]


def _unpacked(stream: bytes, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    """The rows of a table's parts, which follow the description."""
    fields = None
    content = pa.py_buffer(stream)
    if columns is not None:
        names = pa.ipc.read_schema(content).names
        columns = [name for name in columns if name in names]
        fields = [names.index(name) for name in columns]
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=fields)
    with pa.ipc.open_stream(content, options=options) as reader:
        reader.read_next_batch()  # the one without rows
        for batch in reader:
            rows = pa.Table.from_batches([batch])
            yield rows if columns is None else rows.select(columns)


def _digest(content: memoryview | pa.Buffer) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
