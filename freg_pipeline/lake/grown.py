"""By how many rows a delta makes each table grow, so that a release tells its rows without a count.

Readers see a base's rows, less those that deltas hide, and the deltas' own. A delta counts what it
hides as it is made: the rows of those few persons, and of nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import duckdb
import numpy as np
import pyarrow.parquet as pq

from freg_pipeline.contract import Plan
from freg_pipeline.journal.kept import open_whole
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.lake.layout import layouts
from freg_pipeline.lake.sources import files_of
from freg_pipeline.lake.state import Keys, State
from freg_pipeline.lake.tables import IDENTITY, TIDLIGERE_IDENTIFIKATOR, UKJENT_FELT
from freg_pipeline.store import Store

_BY_NUMBER = TIDLIGERE_IDENTIFIKATOR.name  # all other tables are replaced by person


def grown(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    current: Manifest,
    plan: Plan,
    files: Mapping[str, TableFile],
) -> dict[str, int]:
    """By how many rows a delta makes tables grow; those that stay as long as they are left out.

    Args:
        connection: where the delta is decided; see freg_pipeline.lake.identity.
        store: where everything lies.
        current: the release that it continues.
        plan: the tables' contract.
        files: the delta's own, by table.
    """
    state = State(store, current)
    there = {layout.name: layout.keyed for layout in layouts(plan) if layout.name != IDENTITY.name}
    more = {name: files[name].rows for name in there if name in files}
    if UKJENT_FELT.name in more:
        before = _paths(store, files_of(current, UKJENT_FELT.name))
        now = _paths(store, [(files[UKJENT_FELT.name].key, files[UKJENT_FELT.name])])
        more[UKJENT_FELT.name] = len(now - before)
    by_person = [name for name, keyed in there.items() if keyed and name != _BY_NUMBER]
    less = {
        **state.count(
            by_person, _keys(connection, "WHERE nummer IN (FROM replaced)"), persons=True
        ),
        **state.count([_BY_NUMBER], _keys(connection), persons=False),
    }
    change = {name: more.get(name, 0) - less.get(name, 0) for name in there}
    return {name: rows for name, rows in change.items() if rows}


def summed(all_grown: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """By how many rows several deltas together make tables grow."""
    total: Counter[str] = Counter()
    for one in all_grown:
        total.update(one)
    return {name: rows for name, rows in total.items() if rows}


def rows_of(manifest: Manifest) -> dict[str, int]:
    """How many rows readers see of each table that a release names; no file is read."""
    total = Counter({name: entry.rows for name, entry in manifest.tables.items()})
    total.update(summed(delta.grown for delta in manifest.deltas))
    return dict(total)


def _paths(store: Store, files: Iterable[tuple[str, TableFile]]) -> set[str]:
    """Where something unknown was found: readers see a row a path, of all files together."""
    found: set[str] = set()
    for key, file in files:
        with open_whole(store, key, file) as opened:
            found.update(pq.read_table(opened, columns=["sti"])["sti"].to_pylist())
    return found


def _keys(connection: duckdb.DuckDBPyConnection, which: str = "") -> Keys:
    """The keys of the numbers that the delta decides anew, ascending."""
    found = connection.sql(f"SELECT DISTINCT key FROM touched {which} ORDER BY key").fetchnumpy()  # noqa: S608
    return np.asarray(found["key"], dtype=np.int64)
