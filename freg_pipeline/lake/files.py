"""Parquet files of tables: split by bucket, sorted, and put into the store once and whole."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from freg_pipeline.journal.kept import keep
from freg_pipeline.journal.manifest import TableFile
from freg_pipeline.lake.columns_told import comments, numbered, sorting
from freg_pipeline.lake.layout import FileLayout
from freg_pipeline.lake.order import order_of
from freg_pipeline.lake.tables import DELTA_COLUMN, PERSON_KEY
from freg_pipeline.store import Store

BUFFER_BYTES = 64 * 1024**2  # rows that wait to be written, all buckets of a table together

# The same columns are written bucket after bucket, and sync after sync.
_numbered = lru_cache(maxsize=256)(numbered)

BucketedRows = tuple[pa.Table, npt.NDArray[np.int16]]  # rows, and the bucket of each


class Buckets:
    """Parquet files of one table, one a bucket, in row groups of a sensible size.

    Args:
        folder: where they are written, beside those of other tables.
        layout: the table's form; rows are sorted by its keys, as far as memory allows.
    """

    def __init__(self, folder: Path, layout: FileLayout) -> None:
        self._folder = folder
        self._name = layout.name
        self._schema = layout.schema
        self._row_group = layout.row_group
        self._comments = _comments(layout)
        self._format = _format(layout)
        self._keys = layout.keys
        self._writers: dict[int, pq.ParquetWriter] = {}
        self._waiting: list[BucketedRows] = []
        self._bytes = 0

    def add(self, rows: pa.Table, bucket: npt.NDArray[np.int16]) -> None:
        """Append rows, each to its bucket."""
        rows = rows.select(self._schema.names).cast(self._schema)
        self._waiting.append((rows, bucket))
        self._bytes += rows.nbytes
        if self._bytes > BUFFER_BYTES:
            self._flush()

    def close(self, *, empty: bool = True) -> dict[int, Path]:
        """Finish the files.

        Args:
            empty: a table without rows is one empty file with the full schema, and not no file.
        """
        self._flush()
        if not self._writers and empty:
            self._writer(0).write_table(self._schema.empty_table())
        for writer in self._writers.values():
            writer.close()
        return {bucket: self._path(bucket) for bucket in self._writers}

    def _flush(self) -> None:
        """Write what waits, a bucket at a time: no more than one of them is held twice."""
        if not self._waiting:
            return
        rows = pa.concat_tables(piece for piece, _ in self._waiting)
        bucket = np.concatenate([of_piece for _, of_piece in self._waiting])
        self._waiting, self._bytes = [], 0
        order = order_of(rows, bucket, self._keys)
        bucket = bucket[order]
        starts = np.flatnonzero(np.diff(bucket, prepend=-2)).tolist()  # -2: no bucket at all
        for start, end in pairwise([*starts, len(rows)]):
            mine = rows.take(pa.array(order[start:end]))
            self._writer(int(bucket[start])).write_table(mine, row_group_size=self._row_group)

    def _writer(self, bucket: int) -> pq.ParquetWriter:
        if bucket not in self._writers:
            path = self._path(bucket)
            writer = pq.ParquetWriter(path, _numbered(self._schema), **self._format)
            writer.add_key_value_metadata(self._comments)
            self._writers[bucket] = writer
        return self._writers[bucket]

    def _path(self, bucket: int) -> Path:
        return _path(self._folder, self._name, bucket)


def write_bucket(folder: Path, layout: FileLayout, bucket: int, rows: pa.Table) -> Path:
    """Write the file of a bucket of which all rows are at hand, in order.

    Texts may be held as dictionaries, which says that they come often: the file has these
    dictionaries beside the layout's, of the texts that come in it alone. Nothing is packed out
    first, and nothing looked for anew.
    """
    path = _path(folder, layout.name, bucket)
    rows = _with_own_dictionaries(rows)
    form = _format(layout)
    held = (field.name for field in rows.schema if pa.types.is_dictionary(field.type))
    form["use_dictionary"] = sorted({*form["use_dictionary"], *held})
    with pq.ParquetWriter(path, _numbered(rows.schema), **form) as writer:
        writer.add_key_value_metadata(_comments(layout))
        writer.write_table(rows, row_group_size=layout.row_group)
    return path


def _with_own_dictionaries(rows: pa.Table) -> pa.Table:
    """With dictionaries of those texts that come, in order.

    What the rows were picked from has more of them: a file would tell of people that aren't in it,
    and differ by what else was read with it.
    """
    for place, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            rows = rows.set_column(place, field, _of_what_comes(rows.column(place)))
    return rows


def _of_what_comes(column: pa.ChunkedArray) -> pa.DictionaryArray:
    texts = column.combine_chunks()
    codes, words = texts.indices, texts.dictionary
    comes = np.zeros(len(words) + 1, np.bool_)  # the last: of null
    comes[codes.fill_null(-1).to_numpy()] = True
    old = np.flatnonzero(comes[:-1])
    words = words.take(pa.array(old))
    order = pc.sort_indices(words)
    new = np.zeros(len(comes), np.int32)
    new[old[order.to_numpy()]] = np.arange(len(old))
    return pa.DictionaryArray.from_arrays(pa.array(new).take(codes), words.take(order))


def _path(folder: Path, table: str, bucket: int) -> Path:
    return folder / f"{table}-{bucket:04d}.parquet"


def _comments(layout: FileLayout) -> dict[str, str]:
    """What its files tell of their columns; those of a delta, which are small, nothing."""
    return {} if DELTA_COLUMN in layout.schema.names else comments(layout.schema)


def _format(layout: FileLayout) -> dict[str, Any]:
    """How a table is written: zstd; codes as dictionaries; keys so that they are read quickly.

    Keys ascend, so that differences take few bytes, and compressing these saves little and costs
    each reader (docs/decisions/0017).
    """
    names = layout.schema.names
    keys = [name for name in (PERSON_KEY, DELTA_COLUMN) if name in names]
    compression = {
        _leaf(field): "none" if field.name in keys else "zstd" for field in layout.schema
    }
    return {
        "compression": compression,
        "use_dictionary": [_leaf(field) for field in layout.schema if field.name in layout.codes],
        "column_encoding": dict.fromkeys(keys, "DELTA_BINARY_PACKED"),
        "store_schema": False,
        "sorting_columns": sorting(layout.schema, layout.keys),
        "write_page_checksum": True,  # for those who read single row groups
    }


def _leaf(field: pa.Field) -> str:
    """A column's path within Parquet."""
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else str(field.name)


def keep_file(store: Store, key: str, bucket: int, path: Path) -> TableFile:
    """Put a table's finished file into the store; return what is there now, as :func:`keep`."""
    kept = keep(store, key, path)
    return TableFile(
        key=key,
        bucket=bucket,
        rows=kept.rows,
        bytes=kept.bytes,
        sha256=kept.sha256,
        footer=kept.footer,
    )
