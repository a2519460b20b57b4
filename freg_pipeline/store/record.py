"""Reading the small JSON objects that record what has been done."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from freg_pipeline.errors import StoreError
from freg_pipeline.store.base import Store

T = TypeVar("T")


def read_record(store: Store, key: str, kind: type[T]) -> T:
    """Return the record under a key.

    Args:
        store: where it lies.
        key: its key, which is shown in the error.
        kind: the type that it was written from.

    Raises:
        ObjectMissingError: it isn't there.
        StoreError: it is no such record.
    """
    try:
        return msgspec.json.decode(store.read(key), type=kind)
    except msgspec.ValidationError:
        raise StoreError(
            f"{key} in {store.location} was written by another version of freg_pipeline",
            "Use that version, or begin in an empty folder",
        ) from None
    except msgspec.DecodeError:
        raise StoreError(
            f"{key} in {store.location} is damaged", "Restore it from a copy"
        ) from None
