"""Staging files of one batch: one Parquet file a table, in row groups of a sensible size."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 100_000  # rows; smaller groups cost readers, larger ones cost the writer memory


class TableFiles:
    """Parquet files under ``folder``, one a table, written as rows come.

    Rows are kept until a row group is full, so a batch of any size needs bounded memory. Plain
    encoding under zstd: measured to beat dictionaries here, but for columns named in
    ``dictionaries`` (codes).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {}
        self.rows: dict[str, int] = {}

    def add(self, name: str, rows: pa.Table, *, dictionaries: tuple[str, ...] = ()) -> None:
        """Append ``rows`` to the table ``name``."""
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(
                self._folder / f"{name}.parquet",
                rows.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=list(dictionaries),
                store_schema=False,
            )
        self.rows[name] = self.rows.get(name, 0) + rows.num_rows
        waiting = self._waiting.setdefault(name, [])
        waiting.append(rows)
        if sum(table.num_rows for table in waiting) >= ROW_GROUP:
            self._flush(name)

    def close(self) -> dict[str, Path]:
        """Write what waits, and return each table's finished file."""
        for name, writer in self._writers.items():
            self._flush(name)
            writer.close()
        return {name: self._folder / f"{name}.parquet" for name in self._writers}

    def _flush(self, name: str) -> None:
        waiting = self._waiting.pop(name, [])
        if waiting:
            rows = pa.concat_tables(waiting)
            self._writers[name].write_table(rows, row_group_size=rows.num_rows)
