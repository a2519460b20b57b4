"""Rows on their way into a copy's tables, and which of these can't take them as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns

from freg_pipeline.changes.difference import Changes
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.described import arrow_type
from freg_pipeline.load.by_rules import ByRules
from freg_pipeline.load.pipeline import COPIED
from freg_pipeline.load.rows import GONE, as_loaded, rows_of
from freg_pipeline.store import Store


@dataclass(frozen=True)
class Incoming:
    """What comes into a table.

    Attributes:
        name: the table.
        key: the column by whose values rows are replaced; None: all of them are.
        columns: as dlt describes them.
        rows: to be read once, before the next table's.
    """

    name: str
    key: str | None
    columns: Mapping[str, Mapping[str, Any]]
    rows: Iterator[pa.Table]

    def resource(self, *, is_folder: bool) -> Any:
        """What dlt loads. In folders tables are Delta's."""
        how: dict[str, Any] = {"write_disposition": "replace"}
        if self.key is not None:
            strategy = "upsert" if is_folder else "delete-insert"
            how = {
                "write_disposition": {"disposition": "merge", "strategy": strategy},
                "primary_key" if is_folder else "merge_key": self.key,
            }
        resource: Any = dlt.resource  # of many kinds
        return resource(
            self.rows,
            name=self.name,
            table_format="delta" if is_folder else None,
            columns={GONE: {"data_type": "bool", "hard_delete": True}},
            **how,
        )

    def fits(self, there: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether a table with these columns takes the rows: they may lack some."""
        return all(
            _kind(there.get(column, told)) == _kind(told) for column, told in self.columns.items()
        )


def of_changes(told: Changes, *, lists_as_text: bool) -> list[Incoming]:
    """What changes make of a copy that isn't by rules.

    Args:
        told: the changes.
        lists_as_text: lists are written as JSON.
    """
    found = []
    for table in told.tables:
        fields = [(name, arrow_type(kind)) for name, kind in told.columns(table).items()]
        empty = as_loaded(pa.schema(fields).empty_table(), lists_as_text=lists_as_text)
        rows = rows_of(told, table, lists_as_text=lists_as_text)
        found.append(Incoming(table, told.key(table), _described(empty), rows))
    return found


def of_rules(
    by: ByRules, store: Store, manifest: Manifest, folder: Path, *, lists_as_text: bool
) -> list[Incoming]:
    """The tables of a copy by rules.

    Args:
        by: the rules.
        store: where the release lies.
        manifest: it.
        folder: for files; isn't there yet.
        lists_as_text: lists are written as JSON.

    Raises:
        ConfigurationError: the rules don't fit.
        StoreError: the release's files can't be read.
    """
    found = []
    for name, rows in by.rows(store, manifest, folder, lists_as_text=lists_as_text):
        empty = next(rows)
        found.append(Incoming(name, None, _described(empty), chain([empty], rows)))
    return found


def misfits(
    incoming: Iterable[Incoming],
    stored: Mapping[str, Mapping[str, Any]],
    lacking: Collection[str],
) -> list[str]:
    """Tables that have to be made anew: columns are of another type now, or were taken away there.

    Args:
        incoming: what is to come.
        stored: the columns of each table that the copy has, as dlt describes them.
        lacking: tables that aren't as they were made.

    Raises:
        ConfigurationError: one of them is to have only what has changed, and can't be made anew.
    """
    found = []
    for one in incoming:
        if one.name in lacking or not one.fits(stored.get(one.name, {})):
            if one.key is not None:
                raise ConfigurationError(
                    f"the copy's table {one.name} isn't as it was made: it, or a column, is gone",
                    "Load all of it anew with --full",
                )
            found.append(one.name)
    return found


def gone(incoming: Iterable[Incoming], stored: Iterable[str]) -> list[str]:
    """Tables of the copy that nothing comes for, ever: the contract no longer has them.

    Args:
        incoming: what is to come.
        stored: the tables that the copy has.
    """
    known = {COPIED, *(one.name for one in incoming)}
    return [name for name in stored if name not in known and not name.startswith("_dlt")]


def _described(empty: pa.Table) -> Mapping[str, Mapping[str, Any]]:
    return {**py_arrow_to_table_schema_columns(empty.schema)}


def _kind(column: Mapping[str, Any]) -> tuple[Any, ...]:
    """A column's type, and of whole numbers how many bits."""
    bits = column.get("precision") if column.get("data_type") == "bigint" else None
    return column.get("data_type"), bits
