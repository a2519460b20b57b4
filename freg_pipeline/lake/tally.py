"""What a base holds of each person: how new the document is, and how many rows of each table.

A sync must know that of the few whom it replaces. The tables' files tell it too, but there are some
forty a bucket, and each would have to be looked into: on S3 hundreds of requests for a sync of one
event. So it is kept beside the base, in one file a bucket. It follows from the base's files: who
publishes a base makes it, or the first one who needs it; what is damaged or gone is made again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.journal.kept import keep, read_parts
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import LOOKED_UP_ROW_GROUP, layouts
from freg_pipeline.lake.tables import (
    IDENTITY,
    PERSON,
    PERSON_KEY,
    RECORDED_COLUMN,
    REPLACED,
    TIDLIGERE_IDENTIFIKATOR,
)
from freg_pipeline.store import Store, read_record, recall_record, write_record

_NO_PERSONS = {TIDLIGERE_IDENTIFIKATOR.name, IDENTITY.name, REPLACED.name}  # keyed by number
logger = logging.getLogger(__name__)

TALLY = "_antall"  # no table's name begins so


class Tally(msgspec.Struct, frozen=True):
    """Where it lies.

    Attributes:
        files: one for each bucket that has persons.
        tables: those whose rows are counted.
    """

    files: tuple[TableFile, ...]
    tables: frozenset[str]


def tally_of(store: Store, manifest: Manifest) -> Tally:
    """The tally of a release's base; it is made if it isn't there.

    Raises:
        DamagedError: a file of the base isn't as it was written.
        StoreError: one can't be read.
    """
    try:
        return recall_record(store, _done(manifest), Tally)
    except (DamagedError, ObjectMissingError):
        store.delete(_done(manifest))
        return _make(store, manifest)


def tally_again(store: Store, manifest: Manifest) -> Tally:
    """The tally made anew, since a file of it is damaged or gone."""
    logger.warning("the tally of %s is damaged: it is made again", manifest.base.folder)
    store.delete(_done(manifest))
    store.delete_all(store.list(f"{_folder(manifest)}/"))
    return _make(store, manifest)


def tally_key(folder: str, bucket: int) -> str:
    """Where the tally of a bucket lies, by where its base does."""
    return f"{folder}/{TALLY}/{bucket:04d}.parquet"


def note_tally(store: Store, manifest: Manifest, files: Iterable[TableFile]) -> None:
    """Record a tally whose files were made along with those of the release's base."""
    there = tuple(file for file in files if file.rows)
    write_record(store, _done(manifest), Tally(there, frozenset(_counted(store, manifest))))


def _counted(store: Store, manifest: Manifest) -> list[str]:
    plan = load_plan(store, manifest.base.contract)
    keyed = {layout.name for layout in layouts(plan) if layout.keyed} - _NO_PERSONS
    return sorted(keyed & manifest.tables.keys())


def tally_there(store: Store, folder: str) -> Tally | None:
    """The tally of a base by its folder; None: there is none, or none that can be read."""
    try:
        return read_record(store, f"{folder}/{TALLY}.json", Tally)
    except (DamagedError, ObjectMissingError):
        return None


def _folder(manifest: Manifest) -> str:
    return f"{manifest.base.folder}/{TALLY}"


def _done(manifest: Manifest) -> str:
    return f"{_folder(manifest)}.json"


def _make(store: Store, manifest: Manifest) -> Tally:
    tables = _counted(store, manifest)
    files = []
    with store.scratch() as folder:
        for person in manifest.tables[PERSON.name].files:
            if person.rows:
                path = folder / f"{person.bucket:04d}.parquet"
                _write(store, manifest, person, tables, path)
                key = tally_key(manifest.base.folder, person.bucket)
                kept = msgspec.structs.asdict(keep(store, key, path))
                files.append(TableFile(key=key, bucket=person.bucket, **kept))
    made = Tally(tuple(files), frozenset(tables))
    write_record(store, _done(manifest), made)
    return made


def _write(
    store: Store, manifest: Manifest, person: TableFile, tables: Iterable[str], path: Path
) -> None:
    """Count a bucket's rows."""
    told = _read(store, person, [PERSON_KEY, RECORDED_COLUMN]).sort_by(PERSON_KEY)
    persons = told[PERSON_KEY].to_numpy()
    counted = {}
    for name in tables:
        files = (file for file in manifest.tables[name].files if file.bucket == person.bucket)
        found = (_read(store, file, [PERSON_KEY])[PERSON_KEY] for file in files if file.rows)
        counted[name] = _counts(persons, (keys.to_numpy() for keys in found))
    _write_file(path, persons, counted, {RECORDED_COLUMN: told[RECORDED_COLUMN]})


class Counting:
    """Counts rows as they are written: a delta's, which are few, or those of a base's bucket.

    Tables may be counted side by side.

    Args:
        base: how new documents are is told, too.
    """

    def __init__(self, *, base: bool = False) -> None:
        self._base = base
        self._keys: dict[str, list[npt.NDArray[np.int64]]] = {}
        self._told: dict[str, pa.ChunkedArray] = {}

    def add(self, table: str, rows: pa.Table) -> None:
        """Count a piece of a table, if its rows are persons'; of a base, all of it by its keys."""
        if PERSON_KEY in rows.column_names and table not in _NO_PERSONS:
            self._keys.setdefault(table, []).append(rows[PERSON_KEY].to_numpy())
            if self._base and table == PERSON.name:
                self._told[RECORDED_COLUMN] = rows[RECORDED_COLUMN]

    def write(self, path: Path) -> None:
        """Write the file."""
        of = [PERSON.name] if self._base else [*self._keys]
        every = [keys for name in of for keys in self._keys.get(name, ())]
        persons = np.unique(np.concatenate([np.empty(0, np.int64), *every]))
        counted = {name: _counts(persons, self._keys[name]) for name in sorted(self._keys)}
        _write_file(path, persons, counted, self._told)


def _write_file(
    path: Path,
    persons: npt.NDArray[np.int64],
    counted: Mapping[str, npt.NDArray[np.uint16]],
    told: Mapping[str, pa.ChunkedArray],
) -> None:
    columns = {name: pa.array(counts) for name, counts in counted.items()}
    write_tally(path, pa.table({PERSON_KEY: pa.array(persons), **told, **columns}))


def write_tally(path: Path, rows: pa.Table) -> None:
    """Write a tally's file, by person."""
    counts = [name for name in rows.column_names if name not in {PERSON_KEY, RECORDED_COLUMN}]
    pq.write_table(
        rows, path, row_group_size=LOOKED_UP_ROW_GROUP, compression="zstd", store_schema=False,
        write_page_checksum=True, use_dictionary=counts,
        column_encoding={PERSON_KEY: "DELTA_BINARY_PACKED"},
    )  # fmt: skip


def _counts(
    persons: npt.NDArray[np.int64], found: Iterable[npt.NDArray[np.int64]]
) -> npt.NDArray[np.uint16]:
    """How many rows each of the persons has; rows of one come together."""
    counts = np.zeros(len(persons), np.uint16)
    if not len(persons):
        return counts
    for keys in found:
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        rows = np.diff(starts, append=len(keys)).astype(np.uint16)
        places = np.minimum(np.searchsorted(persons, keys[starts]), len(persons) - 1)
        mine = persons[places] == keys[starts]
        np.add.at(counts, places[mine], rows[mine])
    return counts


def _read(store: Store, file: TableFile, columns: list[str]) -> pa.Table:
    return read_parts(store, file.key, file, columns, lambda told: [*range(told.num_row_groups)])
