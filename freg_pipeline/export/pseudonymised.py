"""A copy by rules as files: of persons under pseudonyms, or of how many there are of each kind."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.export.relations import views_of
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.copied import CopiedFile, Writer, new_place, with_comments, write_manifest
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.layout import ROWS_AT_ONCE
from freg_pipeline.lake.sql import identifier
from freg_pipeline.outside import showable
from freg_pipeline.pseudonyms.copied import Pseudonymised, pseudonymised
from freg_pipeline.pseudonyms.key import PSEUDONYM_LETTERS, Key
from freg_pipeline.pseudonyms.order import in_own_order
from freg_pipeline.pseudonyms.rules import Rules
from freg_pipeline.pseudonyms.small_cells import COUNT, without_small_cells
from freg_pipeline.store import Store
from freg_pipeline.store.scratch import scratch_to_read

FORMAT = 1
FIGURES = "antall_personer"
_PSEUDONYMS = f"HMAC-SHA-256, 128 bits, {PSEUDONYM_LETTERS} letters a to p"


class RuledTable(msgspec.Struct, frozen=True):
    """A table's file.

    Attributes:
        file: it.
        columns: with DuckDB's types.
        rules: what has become of each column.
        replaced: by column, how many values held an identity number and are NULL.
    """

    file: CopiedFile
    columns: dict[str, str]
    rules: dict[str, str]
    replaced: dict[str, int]


class RuledExport(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder holds.

    Attributes:
        format: of this manifest and the files.
        created: when (UTC).
        release: the release that was copied.
        sekvensnummer: the event list's position whose state it shows.
        rules: SHA-256 of the file of rules.
        protected: whether protected persons are in it: ``out``, or ``keep``.
        key: fingerprint of the key; None: there are no pseudonyms.
        pseudonyms: how they are made; None: there are none.
        minimum: of figures: kinds of fewer persons aren't told.
        missing: tables and columns that the rules name and the release hasn't.
        tables: by name.
    """

    format: int = FORMAT
    created: datetime
    release: str
    sekvensnummer: int
    rules: str
    protected: str
    key: str | None
    pseudonyms: str | None
    minimum: int | None
    missing: tuple[str, ...]
    tables: dict[str, RuledTable]


def write_by_rules(
    store: Store,
    manifest: Manifest,
    output: Path | Store,
    rules: Rules,
    key: Key | None,
    tables: Collection[str] = (),
) -> RuledExport:
    """Write a copy of a release by rules.

    Args:
        store: where it lies.
        manifest: the release.
        output: a folder, which mustn't be there or is empty; or a place on S3 that is.
        rules: which columns go out, and as what.
        key: makes pseudonyms; None: the rules ask for none.
        tables: these only, of those that the rules name; none: all.

    Raises:
        ConfigurationError: the rules don't fit, or something is there already.
        StoreError: the release's files can't be read.
        OSError: the disk is full.
    """
    aggregate = rules.told.aggregate
    with views_of(store, manifest) as views:
        copied = pseudonymised(store, manifest, views, rules, key)
        wanted = _wanted(copied, tables)
        with new_place(output, "OUTPUT") as folder, scratch_to_read(store) as scratch:
            with working_database(scratch) as work:
                if aggregate:
                    written = {FIGURES: _figures(views, work, folder, copied, aggregate.minimum)}
                else:
                    written = {name: _write(views, work, folder, copied, name) for name in wanted}
            told = RuledExport(
                created=datetime.now(UTC),
                release=manifest.number,
                sekvensnummer=manifest.sekvensnummer,
                rules=rules.sha256,
                protected=rules.told.protected,
                key=key.fingerprint if key and copied.makes_pseudonyms else None,
                pseudonyms=_PSEUDONYMS if copied.makes_pseudonyms else None,
                minimum=aggregate.minimum if aggregate else None,
                missing=copied.missing,
                tables=written,
            )
            write_manifest(folder, told)
    return told


def _wanted(copied: Pseudonymised, tables: Collection[str]) -> list[str]:
    unknown = sorted({*tables} - {*copied.tables})
    if unknown:
        raise ConfigurationError(
            f"the rules name no table {showable(unknown[0])}", "Correct --table, or the rules"
        )
    return [name for name in copied.tables if not tables or name in tables]


def _write(
    views: duckdb.DuckDBPyConnection,
    work: duckdb.DuckDBPyConnection,
    folder: Path,
    copied: Pseudonymised,
    table: str,
) -> RuledTable:
    writer = Writer(folder / f"{table}.parquet")
    with in_own_order(work, copied, table, _rows(views, copied, table)) as rows:
        told = copied.described(table)
        comments = {name: text for name, _, text in told.shown}
        writer.add(with_comments(rows.schema, told.comment, comments), rows)
    return _told(writer.close(), copied, table)


def _figures(
    views: duckdb.DuckDBPyConnection,
    work: duckdb.DuckDBPyConnection,
    folder: Path,
    copied: Pseudonymised,
    minimum: int,
) -> RuledTable:
    (table,) = copied.tables
    rows = copied.read(table, _rows(views, copied, table))
    by = {name: copied.rules(table)[name] for name in rows.schema.names}
    work.register("ruled", rows)
    cells = work.sql(f"SELECT *, count(*) AS {COUNT} FROM ruled GROUP BY ALL").to_arrow_table()  # noqa: S608
    work.unregister("ruled")
    figures = without_small_cells(cells, by, minimum)
    writer = Writer(folder / f"{FIGURES}.parquet")
    writer.add(figures.schema, figures.to_batches())
    told = _told(writer.close(), copied, table)
    return msgspec.structs.replace(told, columns={**told.columns, COUNT: "BIGINT"})


def _rows(
    views: duckdb.DuckDBPyConnection, copied: Pseudonymised, table: str
) -> pa.RecordBatchReader:
    shown = ", ".join(identifier(name) for name, _, _ in copied.described(table).shown)
    rows = views.sql(f"SELECT {shown} FROM {identifier(table)}")  # noqa: S608  names from the contract
    return rows.to_arrow_reader(ROWS_AT_ONCE)


def _told(file: CopiedFile, copied: Pseudonymised, table: str) -> RuledTable:
    columns = copied.columns(table)
    rules = copied.rules(table)
    replaced = {
        name: copied.replaced[f"{table}.{name}"]
        for name in columns
        if copied.replaced[f"{table}.{name}"]
    }
    return RuledTable(file, columns, {name: str(rules[name]) for name in columns}, replaced)
