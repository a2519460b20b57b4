"""Who may read beside the owner: the tables and the catalogue, and nothing else of a store.

What is for readers is a property of an object's name: the files of the tables, what tells which of
them make up a release, the contract that gives their columns, what other formats tell of them, and
the catalogue. Raw answers,
lists, orders, staging tables, who claims which number, and what Dagster keeps are the owner's alone
whatever is set.
"""

from __future__ import annotations

import contextlib
import grp
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from freg_pipeline.errors import ConfigurationError, StoreError

EVERYONE = "everyone"
FOLDERS = ("bases", "deltas", "releases", "contracts", "formats")
_READ = re.compile(
    r"bases/[^/]+/(?!(?:_identitet|_antall)/)[^/]+/\d+\.parquet|bases/[^/]+/_base\.json"
    r"|deltas/[^/]+/[^/]+/(?!(?:_identitet|_antall)\.)[^/]+\.parquet|deltas/[^/]+/[^/]+/_delta\.json"
    r"|bases/[^/]+/(?!_)[^/]+/_delta_log/\d+\.json|formats/.+"
    r"|releases/[^/]+/manifest\.json|releases/current\.json|contracts/[^/]+\.xsd"
)


def is_for_readers(key: str) -> bool:
    """Whether an object of a store is one that readers need."""
    return _READ.fullmatch(key) is not None


@dataclass(frozen=True)
class Readers:
    """Who may read.

    Attributes:
        group: the number of a group of this machine; None: no group.
        everyone: whoever has an account on it.
    """

    group: int | None = None
    everyone: bool = False

    @classmethod
    def named(cls, setting: str | None) -> Readers:
        """Readers by the name of a group, its number, or ``everyone``; None: nobody else.

        Raises:
            ConfigurationError: there is no such group, or one can't give it anything.
        """
        if not setting:
            return cls()
        if setting == EVERYONE:
            return cls(everyone=True)
        group = _group(setting)
        if os.geteuid() and group not in {os.getegid(), *os.getgroups()}:
            raise ConfigurationError(
                f"FREG_READERS names the group {setting}, and the user that runs this isn't in it",
                "Make that user a member of the group, and log in anew",
            )
        return cls(group)

    @property
    def file_mode(self) -> int:
        """Of a file that is for readers."""
        return 0o644 if self.everyone else 0o640 if self.group is not None else 0o600

    @property
    def folder_mode(self) -> int:
        """Of a folder that holds such files: those who may read in it may enter it."""
        return 0o755 if self.everyone else 0o750 if self.group is not None else 0o700

    def open_file(self, path: Path) -> None:
        """Give a file that is for readers to them, whatever the umask; to others no more."""
        _give(path, self.file_mode, self.group)

    def open_folder(self, path: Path) -> None:
        """The same of a folder."""
        _give(path, self.folder_mode, self.group)

    def make_folder(self, path: Path) -> None:
        """Make a folder, and those above it, if they aren't there; each for readers."""
        missing = [one for one in (path, *path.parents) if not one.exists()]
        for one in reversed(missing):
            with contextlib.suppress(FileExistsError):
                one.mkdir(mode=0o700)
                self.open_folder(one)

    def let_through(self, root: Path) -> None:
        """See that readers get through a store's root, which may be others' to list.

        Raises:
            StoreError: they don't, and the folder is another user's.
        """
        if self._can_enter(root):
            return
        mode = stat.S_IMODE(root.stat().st_mode)
        private = not mode & 0o070  # no other group has a use of it
        try:
            if self.group is not None and private:
                _give(root, mode | 0o050, self.group)
            else:
                root.chmod(mode | (0o005 if self.everyone else 0o001))
        except PermissionError:
            raise StoreError(
                f"those whom FREG_READERS names can't enter {root}, which is another user's",
                "Let its owner give them the right to enter it (chmod, chgrp)",
            ) from None

    def closed_folders(self, path: Path) -> list[Path]:
        """The folders on the way to a file that readers can't enter, from the top."""
        return [one for one in reversed(path.absolute().parents) if not self._can_enter(one)]

    def _can_enter(self, folder: Path) -> bool:
        """Whether they get through a folder; where there are none, nobody is kept out."""
        if self.group is None and not self.everyone:
            return True
        found = folder.stat()
        return bool(found.st_mode & 0o001 or (found.st_gid == self.group and found.st_mode & 0o010))

    def are_settled(self, root: Path) -> bool:
        """Whether everything for readers has been given to them, as :meth:`settle` leaves it.

        What is another user's counts as given: it is theirs to give, and readers, too, write
        catalogues of their own.
        """
        return all(map(self._is_given, self._roots(root)))

    def settle(self, root: Path) -> None:
        """Give readers what is there already, or take it from those who no longer are; roots last.

        So that whoever is killed in between leaves it to be done again: by those to whom it was
        given before, too, which is why a root that isn't given yet is closed first.
        """
        for top in self._roots(root):
            if not self._is_given(top):
                top.chmod(stat.S_IMODE(top.stat().st_mode) & ~0o077)
        for name in FOLDERS:
            for folder, _, files in os.walk(root / name, topdown=False):
                for file in files:
                    path = Path(folder, file)
                    if is_for_readers(path.relative_to(root).as_posix()):
                        with contextlib.suppress(FileNotFoundError):  # purged just now
                            self.open_file(path)
                with contextlib.suppress(FileNotFoundError):
                    self.open_folder(Path(folder))

    @staticmethod
    def _roots(root: Path) -> list[Path]:
        return [root / name for name in FOLDERS if (root / name).is_dir()]

    def _is_given(self, folder: Path) -> bool:
        found = folder.stat()
        if os.geteuid() not in {0, found.st_uid}:
            return True
        mine = self.group is None or found.st_gid == self.group
        return mine and stat.S_IMODE(found.st_mode) & 0o777 == self.folder_mode


