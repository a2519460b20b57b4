"""Read the staging tables of an uttrekk's batches, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.journal.kept import KeptFile, open_whole
from freg_pipeline.lake.landing import LandedBatch, load_landed, staging_key
from freg_pipeline.store import Store, read_record

ROWS_AT_ONCE = 100_000


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
        return sum(
            landed.files[table].rows for landed in self._landed.values() if table in landed.files
        )

    def read(self, table: str, columns: list[str] | None = None) -> Iterator[tuple[int, pa.Table]]:
        """Yield pieces of a table with the batch that each is from, in the batches' order.

        Raises:
            DamagedError: a file is, or is gone.
        """
        for batch in self.batches:
            if table in self._landed[batch].files:
                for piece in self._pieces(batch, table, columns):
                    yield batch, pa.Table.from_batches([piece])

    def _pieces(
        self, batch: int, table: str, columns: list[str] | None
    ) -> Iterator[pa.RecordBatch]:
        key = staging_key(self._place, batch, f"{table}.parquet")
        yield from _read(self._store, key, self._landed[batch].files[table], columns)


class _Events(msgspec.Struct, frozen=True):
    """What is read here of the record that freg_pipeline.feed.tables writes."""

    files: dict[str, KeptFile]


def staged_events(store: Store, name: str, table: str) -> Iterator[pa.Table]:
    """Yield pieces of a table of an uttrekk's events, in the events' order.

    Raises:
        DamagedError: the file is, or is gone.
        ObjectMissingError: they have not been staged.
    """
    file = read_record(store, event_key(name, "done.json"), _Events).files[table]
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
