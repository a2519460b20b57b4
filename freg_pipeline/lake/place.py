"""Where the catalogue lies. Nothing heavy is imported."""

from __future__ import annotations

from pathlib import Path

from freg_pipeline.lake.roots import FILE
from freg_pipeline.store import Store
from freg_pipeline.store.own import data_folder


def catalogue_path(store: Store) -> Path | None:
    """The file that the catalogue is: as the settings say; else at a local store's root.

    None: it lies at the root of a store on S3, so that it is there for whoever may read that.
    """
    if store.reading.catalogue is not None:
        return store.reading.catalogue
    return None if store.location.startswith("s3://") else Path(store.location) / FILE


def lies_in(store: Store, target: Path) -> bool:
    """Whether a file is the catalogue at a local store's root."""
    if store.location.startswith("s3://") or target.name != FILE:
        return False
    return target.parent.resolve() == Path(store.location).resolve()


def notes_folder(store: Store) -> Path:
    """The folder on this machine for what its user notes of a store on S3, by bucket and prefix.

    In the user's own folder for data: wherever a command runs, it is the same one.
    """
    return data_folder() / store.location.removeprefix("s3://")
