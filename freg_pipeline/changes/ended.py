"""Events that views no longer show, since a full load has begun anew: what copies keep of them.

A copy keeps every event and what it changed, but no address: who is open today may be protected
some day, and no later set of changes could take out what nobody knows of any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import duckdb

from freg_pipeline.changes.sides import Side
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import list_releases
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import HENDELSE_EGENSKAP
from freg_pipeline.store import Store


def ended_between(store: Store, before: Manifest, after: Manifest) -> list[Manifest]:
    """The last release of each full load whose events are in no view of a later state's.

    Those that are kept, the latest first, and at its end the earlier state itself, whose events a
    copy has. None, if both states are of one full load.

    Args:
        store: where they lie.
        before: the earlier state.
        after: the later one.
    """
    if before.base.uttrekk == after.base.uttrekk:
        return []
    line = [one for one in list_releases(store) if before.number <= one.number <= after.number]
    last = [
        one
        for one, following in pairwise(line)
        if one.base.uttrekk not in {following.base.uttrekk, after.base.uttrekk}
    ]
    return [*(one for one in reversed(last) if one != before), before]


def keep_events(
    connection: duckdb.DuckDBPyConnection,
    into: str,
    table: Described,
    after: Side,
    ended: Iterable[Side],
) -> None:
    """Make a table with the events of ended full loads, as copies keep them.

    Args:
        connection: the working database.
        into: the table's name.
        table: ``hendelse`` or ``hendelse_egenskap``.
        after: the state whose own events aren't in it.
        ended: the states whose events are; of those that several have, the first one's.
    """
    columns = table.types
    shown = ", ".join(map(identifier, columns))
    known = f"FROM {after.common(table)} SELECT sekvensnummer"
    connection.execute(
        f"CREATE OR REPLACE TABLE {into} AS SELECT {shown} FROM {after.common(table)} LIMIT 0"  # noqa: S608
    )
    for side in ended:
        rows = side.common(table)
        if table.name == HENDELSE_EGENSKAP.name:
            rows = f"({side.protection.closed(rows, columns, after.protection.graded)})"
        connection.execute(
            f"INSERT INTO {into} SELECT {shown} FROM {rows} "  # noqa: S608
            f"WHERE sekvensnummer NOT IN ({known} UNION ALL FROM {into} SELECT sekvensnummer)"
        )
