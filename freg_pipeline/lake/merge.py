"""Small deltas become one, long before a compaction writes the base anew.

A sync a minute leaves a delta each, of some forty small files. Eight deltas of the same size class
that follow each other become one of the next class, as in a log-structured merge tree: what a sync
costs grows with the logarithm of how many there were, and so does the number of files that a reader
opens. A delta that holds many rows stays as it is: it is no small file, and a compaction takes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.manifest import Delta, Manifest, TableEntry, TableFile
from freg_pipeline.lake.compaction import positions_taken
from freg_pipeline.lake.database import working_database
from freg_pipeline.lake.described import sql_type
from freg_pipeline.lake.files import Buckets, keep_file
from freg_pipeline.lake.grown import summed
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import ROWS_AT_ONCE, FileLayout, layouts
from freg_pipeline.lake.query import add_replaced, readable_files
from freg_pipeline.lake.sources import Reads, Source, files_of, replaced_files, sources
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import DELTA_COLUMN, PERSON_KEY, REPLACED, file_schema
from freg_pipeline.lake.tally import TALLY, Counting
from freg_pipeline.lake.views import current_rows
from freg_pipeline.store import Store, read_record, write_record

AT_ONCE = 8  # deltas of one class that become one of the next
MOST_ROWS = 500_000  # of all tables; one with more is large enough by itself
_ALL = "_alle_erstattet"


def merged(store: Store, current: Manifest, new: Delta) -> tuple[Delta, ...]:
    """A release's deltas with a new one on top, the small ones among them merged.

    What is merged has the same content; states between the deltas that went into it are shown by
    earlier releases only, as long as these are kept.

    Args:
        store: where they lie.
        current: the release that the new one continues.
        new: the delta to add.
    """
    deltas = (*current.deltas, new)
    if len(deltas) < AT_ONCE:
        return deltas
    barriers = positions_taken(store, current)  # a compaction needs its position to stay
    while (start := _run(deltas, barriers)) is not None:
        deltas = (*deltas[:start], _merge(store, current, deltas[start:]))
    return deltas


def _run(deltas: tuple[Delta, ...], barriers: set[int]) -> int | None:
    """Where the deltas begin that become one; None: nothing is due."""
    start = len(deltas) - AT_ONCE
    if start < 0:
        return None
    last = deltas[start:]
    alike = len({(_class(one), one.contract) for one in last}) == 1
    small = sum(_rows(one) for one in last) <= MOST_ROWS
    crossed = any(one.sekvensnummer in barriers for one in last[:-1])
    return start if alike and small and not crossed else None


def _class(delta: Delta) -> int:
    """0 for a sync of its own, 1 for eight of them, 2 for 64, ..."""
    size = 0
    while AT_ONCE ** (size + 1) <= delta.syncs:
        size += 1
    return size


def _rows(delta: Delta) -> int:
    return sum(file.rows for file in delta.files.values())


def _merge(store: Store, current: Manifest, deltas: tuple[Delta, ...]) -> Delta:
    """One delta with the content of several; made once, under a name that can be computed."""
    first, last = deltas[0], deltas[-1]
    base = current.base
    folder = f"deltas/{last.uttrekk}/{base.uttrekk}.{first.sekvensnummer:012d}{base.suffix}"
    done = f"{folder}/done.json"
    if store.exists(done):
        made = read_record(store, done, Delta)
        require_whole(store, ((file.key, file) for file in made.files.values()))
        return made
    with store.scratch() as scratch, working_database(scratch) as connection:
        files = dict(_Merging(store, current, deltas, connection).write(folder, scratch))
        replaced = connection.execute(f"SELECT count(*) FROM {_ALL} WHERE rader").fetchall()[0][0]  # noqa: S608
    made = Delta(
        uttrekk=last.uttrekk,
        sekvensnummer=last.sekvensnummer,
        recorded=max(one.recorded for one in deltas),
        contract=last.contract,
        events=sum(one.events for one in deltas),
        persons=files["person"].rows if "person" in files else 0,
        replaced=replaced,
        missing=sum(one.missing for one in deltas),
        files=files,
        folder=folder,
        grown=summed(one.grown for one in deltas),
        syncs=sum(one.syncs for one in deltas),
    )
    return made if write_record(store, done, made) else read_record(store, done, Delta)


class _Merging:
    """The rows of several deltas that none of the later ones replaces."""

    def __init__(
        self,
        store: Store,
        current: Manifest,
        deltas: tuple[Delta, ...],
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        nothing = TableEntry(0, ())
        self._store = store
        self._connection = connection
        self._only = msgspec.structs.replace(
            current,
            contract=deltas[-1].contract,
            tables={},
            base=msgspec.structs.replace(current.base, identity=nothing),
            deltas=deltas,
        )

    def write(self, folder: str, scratch: Path) -> Iterator[tuple[str, TableFile]]:
        """Write each table that has rows."""
        only, connection = self._only, self._connection
        add_replaced(connection, self._store, only)
        reads = readable_files(connection, self._store)
        found = sources(self._store, only, reads)
        self._gather_replaced(reads)
        plan = load_plan(self._store, only.contract)
        counting = Counting()
        for layout in layouts(plan, delta=True):
            require_whole(self._store, files_of(only, layout.name))
            rows = (
                f"FROM {_ALL} ORDER BY {PERSON_KEY}"
                if layout.name == REPLACED.name
                else self._rows(found[layout.name], layout)
            )
            writer = Buckets(scratch, layout)
            for piece in self._connection.sql(rows).to_arrow_reader(ROWS_AT_ONCE):
                rows_of_it = pa.Table.from_batches([piece])
                writer.add(rows_of_it, np.zeros(len(piece), np.int16))
                counting.add(layout.name, rows_of_it)
            for path in writer.close(empty=False).values():
                key = f"{folder}/{layout.name}.parquet"
                yield layout.name, keep_file(self._store, key, 0, path)
        tally = scratch / f"{TALLY}.parquet"
        counting.write(tally)
        yield TALLY, keep_file(self._store, f"{folder}/{tally.name}", 0, tally)

    def _rows(self, source: Source, layout: FileLayout) -> str:
        columns = {field.name: sql_type(field.type) for field in layout.schema}
        position = self._only.deltas[-1].sekvensnummer
        shown = ", ".join(
            f"{position}::BIGINT AS {DELTA_COLUMN}" if name == DELTA_COLUMN else identifier(name)
            for name in columns
        )
        return f"SELECT {shown} FROM ({current_rows(layout.name, columns, source)})"  # noqa: S608  from the contract

    def _gather_replaced(self, reads: Reads) -> None:
        """Whom any of the deltas replaces: with rows, if one of them does so with rows."""
        schema = file_schema(REPLACED.schema, keyed=True, delta=True)
        columns = ", ".join(f"{identifier(one.name)} {sql_type(one.type)}" for one in schema)
        self._connection.execute(f"CREATE TEMP TABLE {_ALL} ({columns})")
        files = replaced_files(self._only)
        if not files:
            return
        told_by = reads("_erstattet_filer", files, schema)
        position = self._only.deltas[-1].sekvensnummer
        told = {"rader": "bool_or(rader)", DELTA_COLUMN: str(position)}
        shown = ", ".join(told.get(name, f"any_value({identifier(name)})") for name in schema.names)
        self._connection.execute(
            f"INSERT INTO {_ALL} SELECT {shown} FROM {told_by} "  # noqa: S608
            f"GROUP BY {PERSON_KEY}"
        )
