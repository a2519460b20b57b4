"""Whether a release's files are as they were written, for whoever reads them by DuckDB.

It checks nothing itself: a bit that flipped gives other rows, or an error that names no file.
"""

from __future__ import annotations

from freg_pipeline.errors import FregError, StoreError
from freg_pipeline.journal.kept import require_whole
from freg_pipeline.journal.manifest import Manifest, TableFile
from freg_pipeline.store import Store


def require_whole_release(store: Store, manifest: Manifest) -> None:
    """See that all files of a release are as they were written, before they are read and copied.

    Raises:
        DamagedError: one isn't, or is gone.
        StoreError: one can't be read.
    """
    require_whole(store, ((file.key, file) for file in manifest.files()))


def files_of(
    manifest: Manifest, table: str, *, of_deltas: bool = False
) -> list[tuple[str, TableFile]]:
    """A table's files by their keys, or those only that deltas have brought."""
    entry = manifest.tables.get(table)
    base = () if of_deltas or entry is None else entry.files
    deltas = (delta.files.get(table) for delta in manifest.deltas)
    return [(file.key, file) for file in (*base, *deltas) if file is not None]


def unreadable(store: Store, *manifests: Manifest) -> FregError:
    """What to raise where files can't be read: which one is damaged or gone, by looking at all.

    Args:
        store: where they lie.
        manifests: the releases that were read.
    """
    for manifest in manifests:
        try:
            require_whole_release(store, manifest)
        except FregError as error:
            return error
    (first, *_) = manifests
    return StoreError(
        f"the files of release {first.number} can't be read, though they are whole",
        "Try again; somebody may have purged some of them meanwhile",
    )
