"""``freg.duckdb``: the views over the current release in a file that anyone opens read-only."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import duckdb

from freg_pipeline.errors import StoreError
from freg_pipeline.foreseen import foreseen, shortage
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.place import catalogue_path, lies_in
from freg_pipeline.lake.query import add_comments, add_views
from freg_pipeline.lake.roots import FILE, VARIABLE, Root
from freg_pipeline.lake.sources import columns_of_files
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.lake.whole import unreadable
from freg_pipeline.store import Store
from freg_pipeline.store.local import sync_to_disk
from freg_pipeline.store.scratch import scratch_beside

# DuckDB 1.5 is still widespread, and can't open what DuckDB 2 writes unless told so.
STORAGE_VERSION = "v1.2.0"
# What someone who opened the old catalogue to write, and was killed, left beside it: DuckDB would
# apply that to the new one.
_LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
logger = logging.getLogger(__name__)


class _UnwritableError(StoreError):
    """The catalogue can't be put where it belongs."""


def renew_catalogue(store: Store, before: Manifest | None = None) -> Path | str | None:
    """Write the catalogue after a release was published, where that can be done.

    Of a new base what open table formats tell is written first: see
    :func:`freg_pipeline.lake.open_tables.renew`.

    Args:
        store: where the release lies.
        before: a release after which this was done; where the base is still the same, what is
            registered isn't looked at, unless settings ask for formats. None: it is.

    Raises:
        StoreError: the store's own can't be written. One that lies elsewhere is another matter: the
            release is there, and that it isn't shown is only told.
    """
    is_same = before is not None and before.base.folder == require_current(store).base.folder
    if store.reading.formats or not is_same:
        from freg_pipeline.lake.open_tables import renew

        renew(store, store.reading.formats)
    try:
        return refresh_catalogue(store)
    except _UnwritableError as error:
        path = catalogue_path(store)
        if path is None or lies_in(store, path):
            raise
        logger.warning("the release is published, but its catalogue isn't written: %s", error)
        return None


def refresh_catalogue(store: Store) -> Path | str:
    """Write the catalogue anew for the current release, and swap it in atomically.

    Views find the files where the catalogue lies that was opened, if it lies in the store; else,
    and attached to another database, where the store was when it was written: see
    :mod:`freg_pipeline.lake.roots`. For a store on S3 they name ``s3://`` addresses, which whoever
    opens the file reads with DuckDB's httpfs extension and credentials of their own. Neither
    writing the catalogue nor ``freg sql`` needs an extension: there pyarrow reads.

    Of several who do so at once, none leaves it a release behind: each looks once more after its
    swap whether what it has put there is still current.

    Returns:
        Where it lies: a file, or an address of S3.

    Raises:
        ConfigurationError: there is no release yet.
        StoreError: the file can't be written.
    """
    store.open_to_readers()
    manifest = require_current(store)
    while True:
        try:
            place = _make(store, manifest)
        except StoreError:
            if _is_current(store, manifest):
                raise
        else:
            if _is_current(store, manifest):
                return place
        manifest = require_current(store)  # another one was published meanwhile


def _is_current(store: Store, manifest: Manifest) -> bool:
    return current_number(store) == manifest.number


def _make(store: Store, manifest: Manifest) -> Path | str:
    """Make it for a release, and put it in its place; returns where that is."""
    target = catalogue_path(store)
    location = store.reading.root or store.location
    root = Root(location, store.location, beside=target is not None and lies_in(store, target))
    try:
        with _beside(store, None if root.beside else target) as folder:
            made = folder / FILE
            _write(made, store, manifest, root)
            if target is None:
                return _send(store, made)
            for ending in _LOGS:
                target.with_name(target.name + ending).unlink(missing_ok=True)
            made.replace(target)
        sync_to_disk(target.parent)
    except duckdb.Error as error:
        raise foreseen(error) or unreadable(store, manifest) from None
    except OSError as error:
        raise shortage(error) or _UnwritableError(
            f"{target} can't be written: {error.strerror or type(error).__name__}",
            "Make the folder writable to the user that runs this, with space on its disk"
            if root.beside
            else "Name a place that can be written: FREG_CATALOGUE, or freg catalogue --output",
        ) from None
    return target


def _send(store: Store, made: Path) -> str:
    """Put it at the root of a store on S3."""
    place = f"{store.location}/{FILE}"
    try:
        store.replace(FILE, made.read_bytes())
    except StoreError as error:
        raise _UnwritableError(
            f"{place} can't be written: {error.what}",
            "Whoever may only read makes one of their own: freg catalogue --output FILE",
        ) from None
    return place


def _beside(store: Store, target: Path | None) -> contextlib.AbstractContextManager[Path]:
    """A private folder from which a file can be moved to its place; None: into the store."""
    if target is None:
        return store.scratch()
    store.reading.readers.make_folder(target.parent)
    return scratch_beside(target)


def _write(path: Path, store: Store, manifest: Manifest, root: Root) -> None:
    with contextlib.closing(duckdb.connect()) as connection:
        here = store.location
        if here.startswith("s3://"):
            from freg_pipeline.lake.far import without_rows  # only here: see query.readable_files

            # A view is bound when it is made, to columns that are known: S3 needn't be asked.
            connection.register_filesystem(without_rows(store, columns_of_files(store, manifest)))
        # Of this connection only, so that the files are found while views are made, and quickly.
        if root.location != here:
            connection.execute(f"SET VARIABLE {VARIABLE} = {quoted(here)}")
        elif root.beside:
            connection.execute(f"SET temp_directory = {quoted(root.spill())}")
        attach = f"ATTACH {quoted(str(path))} AS freg (STORAGE_VERSION {quoted(STORAGE_VERSION)})"
        connection.execute(attach)
        connection.execute("USE freg")
        connection.execute("BEGIN")  # as one: each statement of its own would wait for the disk
        connection.execute(f"CREATE SEQUENCE {identifier(root.mark)}")
        add_views(connection, store, manifest, root.reads)
        add_comments(connection, store, manifest)
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("DETACH freg")
    store.reading.readers.open_file(path)
    sync_to_disk(path)
