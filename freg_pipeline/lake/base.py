"""Staging tables -> the base files of a release: landed documents only, split by person.

A base is written table by table, batch by batch, bucket by bucket, so that memory stays bounded
whatever the register's size. What fits into that memory is sorted by person within its bucket; of a
larger bucket each piece is, so that readers of one person skip most row groups all the same. A
table that an earlier, killed build finished is not written again.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from freg_pipeline.contract import Plan
from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.manifest import Base, TableEntry, base_folder
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.files import Buckets, keep_file
from freg_pipeline.lake.keys import bucket_count
from freg_pipeline.lake.rows import LandedRows, Origin, TableRows
from freg_pipeline.lake.staging import Staging
from freg_pipeline.lake.tables import IDENTITY
from freg_pipeline.store import Store, read_record, write_record


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
        persons = connection.execute("SELECT count(*) FROM landed").fetchall()[0][0]
        self.buckets = bucket_count(persons)
        origin = Origin(uttrekk.name, uttrekk.sekvensnummer)
        parts = uttrekk.request.parts
        self._rows = LandedRows(connection, staging, plan, parts, origin, self.buckets)

    def write(self, progress: Callable[[int], None]) -> tuple[dict[str, TableEntry], Base]:
        """Write every table, empty ones too, and return what there is.

        Args:
            progress: told how many more tables are written.
        """
        tables = {}
        for rows in self._rows.tables():
            tables[rows.layout.name] = self._table(rows)
            progress(int(rows.layout.name != IDENTITY.name))  # that is no table to its readers
        base = Base(
            uttrekk=self._uttrekk.name,
            contract=self._uttrekk.request.contract,
            sekvensnummer=self._uttrekk.sekvensnummer,
            ordered=self._uttrekk.request.created,
            recorded=self._uttrekk.request.created,
            buckets=self.buckets,
            identity=tables.pop(IDENTITY.name),
            folder=base_folder(self._uttrekk.name),
        )
        return tables, base

    def _table(self, rows: TableRows) -> TableEntry:
        name = rows.layout.name
        done = f"{base_folder(self._uttrekk.name)}/{name}.json"
        if self._store.exists(done):
            entry = read_record(self._store, done, TableEntry)
            require_whole(self._store, ((file.key, file) for file in entry.files))
            return entry
        with self._store.scratch() as folder:
            writers = Buckets(folder, rows.layout)
            for piece, bucket in rows.pieces:
                writers.add(piece, bucket)
            files = tuple(
                keep_file(self._store, self._key(name, bucket), bucket, path)
                for bucket, path in sorted(writers.close().items())
            )
        entry = TableEntry(sum(file.rows for file in files), files)
        if not write_record(self._store, done, entry):
            return read_record(self._store, done, TableEntry)
        return entry

    def _key(self, table: str, bucket: int) -> str:
        return f"{base_folder(self._uttrekk.name)}/{table}/{bucket:04d}.parquet"
