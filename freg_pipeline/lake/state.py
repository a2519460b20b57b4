"""Look-ups of single persons in a release: what it knows of the few that a delta touches.

Files are sorted by the persons' keys, so that a file's own statistics tell which of its row groups
to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.journal.kept import read_parts
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.lake.keys import among, buckets_of, distinct
from freg_pipeline.lake.tables import IDENTITY, PERSON, PERSON_KEY, RECORDED_COLUMN, REPLACED
from freg_pipeline.store import Store

Keys = npt.NDArray[np.int64]
Files = Mapping[str, tuple[TableFile, ...]]  # by table
_AT_ONCE = 8  # tables looked into: on S3 each waits for several answers
_PERSON_SCHEMA = pa.schema(
    [(PERSON_KEY, pa.int64()), (RECORDED_COLUMN, pa.timestamp("us", tz="UTC"))]
)


class State:
    """What a release knows of single persons.

    Args:
        store: where it lies.
        manifest: the release.
    """

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self._store = store
        self._manifest = manifest

    def persons(self, keys: Keys) -> pa.Table:
        """Rows of ``person``: key, and when the document was recorded.

        Args:
            keys: whom to look for, ascending.
        """
        rows = self._current(PERSON.name, keys, _PERSON_SCHEMA.names, persons=True)
        return pa.concat_tables([_PERSON_SCHEMA.empty_table(), *rows])

    def identity(self, keys: Keys) -> pa.Table:
        """Rows of who claims which number, under the numbers that have these keys."""
        rows = self._current(IDENTITY.name, keys, IDENTITY.schema.names, persons=False)
        return pa.concat_tables([IDENTITY.schema.empty_table(), *rows])

    def count(self, names: Iterable[str], keys: Keys, *, persons: bool) -> dict[str, int]:
        """How many rows of some tables are under these keys, as readers see them.

        Of each file the keys are read alone, and of these what may hold one of them.

        Args:
            names: the tables.
            keys: whose rows, ascending.
            persons: the tables' rows are replaced by person; else by number.
        """
        places = [*self._places(keys, persons=persons)]

        def rows(name: str) -> int:
            return sum(
                len(found)
                for files, mine in places
                for file in files.get(name, ())
                for found in self._rows(file, mine, [PERSON_KEY])
            )

        names = [*names]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(names, pool.map(rows, names), strict=True))

    def _current(
        self, name: str, keys: Keys, columns: list[str], *, persons: bool
    ) -> Iterator[pa.Table]:
        for files, mine in self._places(keys, persons=persons):
            for file in files.get(name, ()):
                yield from self._rows(file, mine, columns)

    def _places(self, keys: Keys, *, persons: bool) -> Iterator[tuple[Files, Keys]]:
        """Where the latest rows of each key are: in the last delta that decided it, or the base."""
        for delta in reversed(self._manifest.deltas):
            if not len(keys):
                return
            decided = self._decided(delta.files.get(REPLACED.name), keys, persons=persons)
            yield {name: (file,) for name, file in delta.files.items()}, decided
            keys = np.setdiff1d(keys, decided, assume_unique=True)
        base = {**self._manifest.tables, IDENTITY.name: self._manifest.base.identity}
        bucket = buckets_of(keys, self._manifest.base.buckets)
        for number in np.unique(bucket).tolist():
            files = {
                name: tuple(file for file in entry.files if file.bucket == number)
                for name, entry in base.items()
            }
            yield files, keys[bucket == number]

    def _decided(self, file: TableFile | None, keys: Keys, *, persons: bool) -> Keys:
        """Those of the keys that a delta decides anew."""
        if file is None:  # its events concern nobody
            return keys[:0]
        found = [
            rows.filter(rows["rader"])[PERSON_KEY] if persons else rows[PERSON_KEY]
            for rows in self._rows(file, keys, ["rader", PERSON_KEY])
        ]
        pieces = [column.to_numpy() for column in found]
        return distinct(np.concatenate(pieces)) if pieces else keys[:0]

    def _rows(self, file: TableFile, keys: Keys, columns: list[str]) -> Iterator[pa.Table]:
        if not len(keys) or not file.rows:
            return
        read = list(dict.fromkeys([*columns, PERSON_KEY]))
        rows = read_parts(self._store, file.key, file, read, lambda told: _row_groups(told, keys))
        mine = among(rows[PERSON_KEY].to_numpy(), keys)
        yield rows.filter(pa.array(mine)).select(columns)


def _row_groups(metadata: pq.FileMetaData, keys: Keys) -> list[int]:
    """Those that may hold one of the keys."""
    names = [metadata.schema.column(index).name for index in range(metadata.num_columns)]
    column = names.index(PERSON_KEY)
    wanted = []
    for group in range(metadata.num_row_groups):
        told = metadata.row_group(group).column(column).statistics
        first, last = np.searchsorted(keys, [told.min, told.max + 1])
        if first < last:
            wanted.append(group)
    return wanted
