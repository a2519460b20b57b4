"""Buckets of persons: the files of all tables that are staged by batch.

A bucket is a piece, whoever makes it. Who makes several reads what they share of a table once:
each batch holds most tables in a part or two, so that bucket by bucket it would be unpacked as
often as there are buckets.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from freg_pipeline.journal.files import damaged
from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.manifest import TableFile
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake import room
from freg_pipeline.lake.base import (
    BasePlan,
    MadePiece,
    documents_key,
    file_key,
    piece_key,
    plan_key,
)
from freg_pipeline.lake.documents import Documents, joined
from freg_pipeline.lake.files import keep_file, write_bucket
from freg_pipeline.lake.keys import stretch_of
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import layouts
from freg_pipeline.lake.merging import Merging
from freg_pipeline.lake.rows import Origin, is_own
from freg_pipeline.lake.staging import Staging
from freg_pipeline.store import Store, read_record, write_record

_TOGETHER = 8  # buckets at most; who is killed has made none of these


def make_pieces(
    store: Store, uttrekk: Uttrekk, staging: Staging, plan: BasePlan, buckets: Sequence[int]
) -> list[MadePiece]:
    """Make the files of buckets, but of those that are there; return what was made of each.

    Args:
        store: where they go.
        uttrekk: whose base it is.
        staging: its batches' tables; they must be those that the plan was made of.
        plan: of the base.
        buckets: which ones.

    Raises:
        DamagedError: a file is damaged, or gone; or the staging tables have landed anew since, so
            that the plan no longer holds.
    """
    if staging.fingerprint != plan.staging:
        raise damaged(store, plan_key(uttrekk))
    made = {}
    for bucket in buckets:
        key = piece_key(uttrekk, bucket)
        if store.exists(key):
            made[bucket] = _found(store, key, plan)
    rounds = _rounds(plan)
    for one in range(rounds):
        mine = [bucket for bucket in buckets if bucket % rounds == one and bucket not in made]
        if mine:
            made |= _made(store, uttrekk, staging, plan, mine)
    return [made[bucket] for bucket in buckets]


def _rounds(plan: BasePlan) -> int:
    """In how many rounds all buckets are made; round ``n`` has those that are ``n`` modulo it."""
    return max(1, plan.buckets // _TOGETHER)


def _found(store: Store, key: str, plan: BasePlan) -> MadePiece:
    """A piece that was made before, once all of it is known to be as it was written."""
    made = read_record(store, key, MadePiece)
    if made.staging != plan.staging:
        raise damaged(store, key)
    require_whole(store, ((file.key, file) for file in made.files.values()))
    return made


def _made(
    store: Store, uttrekk: Uttrekk, staging: Staging, plan: BasePlan, buckets: list[int]
) -> dict[int, MadePiece]:
    """Make buckets together."""
    began = time.monotonic()
    with store.scratch() as folder:
        by_table = _Pieces(store, uttrekk, staging, plan, buckets, folder).tables()
    seconds = round((time.monotonic() - began) / len(buckets), 3)
    made = {}
    for bucket in buckets:
        files = {name: one[bucket] for name, one in by_table.items() if bucket in one}
        key, piece = piece_key(uttrekk, bucket), MadePiece(plan.staging, files, seconds)
        made[bucket] = piece if write_record(store, key, piece) else _found(store, key, plan)
    return made


class _Share(NamedTuple):
    """What of a table is merged at once.

    Attributes:
        table: which.
        bucket: one that holds all the buckets merged, among fewer.
        among: how many of these there are.
        buckets: those merged, as batches hold them.
        bytes: of memory, that its rows take.
    """

    table: str
    bucket: int
    among: int
    buckets: tuple[int, ...]
    bytes: int


class _Pieces:
    def __init__(
        self,
        store: Store,
        uttrekk: Uttrekk,
        staging: Staging,
        plan: BasePlan,
        buckets: list[int],
        folder: Path,
    ) -> None:
        self._store = store
        self._uttrekk = uttrekk
        self._staging = staging
        self._plan = plan
        self._folder = folder
        self._buckets = sorted(buckets, key=lambda one: stretch_of(one, plan.buckets).start)
        documents = [_documents(store, uttrekk, plan, bucket) for bucket in self._buckets]
        self._starts = np.cumsum([0, *map(len, documents)]).tolist()
        self._documents = joined(documents)
        self._contract = load_plan(store, uttrekk.request.contract)
        self._layouts = {one.name: one for one in layouts(self._contract) if not is_own(one)}

    def tables(self) -> dict[str, dict[int, TableFile]]:
        """Write each table's files, by table and bucket.

        A table without rows has a file in the first bucket, and not in the others.
        """
        rounds = _rounds(self._plan)
        one = self._buckets[0] % rounds
        shares = [share for table in self._layouts for share in self._shares(table, one, rounds)]
        sizes = {share: share.bytes for share in shares}
        found: dict[str, dict[int, TableFile]] = {table: {} for table in self._layouts}
        for share, files in room.side_by_side(self._store, sizes, self._write, self._keep).items():
            found[share.table] |= files
        return found

    def _shares(self, table: str, bucket: int, among: int) -> Iterator[_Share]:
        """As few as there is room for, or as batches' parts of the table are fine."""
        mine = tuple(one for one in self._buckets if one % among == bucket)
        size = self._staging.of_bucket(bucket, among).size(table)
        halves = (bucket, bucket + among)
        if among < self._plan.buckets and (
            len(mine) == 1
            or (
                size > room.MERGED_BYTES // room.AT_ONCE
                and self._is_split(table, halves, among * 2, size)
            )
        ):
            for half in halves:
                yield from self._shares(table, half, among * 2)
        elif mine:
            yield _Share(table, bucket, among, mine, size)

    def _is_split(self, table: str, buckets: Iterable[int], among: int, size: int) -> bool:
        """Whether any of the buckets takes less than both: batches hold them apart."""
        staging = self._staging
        return any(staging.of_bucket(one, among).size(table) < size for one in buckets)

    def _write(self, share: _Share) -> dict[int, Path]:
        layout = self._layouts[share.table]
        made = zip(share.buckets, self._merging(share).of_table(layout), strict=True)
        return {
            bucket: write_bucket(self._folder, layout, bucket, rows)
            for bucket, rows in made
            if len(rows) or not bucket
        }

    def _merging(self, share: _Share) -> Merging:
        first = self._buckets.index(share.buckets[0])
        starts = self._starts[first : first + len(share.buckets) + 1]
        return Merging(
            self._staging.of_bucket(share.bucket, share.among),
            self._contract,
            self._uttrekk.request.parts,
            self._documents.between(starts[0], starts[-1]),
            Origin(self._uttrekk.name, self._uttrekk.sekvensnummer),
            [start - starts[0] for start in starts[1:-1]],
        )

    def _keep(self, share: _Share, made: dict[int, Path]) -> dict[int, TableFile]:
        return {
            bucket: keep_file(
                self._store, file_key(self._uttrekk, share.table, bucket), bucket, path
            )
            for bucket, path in made.items()
        }


def _documents(store: Store, uttrekk: Uttrekk, plan: BasePlan, bucket: int) -> Documents:
    key = documents_key(uttrekk, bucket)
    content = store.read(key)
    if hashlib.sha256(content).hexdigest() != plan.documents[bucket]:
        raise damaged(store, key)
    return Documents.from_bytes(content)
