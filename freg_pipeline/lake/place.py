"""Where the catalogue lies. Nothing heavy is imported."""

from __future__ import annotations

import os
from pathlib import Path

from freg_pipeline.lake.roots import FILE
from freg_pipeline.store import Store


def catalogue_path(store: Store) -> Path:
    """Where the catalogue lies: as the settings say; else at a local store's root.

    That of a store on S3 lies in the folder for data of the user who runs this, by bucket and
    prefix: wherever a command runs, it is the same one.
    """
    if store.reading.catalogue is not None:
        return store.reading.catalogue
    if store.location.startswith("s3://"):
        data = os.environ.get("XDG_DATA_HOME") or _home() / ".local" / "share"
        return Path(data, "freg", store.location.removeprefix("s3://"), FILE)
    return Path(store.location) / FILE


def _home() -> Path:
    """The user's; of a container's user whom it doesn't know, one that can't be written."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")  # as Debian calls it
