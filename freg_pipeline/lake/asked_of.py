"""The files that a query reads, looked at before it does. Nothing heavy is imported here.

DuckDB checks nothing: a bit that flipped gives other rows. A query of a small release, or one whose
rows are written to a file, is told of damage first. What takes longer to look through than a query
takes is read as it is: ``freg release verify`` tells (docs/decisions/0025).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from freg_pipeline.journal.files import damaged
from freg_pipeline.journal.releases import read_if_there
from freg_pipeline.lake.session import NUMBER
from freg_pipeline.store import Store

if TYPE_CHECKING:
    from freg_pipeline.journal.manifest import Manifest, TableFile

LOOKED_AT = 64 * 1024**2  # bytes: 35 ms
_PERSON = "person"  # other tables' views ask it who is protected


class AskedOf:
    """Looks at what queries of one release read, each file once.

    Args:
        store: where it lies.
        connection: over its tables, as yet without any of the user's own.
        state: the release, where it isn't that which the connection tells.
        everything: however large the files are.
    """

    def __init__(
        self,
        store: Store,
        connection: duckdb.DuckDBPyConnection,
        state: Manifest | None,
        *,
        everything: bool,
    ) -> None:
        self._store = store
        self._manifest = state
        if state is None:
            ((self._number,),) = connection.execute(NUMBER).fetchall()
        self._everything = everything
        self._whole: set[str] = set()

    def require_whole(self, tables: Collection[str]) -> None:
        """See that the files of tables and views are as they were written.

        Raises:
            DamagedError: one isn't, or is gone.
        """
        if self._store.location.startswith("s3://") and not self._everything:
            return
        if self._manifest is None:
            self._manifest = read_if_there(self._store, self._number)
            if self._manifest is None:  # purged since: DuckDB tells what is gone
                return
        files = [*_files(self._manifest, {*tables, _PERSON})]
        if self._everything or sum(file.bytes for file in files) <= LOOKED_AT:
            for file in files:
                self._look(file)

    def _look(self, file: TableFile) -> None:
        if file.key in self._whole:
            return
        if self._store.location.startswith("s3://"):
            from freg_pipeline.journal.kept import require_whole

            require_whole(self._store, [(file.key, file)])
        else:
            _require_whole_here(self._store, file)
        self._whole.add(file.key)


def _files(manifest: Manifest, tables: set[str]) -> Iterator[TableFile]:
    """Those of some tables; all, where one is a view or macro of several."""
    chosen = {*manifest.tables} if tables - {*manifest.tables} else tables
    for name in sorted(chosen):
        yield from manifest.tables[name].files
        for delta in manifest.deltas:
            if name in delta.files:
                yield delta.files[name]


def _require_whole_here(store: Store, file: TableFile) -> None:
    try:
        with Path(store.path(file.key)).open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        raise damaged(store, file.key, "gone") from None
    if digest != file.sha256:
        raise damaged(store, file.key)
