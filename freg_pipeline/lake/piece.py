"""A bucket of persons: the files of all tables that are staged by batch."""

from __future__ import annotations

import hashlib
import time
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
from freg_pipeline.lake.layout import layouts
from freg_pipeline.lake.merging import Merging
from freg_pipeline.lake.room import side_by_side
from freg_pipeline.lake.rows import Origin, is_own
from freg_pipeline.lake.staging import Staging
from freg_pipeline.store import Store, read_record, write_record


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
        self._layouts = {one.name: one for one in layouts(contract) if not is_own(one)}
        documents = _documents(store, uttrekk, plan, bucket)
        parts = uttrekk.request.parts
        origin = Origin(uttrekk.name, uttrekk.sekvensnummer)
        self._merging = Merging(self._staging, contract, parts, documents, origin)

    def tables(self) -> dict[str, TableFile]:
        """Write each table's file.

        A table without rows has a file in the first bucket, and not in the others.
        """
        sizes = {name: self._staging.size(name) for name in self._layouts}
        return side_by_side(self._store, sizes, self._write, self._keep)

    def _write(self, table: str) -> Path | None:
        layout = self._layouts[table]
        rows = self._merging.of_table(layout)
        if not len(rows) and self._bucket:
            return None
        return write_bucket(self._folder, layout, self._bucket, rows)

    def _keep(self, table: str, path: Path) -> TableFile:
        key = file_key(self._uttrekk, table, self._bucket)
        return keep_file(self._store, key, self._bucket, path)


def _documents(store: Store, uttrekk: Uttrekk, plan: BasePlan, bucket: int) -> Documents:
    key = documents_key(uttrekk, bucket)
    content = store.read(key)
    if hashlib.sha256(content).hexdigest() != plan.documents[bucket]:
        raise damaged(store, key)
    return Documents.from_bytes(content)
