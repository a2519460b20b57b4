"""Staging tables -> the base files of a release: landed documents only, split by person.

A base is written table by table, batch by batch, bucket by bucket, so that memory stays bounded
whatever the register's size. A table that an earlier, killed build finished is not written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.contract import Kind, Plan
from freg_pipeline.extract.uttrekk import Uttrekk
from freg_pipeline.lake.resolve import bucket_sql, places
from freg_pipeline.lake.staging import Staging
from freg_pipeline.lake.tables import (
    AVVIK,
    OWN_TABLES,
    PERSON,
    TIDLIGERE_IDENTIFIKATOR,
    UKJENT_FELT,
    OwnTable,
)
from freg_pipeline.store import Store

PERSONS_A_BUCKET = 500_000
MOST_BUCKETS = 64  # with this many, a table's writers hold some hundred MB
ROW_GROUP = 100_000
_BUCKET = "_bucket"

Piece = tuple[pa.Table, npt.NDArray[np.int16]]  # rows, and the bucket of each


class BaseFile(msgspec.Struct, frozen=True):
    """One file of a base: which bucket, and what was written."""

    key: str
    bucket: int
    rows: int
    bytes: int
    sha256: str


class TableEntry(msgspec.Struct, frozen=True):
    """A table of a release."""

    rows: int
    files: tuple[BaseFile, ...]


def bucket_count(persons: int) -> int:
    """How many buckets: a power of two, each of about PERSONS_A_BUCKET."""
    buckets = 1
    while persons > buckets * PERSONS_A_BUCKET and buckets < MOST_BUCKETS:
        buckets *= 2
    return buckets


class BaseWriter:
    """Writes the base of one uttrekk.

    Args:
        store: where it goes.
        uttrekk: whose landed batches it is made of.
        staging: their tables.
        connection: the resolved database.
        plan: the contract's tables.
    """

    def __init__(
        self,
        store: Store,
        uttrekk: Uttrekk,
        staging: Staging,
        connection: duckdb.DuckDBPyConnection,
        plan: Plan,
    ) -> None:
        self._store = store
        self._uttrekk = uttrekk
        self._staging = staging
        self._connection = connection
        self._plan = plan
        persons = connection.execute("SELECT count(*) FROM landed").fetchall()[0][0]
        self.buckets = bucket_count(persons)
        self._given = {"sekvensnummer": uttrekk.request.sekvensnummer, "uttrekk": uttrekk.name}
        self._places: dict[int, npt.NDArray[np.int16]] | None = None

    def write(self) -> dict[str, TableEntry]:
        """Write every table, empty ones too, and return what there is."""
        tables = {own.name: self._own(own) for own in OWN_TABLES}
        for table in self._plan.tables:
            codes = [column.name for column in table.columns if column.kind is Kind.CODE]
            tables[table.name] = self._table(
                table.name, table.arrow_schema, self._entity(table.name), codes
            )
        return tables

    # -- where rows come from --------------------------------------------------------------

    def _entity(self, name: str) -> Iterator[Piece]:
        """The rows of landed documents, with their buckets."""
        if self._places is None:
            self._places = places(self._connection, self.buckets)
        for batch, rows in self._staging.read(name):
            bucket = self._places[batch][rows["dok_nr"].to_numpy()]
            kept = rows.drop_columns("dok_nr")
            if (bucket < 0).any():
                kept = kept.filter(pa.array(bucket >= 0))
                bucket = bucket[bucket >= 0]
            yield kept, bucket

    def _own(self, own: OwnTable) -> TableEntry:
        bucket = bucket_sql("personidentifikator", self.buckets) if own.per_person else "0"
        if own is UKJENT_FELT:
            return self._table(own.name, own.schema, self._unknown_fields(), [])
        rows = self._connection.sql(
            f"SELECT *, {bucket}::SMALLINT AS {_BUCKET} FROM ({_SELECT[own.name]})",  # noqa: S608
            params={name: self._given[name] for name in _GIVEN.get(own.name, ())},
        )
        reader = rows.to_arrow_reader(ROW_GROUP)
        return self._table(own.name, own.schema, _read(reader), ["utfall", "aarsak", "uttrekk"])

    def _unknown_fields(self) -> Iterator[Piece]:
        counts: dict[str, int] = {}
        examples: dict[str, str] = {}
        for _, rows in self._staging.read(UKJENT_FELT.name):
            for row in rows.to_pylist():
                counts[row["sti"]] = counts.get(row["sti"], 0) + row["antall"]
                examples.setdefault(row["sti"], row["eksempel"])
        found = [(path, counts[path], examples[path]) for path in sorted(counts)]
        columns = list(zip(*found, strict=True)) or [(), (), ()]
        yield pa.table(list(map(list, columns)), schema=UKJENT_FELT.schema), _zeros(len(found))

    # -- where they go ---------------------------------------------------------------------

    def _table(
        self, name: str, schema: pa.Schema, pieces: Iterable[Piece], codes: list[str]
    ) -> TableEntry:
        done = f"bases/{self._uttrekk.name}/{name}.json"
        if self._store.exists(done):
            return msgspec.json.decode(self._store.read(done), type=TableEntry)
        with self._store.scratch() as folder:
            writers = _Buckets(folder, schema, codes)
            for rows, bucket in pieces:
                writers.add(rows, bucket)
            files = tuple(
                self._keep(name, bucket, path) for bucket, path in sorted(writers.close().items())
            )
        entry = TableEntry(sum(file.rows for file in files), files)
        self._store.write(done, msgspec.json.encode(entry))
        return entry

    def _keep(self, name: str, bucket: int, path: Path) -> BaseFile:
        key = f"bases/{self._uttrekk.name}/{name}/{bucket:04d}.parquet"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entry = BaseFile(key, bucket, pq.read_metadata(path).num_rows, path.stat().st_size, digest)
        # A file that a killed build left could differ in nothing but its compression: it goes.
        self._store.delete(key)
        self._store.put_file(key, path)
        return entry


_SELECT = {
    PERSON.name: (
        "SELECT person AS personidentifikator, dokument AS dokumentidentifikator, "
        "$sekvensnummer::BIGINT AS sekvensnummer, hentet, $uttrekk AS uttrekk "
        "FROM landed ORDER BY batch, dok_nr"
    ),
    TIDLIGERE_IDENTIFIKATOR.name: (
        "SELECT identifikator, personidentifikator FROM earlier ORDER BY identifikator"
    ),
    AVVIK.name: (
        "SELECT identifikator, $uttrekk AS uttrekk, batch AS batch_nr, utfall, aarsak, sti, "
        "gikk_til FROM avvik ORDER BY batch, dok_nr"
    ),
}

_GIVEN = {PERSON.name: ("sekvensnummer", "uttrekk"), AVVIK.name: ("uttrekk",)}


def _read(reader: pa.RecordBatchReader) -> Iterator[Piece]:
    for batch in reader:
        rows = pa.Table.from_batches([batch])
        yield rows.drop_columns(_BUCKET), rows[_BUCKET].to_numpy()


def _zeros(size: int) -> npt.NDArray[np.int16]:
    return np.zeros(size, dtype=np.int16)


class _Buckets:
    """Parquet files of one table, one a bucket, in row groups of a sensible size."""

    def __init__(self, folder: Path, schema: pa.Schema, codes: list[str]) -> None:
        self._folder = folder
        self._schema = schema
        self._codes = [name for name in codes if name in schema.names]
        self._writers: dict[int, pq.ParquetWriter] = {}
        self._waiting: dict[int, list[pa.Table]] = {}

    def add(self, rows: pa.Table, bucket: npt.NDArray[np.int16]) -> None:
        """Append rows, each to its bucket."""
        rows = rows.select(self._schema.names).cast(self._schema)
        there = np.unique(bucket)
        for one in there.tolist():
            mine = rows if len(there) == 1 else rows.filter(pa.array(bucket == one))
            waiting = self._waiting.setdefault(one, [])
            waiting.append(mine)
            if sum(len(table) for table in waiting) >= ROW_GROUP:
                self._flush(one)

    def close(self) -> dict[int, Path]:
        """Finish the files; a table without rows is one empty file with the full schema."""
        for bucket in list(self._waiting):
            self._flush(bucket)
        if not self._writers:
            self._writer(0).write_table(self._schema.empty_table())
        for writer in self._writers.values():
            writer.close()
        return {bucket: self._path(bucket) for bucket in self._writers}

    def _flush(self, bucket: int) -> None:
        rows = pa.concat_tables(self._waiting.pop(bucket))
        self._writer(bucket).write_table(rows, row_group_size=ROW_GROUP)

    def _writer(self, bucket: int) -> pq.ParquetWriter:
        if bucket not in self._writers:
            self._writers[bucket] = pq.ParquetWriter(
                self._path(bucket),
                self._schema,
                compression="zstd",
                use_dictionary=self._codes,
                store_schema=False,
            )
        return self._writers[bucket]

    def _path(self, bucket: int) -> Path:
        return self._folder / f"{bucket:04d}.parquet"
