"""A release without persons: what of its files holds them is written anew, the rest is named as is.

Base and deltas get folders of their own, whose names tell the release that they are made for, and
end in letters that are this erasure's. So
readers of the release before find it whole until it is removed, and whoever made something of the
earlier base (a sync, a compaction) makes it anew (docs/decisions/0088).
"""

from __future__ import annotations

import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from string import ascii_lowercase

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.contract import Plan
from freg_pipeline.erasure.columns import Columns, columns_of, whose, without
from freg_pipeline.erasure.persons import Persons
from freg_pipeline.journal.kept import open_whole
from freg_pipeline.journal.manifest import Delta, Manifest, TableEntry, TableFile
from freg_pipeline.lake.files import keep_file, write_bucket
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import FileLayout, layouts
from freg_pipeline.lake.tables import (
    HENDELSE,
    IDENTITY,
    PERSON,
    PERSON_KEY,
    REPLACED,
    TIDLIGERE_IDENTIFIKATOR,
)
from freg_pipeline.lake.tally import TALLY, Tally, tally_there, write_tally
from freg_pipeline.store import Store, write_record

_SUFFIX = re.compile(r"\.e\d{6,}[a-z]*$")
Taken = Counter[int]  # rows taken out by the person's key; of tables without one under key 0


def without_persons(
    store: Store, current: Manifest, number: str, persons: Persons, events: Mapping[int, int],
    holding: Iterable[str],
) -> Manifest:  # fmt: skip
    """A release's content without persons, to be published as a certain release.

    Args:
        store: where it lies.
        current: the release.
        number: of the one that is to be published.
        persons: who is taken out.
        events: the sequence numbers of their events.
        holding: the keys of the files that hold anything of them.
    """
    with store.scratch() as scratch:
        return _Rewriting(store, current, number, persons, events, holding, scratch).manifest()


@dataclass
class _Folder:
    """What was taken out of a base or a delta.

    Attributes:
        contract: that gave its files' columns.
        folder: where what is written anew goes.
        is_delta: whether it is a delta.
        rows: how many rows of each table, by the person's key.
        hidden: the keys of those whom the delta replaces.
    """

    contract: str
    folder: str
    is_delta: bool
    rows: dict[str, Taken] = field(default_factory=lambda: defaultdict(Counter))
    hidden: dict[int, bool] = field(default_factory=dict)


