"""What readers of a release can count: rows by table, and who is missing in another release."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import msgspec

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.described import described
from freg_pipeline.lake.grown import rows_of
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import OWN_TABLES
from freg_pipeline.store import Store

_OWN = {own.name for own in OWN_TABLES}


def current_rows_of(manifest: Manifest) -> dict[str, int]:
    """How many rows each of the contract's tables has for readers; no file is read."""
    rows = rows_of(manifest)
    return {name: rows[name] for name in manifest.tables if name not in _OWN}


def all_rows_of(store: Store, manifest: Manifest) -> dict[str, int]:
    """How many rows readers see of each table; no file of a table is read.

    Raises:
        StoreError: the release's contract can't be read.
    """
    rows = rows_of(manifest)
    tables = described(load_plan(store, manifest.contract))
    return {table.name: rows.get(table.name, 0) for table in tables}


def count_rows(store: Store, manifest: Manifest, names: Iterable[str]) -> dict[str, int]:
    """Count tables' rows as readers do, base and deltas together."""
    names = list(names)
    if not names:
        return {}
    unnamed = msgspec.structs.replace(manifest, number="")  # whose earlier state it is: no matter
    with connect(store, unnamed, states=False) as connection:
        return counted(connection, names)


def counted(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, int]:
    """Count tables' rows over a connection to a release."""
    found = {
        name: connection.execute(f"SELECT count(*) FROM {identifier(name)}").fetchall()  # noqa: S608
        for name in names
    }
    return {name: int(rows[0][0]) for name, rows in found.items()}


def missing_persons(store: Store, before: Manifest, after: Manifest) -> int:
    """How many persons of one release have no row in another, under whichever number.

    Args:
        store: where both lie.
        before: whose persons are counted.
        after: where they are looked for; it needn't be published.
    """
    with connect(store, after, states=False) as connection:
        there = connection.sql(
            "SELECT personidentifikator AS nummer FROM person "
            "UNION ALL SELECT identifikator FROM tidligere_identifikator"
        ).to_arrow_table()
    with connect(store, before, states=False) as connection:
        connection.register("there", there)
        rows = connection.execute(
            "SELECT count(*) FROM person ANTI JOIN there ON nummer = personidentifikator"
        ).fetchall()
    return int(rows[0][0])