@dataclass(frozen=True)
class Reading:
    """How readers get at a store.

    Attributes:
        readers: who may.
        catalogue: where the catalogue is written; None: the usual place.
        root: what readers call the store's root; None: the same as here.
        formats: the open table formats that each new base is registered in.
    """

    readers: Readers = field(default_factory=Readers)
    catalogue: Path | None = None
    root: str | None = None
    formats: tuple[str, ...] = ()


def require_closed(root: Path) -> None:
    """See that not everyone may write in a store: whoever can decides what readers see.

    Raises:
        StoreError: everyone may.
    """
    with contextlib.suppress(OSError):  # told by whoever reads or writes
        if root.stat().st_mode & stat.S_IWOTH:
            raise StoreError(
                f"the store {root} can be written by everyone on this machine",
                "Take that away (chmod o-w), and see that what is in it is yours",
            )


def is_ours(root: Path) -> bool:
    """Whether a store's folder is there, and one's own, or made by root for one.

    Raises:
        StoreError: it is another user's.
    """
    try:
        owner = root.stat().st_uid
    except FileNotFoundError:  # it is made, then
        return False
    if owner not in {os.geteuid(), 0} and os.geteuid():
        raise StoreError(
            f"the store {root} belongs to another user",
            "Run this as the user who keeps it (sudo -u), or name another FREG_STORE",
        )
    return True


def _group(setting: str) -> int:
    if setting.isascii() and setting.isdigit():
        return int(setting)
    try:
        return grp.getgrnam(setting).gr_gid
    except KeyError:
        raise ConfigurationError(
            f"FREG_READERS names {setting!r}, and there is no such group on this machine",
            f"Name a group or its number, or {EVERYONE}; or make the group (groupadd)",
        ) from None


def _give(path: Path, mode: int, group: int | None) -> None:
    """Set a file's or folder's group and mode; what is so already, perhaps another's, stays."""
    found = path.stat()
    if group is not None and found.st_gid != group:
        os.chown(path, -1, group)
        found = path.stat()  # which may have taken bits away
    if stat.S_IMODE(found.st_mode) & 0o777 != mode:
        path.chmod(mode | stat.S_IMODE(found.st_mode) & stat.S_ISGID)
