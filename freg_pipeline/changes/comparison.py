"""Whose rows differ between two states, table by table, as SQL over both.

All rows of a person are replaced together, in each table. Where deltas on top of one base tell who
has changed since, only what they brought is read. Else (after a full load, say) both states are
compared, bucket by bucket, by a hash of each person's rows; what stays as it was is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from freg_pipeline.changes.ended import ended_between, keep_events
from freg_pipeline.changes.sides import Side
from freg_pipeline.changes.since import deltas_since, persons_of
from freg_pipeline.journal.manifest import Delta, Manifest
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.layout import ROWS_AT_ONCE
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import (
    HENDELSE,
    HENDELSE_EGENSKAP,
    OWN_TABLES,
    PERSON_KEY,
    TIDLIGERE_IDENTIFIKATOR,
)
from freg_pipeline.store import Store

_EVENTS = (HENDELSE.name, HENDELSE_EGENSKAP.name)
_WHOLE = {own.name for own in OWN_TABLES if not own.per_person} - {*_EVENTS}
_PERSONS = "_endret"  # who has changed, by deltas: key, number, and whether their rows have
_EVENTS_TOLD = "_endret_hendelse"
_ENDED = "_avsluttet"  # events of full loads before this one, of one table
_KEYS = "_noekler"  # whose rows differ, of one table's one part


@dataclass(frozen=True)
class Part:
    """What changes of one table, of some of its rows.

    Attributes:
        deletes: the values of the table's key whose rows are to go: one column, each once.
        upserts: the rows that come in their place. To be read before the next part.
    """

    deletes: pa.Table
    upserts: pa.RecordBatchReader


@dataclass(frozen=True)
class TableChanges:
    """What changes of one table.

    Attributes:
        name: the table.
        columns: their names, with DuckDB's types.
        key: the column that ``deletes`` are values of; None: the table has none, or is replaced.
        whole: all of the copy's rows are to go first; so it is where columns are others by now.
        parts: one after the other; no value of the key is in two of them.
    """

    name: str
    columns: dict[str, str]
    key: str | None
    whole: bool
    parts: Iterator[Part]


class Comparison:
    """Two states, side by side.

    Args:
        connection: the working database.
        store: where both lie.
        before: the earlier one; None: nothing.
        after: the later one.

    Attributes:
        tables: the later one's.
        gone: the names of tables that only the earlier one has.

    Raises:
        StoreError: what tells who has changed can't be read.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: Store,
        before: Manifest | None,
        after: Manifest,
    ) -> None:
        self._connection = connection
        self._after = Side(connection, store, after, "naa")
        self._before: Side | None = None
        self._deltas: tuple[Delta, ...] | None = None
        self._ended: list[Side] = []
        if before is not None:
            self._before = Side(connection, store, before, "foer")
            self._deltas = deltas_since(store, before, after)
            others = ended_between(store, before, after)[:-1]
            self._ended = [
                Side(connection, store, one, f"avsluttet{number}_")
                for number, one in enumerate(others)
            ]
        if self._deltas is not None:
            self._note_persons(persons_of(store, self._deltas))
        self.tables = self._after.tables
        names = {table.name for table in self.tables}
        earlier = [] if self._before is None else self._before.tables
        self.gone = tuple(table.name for table in earlier if table.name not in names)

    def key(self, table: Described) -> str | None:
        """The column by whose values rows of a table are replaced; None: it is replaced whole."""
        return None if self._is_whole(table) else _key(table)

    def _is_whole(self, table: Described) -> bool:
        return self._before is None or table.name in _WHOLE or not self._before.has(table)

    def of(self, table: Described) -> TableChanges:
        """What changes of one of the later state's tables.

        Raises:
            StoreError: its files can't be read.
        """
        columns = table.types
        if self._before is None or self._is_whole(table):
            rows = self._after.common if _is_common(table) else self._after.keyed
            parts = iter([self._part(None, columns, rows(table))])
            return TableChanges(table.name, columns, None, whole=True, parts=parts)
        if table.name in _EVENTS:
            parts = self._events(table, columns, self._before)
        elif self._deltas is not None:
            parts = self._by_deltas(table, columns, self._before)
        else:
            parts = self._compared(table, columns, self._before)
        return TableChanges(table.name, columns, _key(table), whole=False, parts=parts)

    def _by_deltas(self, table: Described, columns: dict[str, str], before: Side) -> Iterator[Part]:
        # Whoever has changed since has their rows in deltas, unless a compaction took these in.
        fresh = self._after.manifest.base.sekvensnummer <= before.manifest.positions()[-1]
        rows = self._after.keyed(table, of_deltas=fresh)
        rows_only = "" if table.name == TIDLIGERE_IDENTIFIKATOR.name else "WHERE rader"
        self._find(f"SELECT nummer AS noekkel FROM {_PERSONS} {rows_only}")  # noqa: S608  ours
        mine = f"(FROM {rows} SEMI JOIN {_PERSONS} USING ({PERSON_KEY}))"
        yield self._part(_key(table), columns, mine)

    def _compared(self, table: Described, columns: dict[str, str], before: Side) -> Iterator[Part]:
        buckets = max(before.manifest.base.buckets, self._after.manifest.base.buckets)
        for bucket in range(buckets):
            old = before.keyed(table, (bucket, buckets))
            new = self._after.keyed(table, (bucket, buckets))
            self._find(_differing(_key(table), columns, old, new))
            yield self._part(_key(table), columns, new)

    def _events(self, table: Described, columns: dict[str, str], before: Side) -> Iterator[Part]:
        """Of events the new ones, and those of persons whose number or protection has changed.

        A full load begins without events; a copy keeps those that there were.
        """
        rows, key = self._after.common(table), _key(table)
        if self._deltas is not None:
            self._connection.execute(self._events_told(before))
            self._find(f"SELECT sekvensnummer AS noekkel FROM {_EVENTS_TOLD}")  # noqa: S608
        else:
            if before.manifest.base.uttrekk != self._after.manifest.base.uttrekk:
                sides = [*self._ended, before]
                keep_events(self._connection, _ENDED, table, self._after, sides)
                rows = f"(FROM {rows} UNION ALL BY NAME FROM {_ENDED})"
            self._find(_differing(key, columns, before.common(table), rows))
        yield self._part(key, columns, rows)

    def _events_told(self, before: Side) -> str:
        (table,) = (one for one in self._after.tables if one.name == HENDELSE.name)
        return (
            f"CREATE TABLE IF NOT EXISTS {_EVENTS_TOLD} AS "  # noqa: S608  ours
            f"SELECT DISTINCT sekvensnummer FROM {self._after.common(table)} "
            f"WHERE sekvensnummer > {before.manifest.positions()[-1]} "
            f"OR folkeregisteridentifikator IN (SELECT nummer FROM {_PERSONS})"
        )

    def _find(self, statement: str) -> None:
        """Note whose rows are to go, by the values of the key."""
        self._connection.execute(f"CREATE OR REPLACE TABLE {_KEYS} AS {statement}")

    def _part(self, key: str | None, columns: dict[str, str], rows: str) -> Part:
        shown = ", ".join(map(identifier, columns))
        if key is None:
            deletes = pa.table({})
            statement = f"SELECT {shown} FROM {rows}"  # noqa: S608
        else:
            found = f"SELECT noekkel AS {key} FROM {_KEYS} ORDER BY ALL"  # noqa: S608
            deletes = self._connection.sql(found).to_arrow_table()
            statement = (
                f"SELECT {shown} FROM {rows} SEMI JOIN {_KEYS} ON noekkel = {identifier(key)}"  # noqa: S608
            )
        return Part(deletes, self._connection.sql(statement).to_arrow_reader(ROWS_AT_ONCE))

    def _note_persons(self, told: pa.Table) -> None:
        self._connection.register("told", told)
        self._connection.execute(
            f"CREATE TABLE {_PERSONS} AS SELECT {PERSON_KEY}, personidentifikator AS nummer, "  # noqa: S608
            "bool_or(rader) AS rader FROM told GROUP BY ALL"
        )
        self._connection.unregister("told")


def _is_common(table: Described) -> bool:
    return table.name in {*_EVENTS, *_WHOLE}


def _key(table: Described) -> str:
    """The column by whose values rows are replaced together."""
    return "sekvensnummer" if table.name in _EVENTS else next(iter(table.columns))[0]


def _differing(key: str, columns: dict[str, str], old: str, new: str) -> str:
    """The values of a key whose rows aren't the same; their order is no difference."""
    row = f"hash({', '.join(map(identifier, columns))})"
    told = (
        f"SELECT {identifier(key)} AS noekkel, count(*) AS rader, sum({row}::HUGEINT) AS sum, "  # noqa: S608
        f"bit_xor({row}) AS xor FROM {{}} GROUP BY ALL"
    )
    same = " AND ".join(f"e.{one} IS NOT DISTINCT FROM n.{one}" for one in ("rader", "sum", "xor"))
    return (
        "SELECT coalesce(e.noekkel, n.noekkel) AS noekkel "  # noqa: S608
        f"FROM ({told.format(old)}) AS e FULL JOIN ({told.format(new)}) AS n "
        f"ON e.noekkel = n.noekkel WHERE NOT ({same})"
    )
