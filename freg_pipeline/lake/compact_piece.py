"""A piece of a compaction: the files of a bucket, or of the tables that aren't split by person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.lake.compaction import Compaction
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.described import sql_type
from freg_pipeline.lake.files import Buckets, keep_file, write_bucket
from freg_pipeline.lake.holding import Holding
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import ROWS_AT_ONCE, FileLayout, layouts
from freg_pipeline.lake.query import readable_files
from freg_pipeline.lake.room import side_by_side
from freg_pipeline.lake.sources import files_of, sources
from freg_pipeline.lake.tally import TALLY, Counting, tally_key
from freg_pipeline.lake.views import current_rows
from freg_pipeline.store import Store

_HELD_A_BYTE = 8  # bytes of memory for each of a file, about


def write_piece(
    store: Store, source: Manifest, compaction: Compaction, bucket: int | None, folder: Path
) -> dict[str, TableFile]:
    """Write a piece's files; of a table without rows only the first piece has one.

    What a bucket holds of each person is counted along, and written as if it were a table.

    Args:
        store: where they go.
        source: what is compacted.
        compaction: whose piece it is.
        bucket: which bucket; None: the tables that aren't split by person.
        folder: for files under construction.

    Raises:
        DamagedError: a file of the release isn't as it was written, or is gone.
        StoreError: one can't be read.
    """
    wanted = {
        one.name: one
        for one in layouts(load_plan(store, source.contract))
        if one.keyed == (bucket is not None)
    }
    if bucket is None:
        return dict(_common(store, source, compaction, wanted.values(), folder))
    holding, counting = Holding(store, source, bucket, compaction.buckets), Counting(base=True)

    def write(table: str) -> Path | None:
        rows = holding.of_table(wanted[table])
        counting.add(table, rows)
        return (
            write_bucket(folder, wanted[table], bucket, rows) if len(rows) or not bucket else None
        )

    def keep(table: str, path: Path) -> TableFile:
        return keep_file(store, compaction.key(table, f"{bucket:04d}.parquet"), bucket, path)

    sizes = {table: holding.size(table) * _HELD_A_BYTE for table in wanted}
    made = side_by_side(store, sizes, write, keep, holding.fetch)
    tally = folder / f"{TALLY}.parquet"
    counting.write(tally)
    return {**made, TALLY: keep_file(store, tally_key(compaction.folder, bucket), bucket, tally)}


def _common(
    store: Store,
    source: Manifest,
    compaction: Compaction,
    wanted: Iterable[FileLayout],
    folder: Path,
) -> Iterator[tuple[str, TableFile]]:
    """Tables of events and of the account: their rows come one after another."""
    require_whole(store, files_of(source, *(layout.name for layout in wanted)))
    with working_database(folder) as connection:
        found = sources(store, source, readable_files(connection, store))
        for layout in wanted:
            columns = {field.name: sql_type(field.type) for field in layout.schema}
            rows = connection.sql(current_rows(layout.name, columns, found[layout.name]))
            writer = Buckets(folder, layout)
            for piece in rows.to_arrow_reader(ROWS_AT_ONCE):
                writer.add(pa.Table.from_batches([piece]), np.zeros(len(piece), np.int16))
            for path in writer.close().values():
                key = compaction.key(layout.name, "0000.parquet")
                yield layout.name, keep_file(store, key, 0, path)
