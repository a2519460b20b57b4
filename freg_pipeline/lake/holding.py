"""The rows of a bucket that hold: the base's that nobody replaced, and those of the deltas.

A base's file and a delta's are each in the order of a table's keys, so that several become one by
moving rows, one column after another. Texts that come often stay dictionaries from file to file:
they are neither spelt out nor looked up again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.journal.kept import open_whole, recall_whole
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.lake.described import sql_type
from freg_pipeline.lake.keys import among, buckets_of, distinct
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import FileLayout, layouts
from freg_pipeline.lake.merging import in_order, picked, shaped
from freg_pipeline.lake.sources import UNTIL_COLUMN, replaced
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import DELTA_COLUMN, IDENTITY, PERSON_KEY, TIDLIGERE_IDENTIFIKATOR
from freg_pipeline.store import Store

_BY_NUMBER = {TIDLIGERE_IDENTIFIKATOR.name, IDENTITY.name}  # all others are replaced by person
Keys = npt.NDArray[np.int64]


class _Part(NamedTuple):
    """A file that may hold rows of the bucket.

    Attributes:
        file: which.
        schema: its columns.
        hidden: the keys of those whose rows in it hold no longer, ascending.
    """

    file: TableFile
    schema: pa.Schema
    hidden: Keys


class Holding:
    """The rows of a bucket that hold in a release. Tables may be read side by side.

    Args:
        store: where the release lies.
        manifest: the release; rows are in the form of its contract.
        bucket: whose rows.
        buckets: of how many; the base has as many, or fewer.
    """

    def __init__(self, store: Store, manifest: Manifest, bucket: int, buckets: int) -> None:
        self._store = store
        self._manifest = manifest
        self._bucket = bucket
        self._buckets = buckets
        self._replaced = {one: replaced(store, manifest, persons=one) for one in (True, False)}
        contracts = {manifest.base.contract, *(delta.contract for delta in manifest.deltas)}
        self._schemas = {
            contract: {one.name: one.schema for one in layouts(load_plan(store, contract))}
            for contract in contracts
        }

    def size(self, table: str) -> int:
        """Bytes of the files that a table's rows are in."""
        return sum(part.file.bytes for part in self._parts(table))

    def fetch(self, table: str) -> None:
        """Have the store remember a table's small files: each is read once it is here."""
        for part in self._parts(table):
            recall_whole(self._store, part.file.key, part.file)

    def of_table(self, layout: FileLayout) -> pa.Table:
        """A table's rows by its keys.

        Raises:
            DamagedError: a file isn't as it was written.
            StoreError: one can't be read.
        """
        columns: list[list[pa.Array]] = [[] for _ in layout.schema]
        rows, keys, start = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
        for part in self._parts(layout.name):
            there = self._read(part, layout)
            if not len(there):
                continue
            for pieces, column in zip(columns, there.columns, strict=True):
                pieces += column.chunks
            of_part = there[PERSON_KEY].to_numpy()
            mine = np.flatnonzero(self._holds(part, of_part))
            rows.append(start + mine)
            keys.append(of_part[mine])
            start += len(there)
        if not start:
            return layout.schema.empty_table()
        order = np.argsort(np.concatenate(keys), kind="stable")
        found = np.concatenate(rows)[order].astype(np.int32)
        merged = zip(layout.schema.names, picked(columns, found), strict=True)
        return in_order(shaped(pa.table(dict(merged)), layout), layout)

    def _holds(self, part: _Part, keys: Keys) -> npt.NDArray[np.bool_]:
        mine: npt.NDArray[np.bool_] = buckets_of(keys, self._buckets) == self._bucket
        return mine & ~among(keys, part.hidden)

    def _parts(self, table: str) -> Iterator[_Part]:
        """The files that may hold rows of a table, the base's first."""
        release = self._manifest
        told = self._replaced[table not in _BY_NUMBER]
        base = release.base.identity if table == IDENTITY.name else release.tables.get(table)
        for file in base.files if base else ():
            if file.bucket == self._bucket % release.base.buckets:
                hidden = distinct(told[PERSON_KEY].to_numpy())
                yield _Part(file, self._schemas[release.base.contract][table], hidden)
        again = told.filter(told[UNTIL_COLUMN].is_valid())
        for delta in release.deltas:
            if table in delta.files:
                mine = again[DELTA_COLUMN].to_numpy() == delta.sekvensnummer
                hidden = again[PERSON_KEY].to_numpy()[mine]
                yield _Part(delta.files[table], self._schemas[delta.contract][table], hidden)

    def _read(self, part: _Part, layout: FileLayout) -> pa.Table:
        """A file's rows, in the columns of a layout."""
        there = [field for field in layout.schema if field.name in part.schema.names]
        texts = (part.schema.field(field.name) for field in there if field.name in layout.codes)
        often = [text.name for text in texts if text.type == pa.string()]
        with open_whole(self._store, part.file.key, part.file) as opened:
            file = pq.ParquetFile(opened, read_dictionary=often)
            rows = file.read([field.name for field in there], use_threads=False)
        for place, field in enumerate(layout.schema):
            if field.name not in part.schema.names:
                rows = rows.add_column(place, field, pa.nulls(len(rows), field.type))
            elif part.schema.field(field.name).type != field.type:
                rows = rows.set_column(place, field, _converted(rows[field.name], field))
        return rows.select(layout.schema.names)


def _converted(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    """Values of an earlier contract's type as views show them: null where they can't be."""
    with duckdb.connect() as connection:
        connection.register("rows", pa.table({"value": column}))
        name = identifier(field.name)
        kind = sql_type(field.type)
        shown = connection.sql(f"SELECT TRY_CAST(value AS {kind}) AS {name} FROM rows")  # noqa: S608
        return shown.to_arrow_table()[field.name].cast(field.type)
