"""Staging tables -> the base files of a release: landed documents only, split by person.

A base is written table by table, batch by batch, bucket by bucket, so that memory stays bounded
whatever the register's size. What fits into that memory is sorted by person within its bucket; of a
larger bucket each piece is, so that readers of one person skip most row groups all the same. A
table that an earlier, killed build finished is not written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
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
    EVENT_TABLES,
    OWN_TABLES,
    PERSON,
    TIDLIGERE_IDENTIFIKATOR,
    UKJENT_FELT,
    OwnTable,
)
from freg_pipeline.store import Store

PERSONS_A_BUCKET = 500_000
MOST_BUCKETS = 64
MEMORY = 512 * 1024**2  # bytes of rows that wait to be written, all buckets of a table together
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

    def write(self, progress: Callable[[int], None]) -> dict[str, TableEntry]:
        """Write every table, empty ones too, and return what there is.

        Args:
            progress: told how many more tables are written.
        """
        tables = {}
        for own in OWN_TABLES:
            tables[own.name] = self._own(own)
            progress(1)
        for table in self._plan.tables:
            codes = [column.name for column in table.columns if column.kind is Kind.CODE]
            tables[table.name] = self._table(
                table.name, table.arrow_schema, self._entity(table.name), codes, table.keys
            )
            progress(1)
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
        if own in EVENT_TABLES:  # a full load holds no events
            return self._table(own.name, own.schema, (), [])
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
        self,
        name: str,
        schema: pa.Schema,
        pieces: Iterable[Piece],
        codes: list[str],
        keys: tuple[str, ...] = (),
    ) -> TableEntry:
        done = f"bases/{self._uttrekk.name}/{name}.json"
        if self._store.exists(done):
            return msgspec.json.decode(self._store.read(done), type=TableEntry)
        with self._store.scratch() as folder:
            writers = _Buckets(folder, schema, codes, keys)
            for rows, bucket in pieces:
                writers.add(rows, bucket)
            files = tuple(
                self._keep(name, bucket, path) for bucket, path in sorted(writers.close().items())
            )
        entry = TableEntry(sum(file.rows for file in files), files)
        if not self._store.write(done, msgspec.json.encode(entry)):
            return msgspec.json.decode(self._store.read(done), type=TableEntry)
        return entry

    def _keep(self, name: str, bucket: int, path: Path) -> BaseFile:
        """Put a finished file into the store; return what is there now.

        A file of that name is there already if a build was killed, or if another worker builds the
        same base. It was made of the same rows: it stays, since the other one may be published. But
        one in the form of another version of this software goes.
        """
        key = f"bases/{self._uttrekk.name}/{name}/{bucket:04d}.parquet"
        made = pq.read_metadata(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entry = BaseFile(key, bucket, made.num_rows, path.stat().st_size, digest)
        if self._store.exists(key):
            there, metadata = self._stored(key, bucket)
            if metadata.num_rows == made.num_rows and metadata.schema.equals(made.schema):
                return there
            self._store.delete(key)
        return entry if self._store.put_file(key, path) else self._stored(key, bucket)[0]

    def _stored(self, key: str, bucket: int) -> tuple[BaseFile, pq.FileMetaData]:
        data = self._store.read(key)
        metadata = pq.read_metadata(pa.BufferReader(data))
        digest = hashlib.sha256(data).hexdigest()
        return BaseFile(key, bucket, metadata.num_rows, len(data), digest), metadata


_SELECT = {
    PERSON.name: (
        "SELECT person AS personidentifikator, dokument AS dokumentidentifikator, "
        "$sekvensnummer::BIGINT AS sekvensnummer, hentet, $uttrekk AS uttrekk "
        "FROM landed ORDER BY person"
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
    """Parquet files of one table, one a bucket, in row groups of a sensible size.

    Args:
        folder: where they are written.
        schema: the table's columns.
        codes: columns to encode as dictionaries.
        keys: columns to sort by; none: the rows come in the order that they should stay in.
    """

    def __init__(
        self, folder: Path, schema: pa.Schema, codes: list[str], keys: tuple[str, ...]
    ) -> None:
        self._folder = folder
        self._schema = schema
        self._codes = [name for name in codes if name in schema.names]
        self._order = [(name, "ascending") for name in (_BUCKET, *keys)]
        self._writers: dict[int, pq.ParquetWriter] = {}
        self._waiting: list[pa.Table] = []
        self._bytes = 0

    def add(self, rows: pa.Table, bucket: npt.NDArray[np.int16]) -> None:
        """Append rows, each to its bucket."""
        rows = rows.select(self._schema.names).cast(self._schema)
        self._waiting.append(rows.append_column(_BUCKET, pa.array(bucket, pa.int16())))
        self._bytes += rows.nbytes
        if self._bytes > MEMORY:
            self._flush()

    def close(self) -> dict[int, Path]:
        """Finish the files; a table without rows is one empty file with the full schema."""
        self._flush()
        if not self._writers:
            self._writer(0).write_table(self._schema.empty_table())
        for writer in self._writers.values():
            writer.close()
        return {bucket: self._path(bucket) for bucket in self._writers}

    def _flush(self) -> None:
        """Write what waits: sorted by bucket and key, and then cut where a bucket ends."""
        if not self._waiting:
            return
        rows = pa.concat_tables(self._waiting)
        self._waiting, self._bytes = [], 0
        rows = rows.combine_chunks()  # a name of its own would keep the pieces in memory
        rows = rows.sort_by(self._order)
        bucket = rows[_BUCKET].to_numpy()
        rows = rows.drop_columns(_BUCKET)
        starts = np.flatnonzero(np.diff(bucket, prepend=-2)).tolist()  # -2: no bucket at all
        for start, end in pairwise([*starts, len(rows)]):
            mine = rows.slice(start, end - start)
            self._writer(int(bucket[start])).write_table(mine, row_group_size=ROW_GROUP)

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
