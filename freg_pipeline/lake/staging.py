"""Read the staging tables of an uttrekk's batches, a piece at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from copy import copy

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.journal.files import KeptFile
from freg_pipeline.journal.kept import open_whole
from freg_pipeline.lake.landing import LandedBatch, load_landed, packed_key
from freg_pipeline.lake.layout import ROWS_AT_ONCE
from freg_pipeline.lake.packed import PackedTable, Stretch, decoded, read_parts
from freg_pipeline.store import Store, recall_record
from freg_pipeline.store.overlap import ahead


class Staging:
    """The landed batches of one uttrekk.

    Args:
        store: where they lie.
        place: where its tables lie, as the uttrekk tells it.
        batches: the batches, all landed.
    """

    def __init__(self, store: Store, place: str, batches: list[int]) -> None:
        self._store = store
        self._place = place
        self._landed: dict[int, LandedBatch] = {
            batch: load_landed(store, place, batch) for batch in batches
        }
        self._bucket: tuple[int, int] | None = None

    def of_bucket(self, bucket: int, buckets: int) -> Staging:
        """The same, of which that only is read which may hold rows of a bucket of persons.

        Rows of other buckets are there as well.
        """
        mine = copy(self)
        mine._bucket = (bucket, buckets)
        return mine

    @property
    def fingerprint(self) -> str:
        """Of all that has landed: another one once a batch has landed anew, with other rows."""
        told = "".join(f"{batch}:{self._landed[batch].file.sha256} " for batch in self.batches)
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def batches(self) -> list[int]:
        """Their numbers, ascending."""
        return sorted(self._landed)

    @property
    def landed(self) -> list[LandedBatch]:
        """What landing each of them gave."""
        return list(self._landed.values())

    def rows(self, table: str) -> int:
        """Rows of a table in all batches."""
        return sum(one.rows for _, one in self._of(table))

    def size(self, table: str) -> int:
        """Bytes of memory that a table's rows take, those that are read."""
        sizes = (
            one.held * sum(part.rows for part in self._parts(one)) // max(one.rows, 1)
            for _, one in self._of(table)
        )
        return sum(sizes)

    def read(self, table: str, columns: list[str] | None = None) -> Iterator[tuple[int, pa.Table]]:
        """Yield pieces of a table with the batch that each is from, in the batches' order.

        Within a batch the documents are in an order of their own (freg_pipeline.lake.packed).

        Raises:
            DamagedError: a file is, or is gone.
        """
        for batch, piece in self.read_encoded(table, columns):
            yield batch, decoded(piece)

    def read_encoded(
        self, table: str, columns: list[str] | None = None
    ) -> Iterator[tuple[int, pa.Table]]:
        """The same, with texts as dictionaries where they come often."""

        def read(of: tuple[int, PackedTable]) -> tuple[int, list[pa.Table]]:
            batch, packed = of
            key = packed_key(self._place, batch)
            return batch, [*read_parts(self._store, key, packed, self._parts(packed), columns)]

        for batch, pieces in ahead(self._store, read, self._of(table)):
            for piece in pieces:
                yield batch, piece

    def _parts(self, packed: PackedTable) -> tuple[Stretch, ...]:
        return packed.parts if self._bucket is None else packed.parts_of(*self._bucket)

    def _of(self, table: str) -> Iterator[tuple[int, PackedTable]]:
        for batch in self.batches:
            if table in self._landed[batch].tables:
                yield batch, self._landed[batch].tables[table]


def read_landed(
    store: Store, place: str, landed: LandedBatch, table: str, columns: list[str]
) -> pa.Table:
    """A table of a batch, of a few columns.

    Raises:
        DamagedError: the file is, or is gone.
    """
    packed = landed.tables[table]
    key = packed_key(place, landed.batch)
    parts = read_parts(store, key, packed, packed.parts, columns)
    return pa.concat_tables(map(decoded, parts))


class _Events(msgspec.Struct, frozen=True):
    """What is read here of the record that freg_pipeline.feed.tables writes."""

    files: dict[str, KeptFile]


def staged_events(store: Store, name: str, table: str) -> Iterator[pa.Table]:
    """Yield pieces of a table of an uttrekk's events, in the events' order.

    Raises:
        DamagedError: the file is, or is gone.
        ObjectMissingError: they have not been staged.
    """
    file = recall_record(store, event_key(name, "done.json"), _Events).files[table]
    for piece in _read(store, event_key(name, f"{table}.parquet"), file, None):
        yield pa.Table.from_batches([piece])


def _read(
    store: Store, key: str, file: KeptFile, columns: list[str] | None
) -> Iterator[pa.RecordBatch]:
    with open_whole(store, key, file) as opened:
        yield from pq.ParquetFile(opened).iter_batches(ROWS_AT_ONCE, columns=columns)


def event_key(name: str, file: str) -> str:
    """Where a staging file of an uttrekk's events lies: a table of EVENT_TABLES, or done.json."""
    return f"uttrekk/{name}/tables/hendelser/{file}"
