"""What dlt does otherwise for us: rows into PostgreSQL, and changes of a Delta table.

* PostgreSQL: dlt's own copying from Parquet takes each file into memory whole, fails on one
  without rows, and connects for each. Here it is streamed, by connections that stay open: ADBC
  reads the database's types with each new one, which costs more than a table's changes do.
* Delta: dlt merges by a primary key, one row each. Here all rows with a key are replaced, in one
  commit of the table.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
from adbc_driver_manager import dbapi
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.schema.utils import get_columns_names_with_prop
from dlt.destinations.impl.filesystem.factory import filesystem
from dlt.destinations.impl.filesystem.filesystem import DeltaLoadFilesystemJob, FilesystemClient
from dlt.destinations.impl.postgres.factory import get_adbc_driver_location
from dlt.destinations.impl.postgres.factory import postgres as dlt_postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient, PostgresParquetCopyJob

from freg_pipeline.load.rows import GONE

_ROWS_AT_ONCE = 50_000  # of each of the tables that are loaded side by side


class _Copy(PostgresParquetCopyJob):
    def __init__(self, file_path: str, idle: list[Any]) -> None:
        super().__init__(file_path)
        self._idle = idle

    def run(self) -> None:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            self._copy(connection)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _connect(self) -> Any:
        credentials: Any = self._job_client.config.credentials
        return dbapi.connect(
            driver=get_adbc_driver_location(),
            db_kwargs={"uri": credentials.to_native_representation()},
            autocommit=True,  # a COPY is all or nothing; idle, nothing is open
        )

    def _copy(self, connection: Any) -> None:
        with pq.ParquetFile(self._file_path) as file, connection.cursor() as cursor:
            batches = pa.RecordBatchReader.from_batches(
                file.schema_arrow, file.iter_batches(_ROWS_AT_ONCE)
            )
            catalogue, schema = self._set_catalog_and_schema()
            cursor.adbc_ingest(
                self.load_table_name,
                batches,
                mode="append",
                catalog_name=catalogue,
                db_schema_name=schema,
            )


class _PostgresClient(PostgresClient):
    idle: list[Any]

    def create_load_job(self, *arguments: Any, **named: Any) -> Any:
        job = super().create_load_job(*arguments, **named)
        is_copy = isinstance(job, PostgresParquetCopyJob)
        return _Copy(job._file_path, self.idle) if is_copy else job


class postgres(dlt_postgres):  # noqa: N801  as dlt's
    """PostgreSQL. To be closed at the end."""

    def __init__(self, credentials: Any) -> None:
        super().__init__(credentials)
        self._idle: list[Any] = []  # of several threads: what takes one away is atomic

    @property
    def client_class(self) -> type[PostgresClient]:
        """Whoever talks to it."""
        return _PostgresClient

    def client(self, *arguments: Any, **named: Any) -> PostgresClient:
        """One who talks to it."""
        made = cast("_PostgresClient", super().client(*arguments, **named))
        made.idle = self._idle
        return made

    def close(self) -> None:
        """Let go of its connections."""
        while self._idle:
            self._idle.pop().close()


class _Replace(DeltaLoadFilesystemJob):
    """Takes out of a Delta table all rows with the keys that are gone, and puts the others in."""

    def run(self) -> None:
        if self._load_table["write_disposition"] != "merge":
            super().run()
            return
        from dlt.common.libs.deltalake import evolve_delta_table_schema, write_delta_table
        from dlt.common.libs.pyarrow import get_local_dataset_reader

        with get_local_dataset_reader(self.file_paths) as rows:
            try:
                table = self._job_client.load_open_table("delta", self.load_table_name)
            except DestinationUndefinedEntity:
                location = self._job_client.get_open_table_location("delta", self.load_table_name)
                write_delta_table(location, rows.schema.empty_table(), "append")
                table = self._job_client.load_open_table("delta", self.load_table_name)
            evolve_delta_table_schema(table, rows.schema)
            (key,) = get_columns_names_with_prop(cast("Any", self._load_table), "primary_key")
            (
                table.merge(
                    rows, f"t.{key} = s.{key} AND s.{GONE}", source_alias="s", target_alias="t"
                )
                .when_matched_delete()
                .when_not_matched_insert_all(predicate=f"s.{GONE} IS NULL")
                .execute()
            )


class _DeltaClient(FilesystemClient):
    @staticmethod
    def get_reference_followup_job_class(table: Any) -> Any:
        job = FilesystemClient.get_reference_followup_job_class(table)
        return _Replace if job is DeltaLoadFilesystemJob else job

    def drop_tables(self, *tables: str, delete_schema: bool = True) -> None:
        # It ends so where there is no schema to delete: the tables are gone by then.
        with suppress(DestinationUndefinedEntity):
            super().drop_tables(*tables, delete_schema=delete_schema)


class delta(filesystem):  # noqa: N801  as dlt's
    """Folders of Delta tables."""

    @property
    def client_class(self) -> type[FilesystemClient]:
        """Whoever writes them."""
        return _DeltaClient
