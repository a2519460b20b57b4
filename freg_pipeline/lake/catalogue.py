"""``freg.duckdb``: the views over the current release in a file that anyone opens read-only."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import duckdb
from fsspec.implementations.arrow import ArrowFSWrapper  # type: ignore[import-untyped]

from freg_pipeline.errors import ResourceError, StoreError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.journal.manifest import Manifest, require_current
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import add_views, parquet_files
from freg_pipeline.lake.sql import quoted
from freg_pipeline.lake.tables import described
from freg_pipeline.lake.views import comments
from freg_pipeline.store import Store
from freg_pipeline.store.local import sync_to_disk

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

    Raises:
        ConfigurationError: there is no release yet.
        StoreError: the file can't be written.
    """
    manifest = require_current(store)
    target = catalogue_path(store)
    temporary = target.with_name(f".{FILE}.{os.getpid()}")
    try:
        _write(temporary, store, manifest)
        temporary.replace(target)
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
    finally:
        with contextlib.suppress(OSError):  # what went wrong is told by then
            temporary.unlink(missing_ok=True)
    return target


def _write(path: Path, store: Store, manifest: Manifest) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)  # says so if the folder can't be written; DuckDB makes its own file
    path.unlink()
    with contextlib.closing(duckdb.connect()) as connection:
        if store.location.startswith("s3://"):
            # A view is bound when it is made: DuckDB must see the files, without its httpfs.
            connection.register_filesystem(ArrowFSWrapper(store.filesystem))
        attach = f"ATTACH {quoted(str(path))} AS freg (STORAGE_VERSION {quoted(STORAGE_VERSION)})"
        connection.execute(attach)
        connection.execute("USE freg")
        connection.execute("BEGIN")  # as one: each statement of its own would wait for the disk
        add_views(connection, store, manifest, parquet_files(store))
        for statement in comments(described(load_plan(store, manifest.contract))):
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("DETACH freg")
    path.chmod(0o600)
    sync_to_disk(path)
