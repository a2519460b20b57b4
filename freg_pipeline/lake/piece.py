"""A bucket of persons: the files of all tables that are staged by batch."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from freg_pipeline.journal.kept import damaged, require_whole
from freg_pipeline.journal.manifest import TableFile
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.base import (
    BasePlan,
    MadePiece,
    documents_key,
    file_key,
    piece_key,
    plan_key,
)
from freg_pipeline.lake.documents import Documents
from freg_pipeline.lake.files import keep_file, write_bucket
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import FileLayout, layouts
from freg_pipeline.lake.merging import Merging
from freg_pipeline.lake.room import Room
from freg_pipeline.lake.rows import Origin, is_own
from freg_pipeline.lake.staging import Staging
from freg_pipeline.store import Store, read_record, write_record

AT_ONCE = 2  # tables that are merged side by side: Arrow works without Python's lock
MERGED_BYTES = 192 * 1024**2  # of their rows, all together; a table that has more is alone


def make_piece(
    store: Store, uttrekk: Uttrekk, staging: Staging, plan: BasePlan, bucket: int
) -> MadePiece:
    """Make the files of a bucket, unless they are there.

    Args:
        store: where they go.
        uttrekk: whose base it is.
        staging: its batches' tables; they must be those that the plan was made of.
        plan: of the base.
        bucket: which one.

    Raises:
        DamagedError: a file is damaged, or gone; or the staging tables have landed anew since, so
            that the plan no longer holds.
    """
    if staging.fingerprint != plan.staging:
        raise damaged(store, plan_key(uttrekk))
    key = piece_key(uttrekk, bucket)
    if store.exists(key):
        return _found(store, key, plan)
    began = time.monotonic()
    with store.scratch() as folder:
        work = _Piece(store, uttrekk, staging, plan, bucket, folder)
        files = work.tables()
    made = MadePiece(plan.staging, files, round(time.monotonic() - began, 3))
    return made if write_record(store, key, made) else read_record(store, key, MadePiece)


def _found(store: Store, key: str, plan: BasePlan) -> MadePiece:
    """A piece that was made before, once all of it is known to be as it was written."""
    made = read_record(store, key, MadePiece)
    if made.staging != plan.staging:
        raise damaged(store, key)
    require_whole(store, ((file.key, file) for file in made.files.values()))
    return made


class _Piece:
    def __init__(
        self,
        store: Store,
        uttrekk: Uttrekk,
        staging: Staging,
        plan: BasePlan,
        bucket: int,
        folder: Path,
    ) -> None:
        self._store = store
        self._uttrekk = uttrekk
        self._bucket = bucket
        self._folder = folder
        self._staging = staging.of_bucket(bucket, plan.buckets)
        contract = load_plan(store, uttrekk.request.contract)
        self._layouts = [layout for layout in layouts(contract) if not is_own(layout)]
        documents = _documents(store, uttrekk, plan, bucket)
        parts = uttrekk.request.parts
        origin = Origin(uttrekk.name, uttrekk.sekvensnummer)
        self._merging = Merging(self._staging, contract, parts, documents, origin)
        self._room = Room(MERGED_BYTES)

    def tables(self) -> dict[str, TableFile]:
        """Write each table's file, the largest first.

        A table without rows has a file in the first bucket, and not in the others.
        """
        sizes = {layout.name: self._staging.size(layout.name) for layout in self._layouts}
        by_size = sorted(self._layouts, key=lambda layout: -sizes[layout.name])
        with ThreadPoolExecutor(AT_ONCE) as pool:
            work = {
                layout.name: pool.submit(self._table, layout, sizes[layout.name])
                for layout in by_size
            }
        found = {layout.name: work[layout.name].result() for layout in self._layouts}
        return {name: file for name, file in found.items() if file is not None}

    def _table(self, layout: FileLayout, size: int) -> TableFile | None:
        with self._room.of(size):
            rows = self._merging.of_table(layout)
            if not len(rows) and self._bucket:
                return None
            path = write_bucket(self._folder, layout, self._bucket, rows)
        key = file_key(self._uttrekk, layout.name, self._bucket)
        return keep_file(self._store, key, self._bucket, path)


def _documents(store: Store, uttrekk: Uttrekk, plan: BasePlan, bucket: int) -> Documents:
    key = documents_key(uttrekk, bucket)
    content = store.read(key)
    if hashlib.sha256(content).hexdigest() != plan.documents[bucket]:
        raise damaged(store, key)
    return Documents.from_bytes(content)
