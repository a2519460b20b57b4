"""What two stores hold in their current tables, compared."""

from __future__ import annotations

from contextlib import closing

import duckdb

from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.lake.counts import all_rows_of, count_rows
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.tables import PERSON, TIDLIGERE_IDENTIFIKATOR
from freg_pipeline.store import Store

# Where a row came from, which differs between a full load and a sync.
_ORIGIN = "EXCLUDE (dokumentidentifikator, sekvensnummer, hentet, uttrekk)"


def difference(store: Store, other: Store) -> dict[str, tuple[int, int]]:
    """For each table that differs: how many rows only the one and only the other has.

    Of our own tables those that say what is; not those of what one load or sync met.
    """
    plan = load_plan(store, require_current(store).contract)
    tables = [
        PERSON.name,
        PERSON_NAA.name,
        TIDLIGERE_IDENTIFIKATOR.name,
        *(table.name for table in plan.tables),
    ]
    found = {}
    with closing(connect(store, states=False)) as one, closing(connect(other, states=False)) as two:
        for table in tables:
            here, there = _rows(one, table), _rows(two, table)
            if here != there:
                found[table] = (len(set(here) - set(there)), len(set(there) - set(here)))
    return found


def miscounted(store: Store) -> dict[str, dict[str, tuple[int, int]]]:
    """By release and table: the rows that it tells of, and those it has, where they differ."""
    found = {}
    for manifest in list_releases(store):
        told = all_rows_of(store, manifest)
        there = count_rows(store, manifest, told)
        wrong = {name: (told[name], there[name]) for name in told if told[name] != there[name]}
        if wrong:
            found[manifest.number] = wrong
    return found


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    columns = f"* {_ORIGIN}" if table == PERSON.name else "*"
    return sorted(map(repr, connection.execute(f"SELECT {columns} FROM {table}").fetchall()))
