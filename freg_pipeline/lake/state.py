"""Look-ups of single persons in a release: what it knows of the few that a delta touches.

Files are sorted by the persons' keys, so that a file's own statistics tell which of its row groups
to read.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.kept import read_parts
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.lake.keys import among, buckets_of, distinct
from freg_pipeline.lake.tables import IDENTITY, PERSON, PERSON_KEY, RECORDED_COLUMN, REPLACED
from freg_pipeline.lake.tally import TALLY, Tally, tally_again, tally_of
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)

Keys = npt.NDArray[np.int64]
Files = Mapping[str, tuple[TableFile, ...]]  # by table
Place = tuple[Files, Keys]
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
        places, left = self._in_deltas(keys, persons=True)
        rows = [*self._of(places, PERSON.name, _PERSON_SCHEMA.names)]
        rows += self._of_base(left, _PERSON_SCHEMA.names)
        return pa.concat_tables([_PERSON_SCHEMA.empty_table(), *rows])

    def identity(self, keys: Keys) -> pa.Table:
        """Rows of who claims which number, under the numbers that have these keys."""
        places, left = self._in_deltas(keys, persons=False)
        rows = self._of([*places, *self._in_base(left)], IDENTITY.name, IDENTITY.schema.names)
        return pa.concat_tables([IDENTITY.schema.empty_table(), *rows])

    def count(self, names: Iterable[str], keys: Keys, *, persons: bool) -> dict[str, int]:
        """How many rows of some tables are under these keys, as readers see them.

        What a base or a delta holds of a person is told by its tally. Of other files, and where a
        delta's tally is damaged, the keys are read alone, and of these what may hold one of them.

        Args:
            names: the tables.
            keys: whose rows, ascending.
            persons: the tables' rows are replaced by person; else by number.
        """
        names = [*names]
        places, left = self._in_deltas(keys, persons=persons)
        if persons:
            return self._told(names, places) + self._counted(names, left)
        return self._keys_of([*places, *self._in_base(left)], names)

    def _of(self, places: Iterable[Place], name: str, columns: list[str]) -> Iterator[pa.Table]:
        """The rows of a table, each place's by its own keys."""
        for files, mine in places:
            for file in files.get(name, ()):
                yield from self._rows(file, mine, columns)

    def _in_deltas(self, keys: Keys, *, persons: bool) -> tuple[list[Place], Keys]:
        """Where the latest rows of each key are: in the last delta that decided it.

        Returns:
            The places, and the keys that no delta decided.
        """
        places: list[Place] = []
        for delta in reversed(self._manifest.deltas):
            if not len(keys):
                break
            decided = self._decided(delta.files.get(REPLACED.name), keys, persons=persons)
            places.append(({name: (file,) for name, file in delta.files.items()}, decided))
            keys = np.setdiff1d(keys, decided, assume_unique=True)
        return places, keys

    def _in_base(self, keys: Keys) -> list[Place]:
        """Where in the base the rows of keys are."""
        base = {**self._manifest.tables, IDENTITY.name: self._manifest.base.identity}
        return [
            (
                {
                    name: tuple(file for file in entry.files if file.bucket == number)
                    for name, entry in base.items()
                },
                mine,
            )
            for number, mine in self._by_bucket(keys)
        ]

    def _by_bucket(self, keys: Keys) -> list[tuple[int, Keys]]:
        bucket = buckets_of(keys, self._manifest.base.buckets)
        return [(number, keys[bucket == number]) for number in np.unique(bucket).tolist()]

    def _told(self, names: Iterable[str], places: Iterable[Place]) -> Counter[str]:
        """How many rows deltas have of persons, by table."""
        total = Counter[str]()
        for files, mine in places:
            here = [name for name in names if name in files]
            try:
                total += _summed(
                    rows for file in files[TALLY] for rows in self._rows(file, mine, here)
                )
            except DamagedError as error:
                logger.warning("%s; the rows are counted instead", error.what)
                total += self._keys_of([(files, mine)], here)
        return total

    def _keys_of(self, places: list[Place], names: Iterable[str]) -> Counter[str]:
        """How many rows there are by the keys in tables' own files."""
        return Counter(
            {name: sum(map(len, self._of(places, name, [PERSON_KEY]))) for name in names}
        )

    def _counted(self, names: Iterable[str], keys: Keys) -> Counter[str]:
        """How many rows the base has of persons, by table."""
        return _summed(self._of_base(keys, [name for name in names if name in self._tally.tables]))

    def _of_base(self, keys: Keys, columns: list[str]) -> list[pa.Table]:
        """What the base's tally tells of persons."""
        for _ in range(2):
            told = {file.bucket: file for file in self._tally.files}
            found = [(told[one], mine) for one, mine in self._by_bucket(keys) if one in told]
            try:
                return [rows for file, mine in found for rows in self._rows(file, mine, columns)]
            except DamagedError:
                self._tally = tally_again(self._store, self._manifest)
        raise AssertionError  # it was made just now

    @cached_property
    def _tally(self) -> Tally:
        return tally_of(self._store, self._manifest)

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


def _summed(counts: Iterable[pa.Table]) -> Counter[str]:
    total = Counter[str]()
    for one in counts:
        total.update({name: pc.sum(one[name]).as_py() or 0 for name in one.column_names})
    return total


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
