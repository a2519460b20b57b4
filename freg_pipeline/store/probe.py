"""Whether a store does what everything here rests on: tried with an object of its own."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from freg_pipeline.errors import StoreError
from freg_pipeline.outside import showable
from freg_pipeline.store.base import Store
from freg_pipeline.store.scratch import scratch_beside

_CONTENT = b"freg check writes, reads and removes this"


def probe(store: Store) -> None:
    """Write, list, read and remove an object, by each library that works with the store.

    Raises:
        StoreError: something of that can't be done, or the store writes over what is there.
    """
    key = f"check-{secrets.token_hex(8)}"
    store.write(key, _CONTENT)
    try:
        if store.write(key, _CONTENT[::-1]):
            raise StoreError(
                f"the store {store.location} ignores If-None-Match and overwrites what is "
                "there: two processes could destroy each other's work",
                "Use a service with conditional writes, such as AWS S3, MinIO or Ceph",
            )
        _require(store, store.read(key) == _CONTENT, "another content than was written")
        _require(store, store.list(key) == [key], "another list of objects than there are")
        _require(store, _read_by_pyarrow(store, key) == _CONTENT, "pyarrow another content")
    finally:
        store.delete(key)
    _require(store, not store.exists(key), "an object that was removed")


def require_removable(store: Store) -> None:
    """See that objects can be written and removed, before that is begun with.

    Raises:
        StoreError: they can't; nothing was done.
    """
    key = f"check-{secrets.token_hex(8)}"
    store.write(key, _CONTENT)
    try:
        store.delete(key)
    except (StoreError, OSError) as error:
        reason = str(error).rpartition(": ")[2] if isinstance(error, StoreError) else error.strerror
        raise StoreError(
            f"nothing can be removed from the store {store.location}: {reason}",
            "Let the account remove objects (on S3: s3:DeleteObject); nothing was done",
        ) from None


def require_writable(folder: Path) -> None:
    """See that files can be made in a folder, or, where it isn't there, that it can be made.

    Nothing is left there.

    Raises:
        OSError: they can't.
    """
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if there == folder:
        with scratch_beside(folder / "check"):
            return
    if not os.access(there, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def _read_by_pyarrow(store: Store, key: str) -> bytes:
    try:
        with store.filesystem.open_input_file(store.path(key)) as file:
            content: bytes = file.read()
    except OSError as error:
        raise StoreError(
            f"the store {store.location} can be written, but pyarrow, which reads the tables, "
            f"can't read it: {showable(str(error))}",
            "Check proxies and firewalls: it was given the endpoint, region, credentials and "
            "certificates by which the object was written",
        ) from None
    return content


def _require(store: Store, right: bool, what: str) -> None:  # noqa: FBT001  what is required
    if not right:
        raise StoreError(
            f"the store {store.location} gives {what}",
            "Use one with read-after-write consistency, such as AWS S3, MinIO or Ceph",
        )