class _Rewriting:
    def __init__(
        self,
        store: Store,
        current: Manifest,
        number: str,
        persons: Persons,
        events: Mapping[int, int],
        holding: Iterable[str],
        scratch: Path,
    ) -> None:
        self._store = store
        self._current = current
        self._number = number
        self._persons = persons
        self._events = dict(events)
        self._holding = frozenset(holding)
        self._scratch = scratch
        self._named = partial(_SUFFIX.sub, "")
        # Of two who erase at once, and of one that was killed, none finds the other's files.
        self._mine = "".join(secrets.choice(ascii_lowercase) for _ in range(8))

    def manifest(self) -> Manifest:
        current, base = self._current, self._current.base
        of_base = _Folder(base.contract, self._folder(base.folder), is_delta=False)
        tables = {name: self._entry(of_base, name, one) for name, one in current.tables.items()}
        identity = self._entry(of_base, IDENTITY.name, base.identity)
        self._tally(of_base)
        before = [of_base]
        deltas = tuple(self._delta(delta, before) for delta in current.deltas)
        gone = sum(self._grown(PERSON.name, before).values())
        return msgspec.structs.replace(
            current,
            created=datetime.now(UTC),
            tables=tables,
            deltas=deltas,
            persons=current.persons - gone,
            base=msgspec.structs.replace(
                base, identity=identity, folder=of_base.folder, erased=int(self._number)
            ),
        )

    def _folder(self, folder: str) -> str:
        return f"{self._named(folder)}.e{self._number}{self._mine}"

    def _entry(self, folder: _Folder, table: str, entry: TableEntry) -> TableEntry:
        files = tuple(
            self._file(folder, table, file, f"{folder.folder}/{table}/{file.bucket:04d}.parquet")
            for file in entry.files
        )
        return TableEntry(sum(file.rows for file in files), files)

    def _delta(self, delta: Delta, before: list[_Folder]) -> Delta:
        """A delta, after those before it, to which it is added."""
        folder = _Folder(delta.contract, self._folder(delta.folder), is_delta=True)
        files = {
            name: self._file(folder, name, file, f"{folder.folder}/{name}.parquet")
            for name, file in delta.files.items()
        }
        before.append(folder)
        less = {name: self._grown(name, before)[len(before) - 1] for name in _tables(before)}
        grown = {name: delta.grown.get(name, 0) - less.get(name, 0)
                 for name in {**delta.grown, **less}}  # fmt: skip
        return msgspec.structs.replace(
            delta,
            events=delta.events - folder.rows[HENDELSE.name].total(),
            persons=delta.persons - folder.rows[PERSON.name].total(),
            replaced=delta.replaced - sum(folder.hidden.values()),
            files=files,
            folder=folder.folder,
            grown={name: rows for name, rows in grown.items() if rows},
        )

    def _grown(self, table: str, folders: list[_Folder]) -> Counter[int]:
        """By how many rows that readers saw each folder shrinks a table, the base first."""
        shrinks: Counter[int] = Counter(dict.fromkeys(range(len(folders)), 0))
        for key in {key for folder in folders for key in folder.rows[table]}:
            seen = 0
            for place, folder in enumerate(folders):
                there = folder.rows[table][key]
                by_number = table == TIDLIGERE_IDENTIFIKATOR.name
                hides = key in folder.hidden and (by_number or folder.hidden[key])
                now = there if hides and key else seen + there
                shrinks[place] += now - seen
                seen = now
        return shrinks

    def _file(self, folder: _Folder, table: str, file: TableFile, key: str) -> TableFile:
        """A file of a table, written anew if it holds anything of the persons."""
        if file.key not in self._holding:
            return file
        plan = load_plan(self._store, folder.contract)
        columns = columns_of(plan, table)
        with open_whole(self._store, file.key, file) as opened:
            rows = pq.read_table(opened)
        left = self._left(folder, table, rows, columns)
        if table == TALLY:
            path = self._scratch / "tally.parquet"
            write_tally(path, left)
        else:
            layout = _layout(plan, table, folder)
            left = left.select(layout.schema.names).cast(layout.schema)
            path = write_bucket(self._scratch, layout, file.bucket, left)
        return keep_file(self._store, key, file.bucket, path)

    def _left(self, folder: _Folder, table: str, rows: pa.Table, columns: Columns) -> pa.Table:
        found = whose(rows, columns, self._persons, self._events)
        mine = np.flatnonzero(found.own >= 0)
        if table != TALLY:
            has_keys = PERSON_KEY in rows.column_names
            keys = rows[PERSON_KEY].take(mine).to_pylist() if has_keys else [0] * len(mine)
            folder.rows[table].update(keys)
            if table == REPLACED.name:
                told = rows["rader"].take(mine).to_pylist()
                folder.hidden.update(zip(keys, map(bool, told), strict=True))
        return without(rows, columns, found, self._persons)

    def _tally(self, folder: _Folder) -> None:
        """The base's tally, without the persons; if there is none, whoever needs it makes it."""
        tally = tally_there(self._store, self._current.base.folder)
        if tally is None:
            return
        files = tuple(
            self._file(folder, TALLY, file, f"{folder.folder}/{TALLY}/{file.bucket:04d}.parquet")
            for file in tally.files
        )
        made = Tally(files, tally.tables)
        write_record(self._store, f"{folder.folder}/{TALLY}.json", made)


def _tables(folders: Iterable[_Folder]) -> set[str]:
    return {name for folder in folders for name in folder.rows} - {IDENTITY.name, REPLACED.name}


def _layout(plan: Plan, table: str, folder: _Folder) -> FileLayout:
    return next(one for one in layouts(plan, delta=folder.is_delta) if one.name == table)
