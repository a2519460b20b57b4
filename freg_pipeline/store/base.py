"""The protocol that every store follows."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from freg_pipeline.errors import ObjectMissingError
from freg_pipeline.store.readers import Reading


class Store(Protocol):
    """Immutable objects under ``/``-separated keys. Safe for many processes at once."""

    @property
    def location(self) -> str:
        """The folder or URL that the keys are under; fit to be shown."""
        ...

    @property
    def reading(self) -> Reading:
        """How readers get at it."""
        ...

    @property
    def filesystem(self) -> Any:
        """A ``pyarrow.fs.FileSystem`` to read by; paths in it come from :meth:`path`."""
        ...

    def path(self, key: str) -> str:
        """The path of ``key`` in :attr:`filesystem`."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        ...

    @property
    def at_once(self) -> int:
        """How many requests are worth having under way at the same time; 1: none waits."""
        ...

    def read(self, key: str) -> bytes:
        """The whole object. Raises ObjectMissingError."""
        ...

    def recall(self, key: str) -> bytes:
        """As :meth:`read`, of an object that is never replaced by another one.

        What this process read or wrote a moment ago needn't be asked for again.
        """
        ...

    def read_ranges(self, key: str, ranges: Iterable[tuple[int, int]]) -> list[bytes]:
        """Bytes of an object that is never replaced, each from a place up to another.

        Fewer where it ends before that. Raises as :meth:`open_file`.
        """
        ...

    def open_file(self, key: str, size: int) -> Any:
        """A ``pyarrow.NativeFile`` over a table's file of so many bytes, which is never replaced.

        Raises:
            OSError: as pyarrow raises it, FileNotFoundError among them.
            StoreError: it can't be read.
        """
        ...

    def write(self, key: str, data: bytes) -> bool:
        """Write an object once and whole. False: it was there already, and stays as it was."""
        ...

    def put_file(self, key: str, source: Path) -> bool:
        """As :meth:`write`, from a local file, which is gone once it is written."""
        ...

    def replace(self, key: str, data: bytes) -> None:
        """Swap the object atomically: readers see the old or the new one."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """The folders right under a folder (``prefix``, which ends in ``/``), by name, sorted.

        Costs as much as there are, whatever lies in them.
        """
        ...

    def list(self, prefix: str) -> list[str]:
        """All keys that begin with ``prefix`` (a folder and ``/``, or a key's start), sorted."""
        ...

    def recall_list(self, folder: str) -> builtins.list[str]:
        """As :meth:`list`, of a folder (it ends in ``/``) in which little happens.

        What this process found a moment ago needn't be asked for again, but for what it has written
        or removed there since. What others do there shows by and by.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        ...

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove objects in no order, those that are there; who dies on the way leaves some."""
        ...

    def open_to_readers(self) -> None:
        """See that readers, and nobody else, may read what is there for them. Raises StoreError."""
        ...

    def scratch(self) -> AbstractContextManager[Path]:
        """A private local folder for files under construction, gone afterwards."""
        ...

    def sweep(self) -> None:
        """Remove what killed processes have left under construction, however young."""
        ...


def is_there(store: Store, key: str) -> bool:
    """Whether an object is there that is never replaced, and is mostly read next."""
    try:
        store.recall(key)
    except ObjectMissingError:
        return False
    return True
