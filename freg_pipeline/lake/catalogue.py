"""``freg.duckdb``: the views over the current release in a file that anyone opens read-only."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb
from fsspec.implementations.arrow import ArrowFSWrapper  # type: ignore[import-untyped]

from freg_pipeline.errors import ResourceError, StoreError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import current_number, require_current
from freg_pipeline.lake.query import add_comments, add_views, parquet_files
from freg_pipeline.lake.sql import quoted
from freg_pipeline.store import Store
from freg_pipeline.store.local import scratch_beside, sync_to_disk

FILE = "freg.duckdb"
# DuckDB 1.5 is still widespread, and can't open what DuckDB 2 writes unless told so.
STORAGE_VERSION = "v1.2.0"


def catalogue_path(store: Store) -> Path:
    """Where the catalogue lies: at a local store's root; for S3 where the command runs."""
    if store.location.startswith("s3://"):
        return Path.cwd() / FILE
    return Path(store.location) / FILE


def refresh_catalogue(store: Store) -> Path:
    """Write the catalogue anew for the current release, and swap it in atomically.

    Views name files by their absolute paths, so that the catalogue works from any folder. For a
    store on S3 they name ``s3://`` addresses, which whoever opens the file reads with DuckDB's
    httpfs extension and credentials of their own. Neither writing the catalogue nor ``freg sql``
    needs an extension: there pyarrow reads.

    Of several who do so at once, none leaves it a release behind: each looks once more after its
    swap whether what it has put there is still current.

    Raises:
        ConfigurationError: there is no release yet.
        StoreError: the file can't be written.
    """
    manifest = require_current(store)
    while True:
        try:
            path = _swap_in(store, manifest)
        except StoreError:
            if _is_current(store, manifest):
                raise
        else:
            if _is_current(store, manifest):
                return path
        manifest = require_current(store)  # another one was published meanwhile


def _is_current(store: Store, manifest: Manifest) -> bool:
    return current_number(store) == manifest.number


def _swap_in(store: Store, manifest: Manifest) -> Path:
    target = catalogue_path(store)
    try:
        with _beside(store, target) as folder:
            made = folder / FILE
            _write(made, store, manifest)
            made.replace(target)
        sync_to_disk(target.parent)
    except duckdb.Error as error:
        raise foreseen(error) or StoreError(
            f"the catalogue of release {manifest.number} can't be made",
            f"See whether the release is whole: freg release verify {manifest.number}",
        ) from None
    except OSError as error:
        known = foreseen(error)
        if isinstance(known, ResourceError):
            raise known from None
        raise StoreError(
            f"{target} can't be written: {error.strerror or type(error).__name__}",
            "Give the folder to the user that runs this, with space on its disk",
        ) from None
    return target


def _beside(store: Store, target: Path) -> contextlib.AbstractContextManager[Path]:
    """A private folder from which a file can be moved to its place."""
    if store.location.startswith("s3://"):
        return scratch_beside(target)
    return store.scratch()


def _write(path: Path, store: Store, manifest: Manifest) -> None:
    with contextlib.closing(duckdb.connect()) as connection:
        if store.location.startswith("s3://"):
            # A view is bound when it is made: DuckDB must see the files, without its httpfs.
            connection.register_filesystem(ArrowFSWrapper(store.filesystem))
        attach = f"ATTACH {quoted(str(path))} AS freg (STORAGE_VERSION {quoted(STORAGE_VERSION)})"
        connection.execute(attach)
        connection.execute("USE freg")
        connection.execute("BEGIN")  # as one: each statement of its own would wait for the disk
        add_views(connection, store, manifest, parquet_files(store))
        add_comments(connection, store, manifest)
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("DETACH freg")
    path.chmod(0o600)
    sync_to_disk(path)
