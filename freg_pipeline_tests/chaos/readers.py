"""Readers, all the while: each sees a whole release, and of each release always the same."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import duckdb

_PAUSE_SECONDS = 1.0  # a look takes a tenth of a second of a core
_LOOKED_AT = ("person", "navn", "identifikasjonsnummer", "bostedsadresse", "hendelse")


class Readers:
    """Reads a catalogue again and again, in a thread.

    Args:
        catalogue: ``freg.duckdb``, which needn't be there yet; None: there is nothing to read.

    Attributes:
        seen: what each release showed when it was read first.
        wrong: what shouldn't be, in words, and how often it was so.
        reads: how often it was read.
    """

    def __init__(self, catalogue: Path | None) -> None:
        self._catalogue = catalogue
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read_on, daemon=True)
        self.seen: dict[str, Any] = {}
        self.wrong: dict[str, int] = {}
        self.reads = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()

    def _read_on(self) -> None:
        while not self._ending.wait(_PAUSE_SECONDS):
            if self._catalogue is not None and self._catalogue.exists():
                self._look_into(self._catalogue)

    def _look_into(self, catalogue: Path) -> None:
        with catalogue.open("rb") as file:  # held, so that no later one can have its inode
            try:
                self._read(catalogue)
            except duckdb.Error as error:
                # What was erased, or kept for no time, goes at once when readers have another
                # catalogue: whoever was amid the old one has to open the new one.
                if os.path.samestat(os.fstat(file.fileno()), catalogue.stat()):
                    self._note(f"a reader was told: {str(error).splitlines()[0][:200]}")

    def _read(self, catalogue: Path) -> None:
        with closing(duckdb.connect(str(catalogue), read_only=True)) as connection:
            connection.execute("SET threads = 1")
            release = connection.execute("SELECT nummer FROM utgivelse").fetchall()
            digests = [
                connection.execute(
                    f"SELECT count(*), sum(hash(read)) FROM {one} AS read"
                ).fetchall()
                for one in _LOOKED_AT
            ]
        self.reads += 1
        ((number,),) = release
        if self.seen.setdefault(number, digests) != digests:
            self._note(f"release {number} showed other rows than before")

    def _note(self, what: str) -> None:
        self.wrong[what] = self.wrong.get(what, 0) + 1
