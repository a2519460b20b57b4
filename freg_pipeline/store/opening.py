"""The choice between stores: a local folder, or a prefix on S3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from freg_pipeline.store.base import Store
from freg_pipeline.store.readers import Readers, Reading

if TYPE_CHECKING:
    from freg_pipeline.settings import Settings


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name.

    Raises:
        ConfigurationError: FREG_READERS names nobody who can be given anything.
        StoreError: it can't be used; says why.
    """
    reading = Reading(
        Readers.named(settings.readers),
        settings.catalogue,
        settings.catalogue_root,
        settings.open_formats,
    )
    if settings.store.startswith("s3://"):
        from freg_pipeline.store.s3 import S3Store  # boto3 costs 0.3 s

        return S3Store(settings.store, endpoint=settings.s3_endpoint, reading=reading)
    from freg_pipeline.store.local import LocalStore

    return LocalStore(Path(settings.store), reading)
