"""What two checks find, by the files' whole numbers alone: rows are sorted by them.

Most releases are sound, and that is seen in a tenth of the time that SQL takes: a bucket's rows lie
in the order of their keys, so that those with the same ones are neighbours, and whose they are is
told by the hidden key. Where something is wrong, or numbers don't tell it (deltas hide rows of the
base), SQL counts.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.contract import Plan
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.lake.keys import among, distinct
from freg_pipeline.lake.layout import FileLayout, layouts
from freg_pipeline.lake.order import neighbours
from freg_pipeline.lake.tables import PERSON, PERSON_KEY
from freg_pipeline.store import Store

Keys = npt.NDArray[np.int64]


class Soundness:
    """Looks at a release's files.

    Args:
        store: where they lie.
        manifest: the release.
        plan: of its contract.
    """

    def __init__(self, store: Store, manifest: Manifest, plan: Plan) -> None:
        self._store = store
        self._tables = manifest.tables
        base_only = not manifest.deltas and manifest.contract == manifest.base.contract
        self._layouts = {one.name: one for one in layouts(plan) if one.keyed} if base_only else {}

    def are_unique(self, table: str) -> bool:
        """Whether no row has the keys of another; not: it isn't known."""
        layout = self._layouts.get(table)
        return layout is not None and all(
            self._ascend(file, layout) for file in self._tables[table].files
        )

    def have_persons(self, table: str) -> bool:
        """Whether each row belongs to a row of ``person``; not: it isn't known."""
        return table in self._layouts and all(
            among(self._keys(file), self._persons(file.bucket)).all()
            for file in self._tables[table].files
        )

    def _ascend(self, file: TableFile, layout: FileLayout) -> bool:
        rows = self._read(file, list(layout.keys))
        return neighbours([rows[name].to_numpy() for name in layout.keys]) == (True, 0)

    def _persons(self, bucket: int) -> Keys:
        return self._by_bucket.get(bucket, np.empty(0, np.int64))

    @cached_property
    def _by_bucket(self) -> dict[int, Keys]:
        return {file.bucket: self._keys(file) for file in self._tables[PERSON.name].files}

    def _keys(self, file: TableFile) -> Keys:
        return distinct(self._read(file, [PERSON_KEY])[PERSON_KEY].to_numpy())

    def _read(self, file: TableFile, columns: list[str]) -> pa.Table:
        with self._store.open_file(file.key, file.bytes) as opened:
            return pq.ParquetFile(opened).read(columns)
