"""A copy as files: one of Parquet a table, what a layout puts beside them, and a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from freg_pipeline.export.layouts import Layout
from freg_pipeline.export.relations import CopiedTable, views_of
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.copied import CopiedFile, Writer, new_place, with_comments, write_manifest
from freg_pipeline.lake.layout import ROWS_AT_ONCE
from freg_pipeline.store import Store

FORMAT = 1


class ExportedTable(msgspec.Struct, frozen=True):
    """A table's file, and its columns with DuckDB's types."""

    file: CopiedFile
    columns: dict[str, str]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder holds.

    Attributes:
        format: of this manifest and the files.
        created: when (UTC).
        layout: which conventions the files follow.
        release: the release that was copied.
        sekvensnummer: the event list's position whose state it shows.
        contract: its contract's fingerprint.
        tables: by the name of the table or view.
    """

    format: int = FORMAT
    created: datetime
    layout: str
    release: str
    sekvensnummer: int
    contract: str
    tables: dict[str, ExportedTable]


def write_export(
    store: Store,
    manifest: Manifest,
    output: Path | Store,
    tables: Iterable[CopiedTable],
    layout: Layout,
    layout_name: str,
) -> Export:
    """Write a copy of a release.

    Args:
        store: where it lies.
        manifest: the release.
        output: a folder, which mustn't be there or is empty; or a place on S3 that is.
        tables: what is copied.
        layout: by which conventions.
        layout_name: what they are called.

    Raises:
        ConfigurationError: something is there already, or no folder can be made.
        StoreError: the release's files can't be read.
        OSError: the disk is full.
    """
    with views_of(store, manifest) as views, new_place(output, "OUTPUT") as folder:
        written = Export(
            created=datetime.now(UTC),
            layout=layout_name,
            release=manifest.number,
            sekvensnummer=manifest.sekvensnummer,
            contract=manifest.contract,
            tables={
                table.name: _write(views, folder, layout.shaped(table), layout) for table in tables
            },
        )
        write_manifest(folder, written)
    return written


def _write(
    views: duckdb.DuckDBPyConnection, folder: Path, table: CopiedTable, layout: Layout
) -> ExportedTable:
    path = folder / layout.file_name(table)
    writer = Writer(path)
    rows = views.sql(table.rows).to_arrow_reader(ROWS_AT_ONCE)
    comments = {column.name: column.comment for column in table.columns}
    writer.add(with_comments(rows.schema, table.comment, comments), rows)
    file = writer.close()
    layout.beside(table, path, file.rows)
    return ExportedTable(file, {column.name: column.kind for column in table.columns})
