"""A store in a local folder: temporary file, fsync, then a link under the final name."""

from __future__ import annotations

import builtins
import contextlib
import errno
import math
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from freg_pipeline.errors import FregError, ObjectMissingError, StoreError
from freg_pipeline.foreseen import shortage
from freg_pipeline.store.readers import (
    FOLDERS,
    Reading,
    is_for_readers,
    is_ours,
    require_closed,
)
from freg_pipeline.store.scratch import alone_in, held, sweep

_UNDER_CONSTRUCTION = ".tmp"  # on the same file system as the objects, so that a link is enough
_FOLDERS_REMEMBERED = 10_000
_FOLDER_SECONDS = 30  # for making a folder that others, who find it empty, remove


class LocalStore:
    """Objects as files under one folder, private to their owner but for what readers are given."""

    at_once = 1

    def __init__(self, root: Path, reading: Reading | None = None) -> None:
        self.reading = reading or Reading()
        self._readers = self.reading.readers
        self._root = root.absolute()
        self._tmp = self._root / _UNDER_CONSTRUCTION
        self._named: set[Path] = set()  # folders whose names are known to be on the disk
        self._is_ours = False
        require_closed(self._root)

    @cached_property
    def filesystem(self) -> Any:
        """A ``pyarrow.fs.LocalFileSystem``, made for those who read by it: a query doesn't."""
        import pyarrow.fs

        return pyarrow.fs.LocalFileSystem()

    @property
    def location(self) -> str:
        """The folder."""
        return str(self._root)

    def path(self, key: str) -> str:
        """The file's absolute path."""
        return str(self._file(key))

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        return self._file(key).is_file()

    def read(self, key: str) -> bytes:
        """The whole object. Raises ObjectMissingError."""
        try:
            return self._file(key).read_bytes()
        except FileNotFoundError:
            raise ObjectMissingError(key, self.location) from None
        except OSError as error:
            raise self._failure("read", error) from error

    def recall(self, key: str) -> bytes:
        """As :meth:`read`: that costs nothing here."""
        return self.read(key)

    def read_ranges(self, key: str, ranges: Iterable[tuple[int, int]]) -> list[bytes]:
        """Bytes of an object, each from a place up to another. Raises OSError."""
        with self._file(key).open("rb") as file:
            return [os.pread(file.fileno(), end - start, start) for start, end in ranges]

    def open_file(self, key: str, size: int) -> Any:
        """The file, to be read by pyarrow."""
        del size
        return self.filesystem.open_input_file(self.path(key))

    def write(self, key: str, data: bytes) -> bool:
        """Write an object once and whole. False: it was there already, and stays as it was."""
        if self.exists(key):
            return False
        with self._writing(), self._temporary(key, data) as temporary:
            return self._publish(temporary, key)

    def put_file(self, key: str, source: Path) -> bool:
        """As :meth:`write`, from a local file, which is gone afterwards."""
        with self._writing(), contextlib.ExitStack() as used:
            self._prepare()
            if source.stat().st_dev != self._tmp.stat().st_dev:
                moved = self._tmp / f"put-{os.getpid()}-{source.name}"
                with held(self._tmp):
                    moved.touch(mode=0o600)
                    used.enter_context(held(moved))
                shutil.copyfile(source, moved)
                source.unlink()
                source = moved
            self._allow(source, key)
            sync_to_disk(source)
            try:
                return self._publish(source, key)
            finally:
                source.unlink(missing_ok=True)

    def replace(self, key: str, data: bytes) -> None:
        """Swap the object atomically: readers see the old or the new one."""
        with self._writing(), self._temporary(key, data) as temporary:
            self._into_folder(key, temporary.replace)

    def folders(self, prefix: str) -> list[str]:
        """The folders right under a folder (``prefix``, which ends in ``/``), by name, sorted."""
        try:
            with os.scandir(self._file(prefix)) as found:
                names = [entry.name for entry in found if entry.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failure("read", error) from error
        return sorted(name for name in names if name != _UNDER_CONSTRUCTION)

    def list(self, prefix: str) -> list[str]:
        """All keys that begin with ``prefix``, sorted."""
        whole = not prefix or prefix.endswith("/")
        folder = self._root / prefix if whole else (self._root / prefix).parent
        keys: list[str] = []
        for parent, folders, names in os.walk(folder, onerror=self._unlisted):
            if _UNDER_CONSTRUCTION in folders:
                folders.remove(_UNDER_CONSTRUCTION)
            base = Path(parent).relative_to(self._root).as_posix()
            keys += [name if base == "." else f"{base}/{name}" for name in names]
        return sorted(key for key in keys if key.startswith(prefix))

    def _unlisted(self, error: OSError) -> None:
        """What is gone, or isn't for whoever reads, holds nothing for them; a file is no store."""
        if isinstance(error, NotADirectoryError) and not self._root.is_dir():
            raise self._failure("read", error) from error

    def recall_list(self, folder: str) -> builtins.list[str]:
        """As :meth:`list`: that costs nothing here."""
        return self.list(folder)

    def delete(self, key: str) -> None:
        """Remove the object, if it is there, and the folders that it leaves empty."""
        with self._writing():
            file = self._file(key)
            file.unlink(missing_ok=True)
            for folder in file.parents[: -len(self._root.parents) - 1]:
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    continue
                except OSError:  # it holds something
                    return

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove objects, one after the other."""
        for key in keys:
            self.delete(key)

    def open_to_readers(self) -> None:
        """See that readers, and nobody else, may read what is there for them."""
        with self._writing():
            self._readers.let_through(self._root)
            if not self._readers.are_settled(self._root):
                self._readers.settle(self._root)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder on the store's own file system, gone afterwards."""
        with self._writing():
            self._prepare()
        with contextlib.ExitStack() as used:
            with self._writing(), held(self._tmp):
                folder = Path(tempfile.mkdtemp(dir=self._tmp))
                used.callback(shutil.rmtree, folder, ignore_errors=True)
                used.enter_context(held(folder))
            yield folder

    def sweep(self) -> None:
        """Remove what killed processes have left under construction, however young."""
        if self._tmp.exists():
            with self._writing(), alone_in(self._tmp):
                sweep(self._tmp.iterdir(), made_seconds=-math.inf)

    def _allow(self, file: Path, key: str) -> None:
        """Give a file that isn't there yet to readers, if it is for them; else to nobody."""
        if is_for_readers(key):
            self._readers.open_file(file)
        else:
            file.chmod(0o600)

    def _file(self, key: str) -> Path:
        return self._root / key

    def _prepare(self) -> None:
        self._make_folder(self._tmp)
        sweep(self._tmp.iterdir())

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            # Another process made it first, or removed its parent, which was empty.
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                new.mkdir(mode=0o700)
                self._named.discard(new)
                if self._root.is_relative_to(new):
                    _sync_names(new.parent)

    def _sync_parents(self, folder: Path) -> None:
        """See that a folder's own name, and those of the folders above it, outlast a loss of power.

        And that readers may enter those that are for them, but for the topmost, which tell that
        all below is given (:meth:`open_to_readers`). Once something lies in it, since an empty one
        may be removed by others at any moment. Also of a folder that was there already: who made
        it may have been killed before doing so.
        """
        if len(self._named) > _FOLDERS_REMEMBERED:
            self._named.clear()
        for one in (folder, *folder.parents):
            if one == self._root:
                return
            if one not in self._named:
                name, *below = one.relative_to(self._root).parts
                if name in FOLDERS and below:
                    self._readers.open_folder(one)
                _sync_names(one.parent)
                self._named.add(one)

    @contextlib.contextmanager
    def _temporary(self, key: str, data: bytes) -> Iterator[Path]:
        self._make_folder(self._tmp)
        with contextlib.ExitStack() as used:
            with held(self._tmp):
                handle, name = tempfile.mkstemp(dir=self._tmp)  # mode 0600
                temporary = Path(name)
                used.callback(temporary.unlink, missing_ok=True)
                used.enter_context(held(temporary))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                self._allow(temporary, key)
                os.fsync(file.fileno())
            yield temporary

    def _publish(self, temporary: Path, key: str) -> bool:
        """Give the finished file its name. A link fails where a rename would overwrite."""
        try:
            self._into_folder(key, partial(os.link, temporary))
        except FileExistsError:
            return False
        return True

    def _into_folder(self, key: str, put: Callable[[Path], object]) -> None:
        """Make a key's folder and put something there; again if the folder is gone by then."""
        target = self._file(key)
        until = time.monotonic() + _FOLDER_SECONDS
        while time.monotonic() < until:
            self._make_folder(target.parent)
            with contextlib.suppress(FileNotFoundError):
                put(target)
                sync_to_disk(target.parent)
                self._sync_parents(target.parent)
                return
            time.sleep(random.uniform(0, 0.001))  # noqa: S311  # out of step with whoever removes it
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._is_ours = self._is_ours or is_ours(self._root)
            yield
        except OSError as error:
            raise self._failure("written", error) from error

    def _failure(self, verb: str, error: OSError) -> FregError:
        return shortage(error) or StoreError(
            f"the store {self._root} can't be {verb}: {error.strerror or type(error).__name__}",
            "Give FREG_STORE a folder that you own, with space on its disk",
        )


def _sync_names(folder: Path) -> None:
    """As :func:`sync_to_disk`, of a folder that may be another user's."""
    with contextlib.suppress(PermissionError):  # one may make folders where one may not look
        sync_to_disk(folder)


def sync_to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's names, would outlast a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
