"""The rows to take out of a copy of a release, and to put into it, so that it is a later one.

All rows of a person are replaced together, in each table. Where deltas on top of one base tell who
has changed since, only what they brought is read. Else (after a full load, say) both states are
compared, bucket by bucket, by a hash of each person's rows; what stays as it was is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from freg_pipeline.changes.ended import ended_between, keep_events
from freg_pipeline.changes.sides import Side
from freg_pipeline.changes.since import deltas_since, persons_of
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Delta, Manifest
from freg_pipeline.journal.pins import being_read
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.query import reading
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import (
    HENDELSE,
    HENDELSE_EGENSKAP,
    OWN_TABLES,
    PERSON_KEY,
    TIDLIGERE_IDENTIFIKATOR,
    Described,
)
from freg_pipeline.store import Store
from freg_pipeline.store.scratch import scratch_here

ROWS_AT_ONCE = 100_000
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


class Changes:
    """What differs between two states of a store. Made by :func:`changes`.

    Attributes:
        before: the state that a copy has; None: it is empty.
        after: the state that it is to have.
        tables: the names of the tables that it can tell of.
        gone: those of tables that only the earlier state has.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: Store,
        before: Manifest | None,
        after: Manifest,
        chosen: Collection[str] = (),
    ) -> None:
        self.before = before
        self.after = after
        self._store = store
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
        self.tables = tuple(table.name for table in self._after.tables)
        earlier = self._before.tables if self._before is not None else ()
        self.gone = tuple(table.name for table in earlier if table.name not in self.tables)
        self._chosen = self._known(chosen)

    def __iter__(self) -> Iterator[TableChanges]:
        """The changes of each table that was asked for."""
        return self.of(self._chosen)

    def of(self, names: Collection[str] = ()) -> Iterator[TableChanges]:
        """The changes of each table, or of some, to be read one after the other.

        Raises:
            ConfigurationError: there is no table of such a name.
        """
        self._known(names)
        for table in self._after.tables:
            if not names or table.name in names:
                with self._reading():
                    found = self._of(table)
                yield replace(found, parts=self._told(found.parts))

    def _reading(self) -> AbstractContextManager[None]:
        """Tell which file of the two states can't be read."""
        both = (self.after, *([] if self.before is None else [self.before]))
        return reading(self._store, *both)

    def key(self, name: str) -> str | None:
        """The column by whose values rows of a table are replaced; None: it is replaced whole."""
        table = self._table(name)
        return None if self._is_whole(table) else _key(table)

    def columns(self, name: str) -> dict[str, str]:
        """A table's columns, with DuckDB's types."""
        return self._table(name).types

    def _table(self, name: str) -> Described:
        (table,) = (one for one in self._after.tables if one.name == name)
        return table

    def _is_whole(self, table: Described) -> bool:
        return self._before is None or table.name in _WHOLE or not self._before.has(table)

    def _of(self, table: Described) -> TableChanges:
        columns = table.types
        if self._before is None or self._is_whole(table):
            rows = self._after.common if _is_common(table) else self._after.keyed
            parts = iter([self._part(None, columns, rows(table))])
            return TableChanges(table.name, columns, None, whole=True, parts=parts)
        if table.name in _EVENTS:
            parts = self._events(table, columns, self._before)
        elif self._deltas is not None:
            parts = self._by_deltas(table, columns)
        else:
            parts = self._compared(table, columns, self._before)
        return TableChanges(table.name, columns, _key(table), whole=False, parts=parts)

    def _known(self, names: Collection[str]) -> Collection[str]:
        unknown = sorted(set(names) - {*self.tables})
        if unknown:
            raise ConfigurationError(
                f"there is no table {unknown[0]}",
                "See freg release show; views aren't kept in copies",
            )
        return names

    def _told(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Parts whose files may be damaged or gone."""
        with self._reading():
            for part in parts:
                batches = self._rows(part.upserts)
                yield replace(
                    part, upserts=pa.RecordBatchReader.from_batches(part.upserts.schema, batches)
                )

    def _rows(self, rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        with self._reading():
            yield from rows

    def _by_deltas(self, table: Described, columns: dict[str, str]) -> Iterator[Part]:
        assert self.before is not None  # noqa: S101
        # Whoever has changed since has their rows in deltas, unless a compaction took these in.
        fresh = self.after.base.sekvensnummer <= self.before.positions()[-1]
        rows = self._after.keyed(table, of_deltas=fresh)
        rows_only = "" if table.name == TIDLIGERE_IDENTIFIKATOR.name else "WHERE rader"
        self._find(f"SELECT nummer AS noekkel FROM {_PERSONS} {rows_only}")  # noqa: S608  ours
        mine = f"(FROM {rows} SEMI JOIN {_PERSONS} USING ({PERSON_KEY}))"
        yield self._part(_key(table), columns, mine)

    def _compared(self, table: Described, columns: dict[str, str], before: Side) -> Iterator[Part]:
        assert self.before is not None  # noqa: S101
        buckets = max(self.before.base.buckets, self.after.base.buckets)
        for bucket in range(buckets):
            old = before.keyed(table, (bucket, buckets))
            new = self._after.keyed(table, (bucket, buckets))
            self._find(_differing(_key(table), columns, old, new))
            yield self._part(_key(table), columns, new)

    def _events(self, table: Described, columns: dict[str, str], before: Side) -> Iterator[Part]:
        """Of events the new ones, and those of persons whose number or protection has changed.

        A full load begins without events; a copy keeps those that there were.
        """
        assert self.before is not None  # noqa: S101
        rows, key = self._after.common(table), _key(table)
        if self._deltas is not None:
            self._connection.execute(self._events_told())
            self._find(f"SELECT sekvensnummer AS noekkel FROM {_EVENTS_TOLD}")  # noqa: S608
        else:
            if self.before.base.uttrekk != self.after.base.uttrekk:
                sides = [*self._ended, before]
                keep_events(self._connection, _ENDED, table, self._after, sides)
                rows = f"(FROM {rows} UNION ALL BY NAME FROM {_ENDED})"
            self._find(_differing(key, columns, before.common(table), rows))
        yield self._part(key, columns, rows)

    def _events_told(self) -> str:
        assert self.before is not None  # noqa: S101
        (table,) = (one for one in self._after.tables if one.name == HENDELSE.name)
        return (
            f"CREATE TABLE IF NOT EXISTS {_EVENTS_TOLD} AS "  # noqa: S608  ours
            f"SELECT DISTINCT sekvensnummer FROM {self._after.common(table)} "
            f"WHERE sekvensnummer > {self.before.positions()[-1]} "
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


@contextmanager
def changes(
    store: Store, before: Manifest | None, after: Manifest, tables: Collection[str] = ()
) -> Iterator[Changes]:
    """What differs between two states, to be read within.

    No purge takes away what it is read from, as far as one may write to the store.

    Args:
        store: where both lie.
        before: the earlier state; None: nothing.
        after: the later one.
        tables: what is gone through when it is iterated over; none: all.

    Raises:
        ConfigurationError: there is no such table; one of the two has been purged, or the later one
            is the earlier.
        StoreError: their files can't be read.
    """
    first = after.number if before is None else before.number
    if first > after.number:
        raise ConfigurationError(
            f"release {first} is newer than {after.number}, which is asked for", "Open it again"
        )
    with ExitStack() as used:
        writable = used.enter_context(being_read(store, first, after.number))
        folder = used.enter_context(store.scratch() if writable else scratch_here())
        connection = used.enter_context(working_database(folder))
        with reading(store, after, *([] if before is None else [before])):
            found = Changes(connection, store, before, after, tables)
        yield found


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
