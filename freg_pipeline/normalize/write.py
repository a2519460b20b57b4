"""Staging files of one batch: one Parquet file a table, in row groups of a sensible size."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 100_000  # rows; smaller groups cost readers, larger ones cost the writer memory


class TableFiles:
    """Parquet files under ``folder``, one a table, written as rows come.

    Plain encoding under zstd and no statistics: a release reads every row of them, once
    (docs/decisions/0010).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self.rows: dict[str, int] = {}

    def write(self, name: str, rows: pa.Table) -> None:
        """Append ``rows`` to the table ``name`` as a row group; nothing of them is kept here."""
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(
                self._folder / f"{name}.parquet",
                rows.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=False,
                write_statistics=False,
                store_schema=False,
                write_page_checksum=True,
            )
        self.rows[name] = self.rows.get(name, 0) + rows.num_rows
        self._writers[name].write_table(rows, row_group_size=max(rows.num_rows, 1))

    def close(self) -> dict[str, Path]:
        """Return each table's finished file."""
        for writer in self._writers.values():
            writer.close()
        return {name: self._folder / f"{name}.parquet" for name in self._writers}
