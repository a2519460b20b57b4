"""An uttrekk of a list of one's own: its batches are written here, and nothing is ordered.

What follows is the same as for every uttrekk. A number that isn't well formed is reported by its
line, and the others go on; one that stands twice is accounted for as a duplicate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.errors import ConfigurationError, ObjectMissingError
from freg_pipeline.extract.batches import BATCH, close_batches, packed_batch
from freg_pipeline.extract.listfile import read_list, written_number
from freg_pipeline.extract.order import NO_CONDITIONS, Approval, open_uttrekk
from freg_pipeline.identifiers import parse
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, read_record, write_record

REPORTED = 100  # malformed entries that are told one by one; the rest are counted


class Malformed(msgspec.Struct, frozen=True):
    """What in a list is no identity number.

    Attributes:
        count: how many entries.
        first: line and reason of the first ones. No digit of them.
    """

    count: int
    first: list[tuple[int, str]]


class ListeKriterier(msgspec.Struct, frozen=True):
    """Which list it was: by its content, so that the same list is gone on with.

    Attributes:
        antall: well-formed numbers in it.
        sha256: of the numbers in their order.
    """

    kind: ClassVar[Literal["liste"]] = "liste"

    antall: int
    sha256: str

    def to_register(self) -> dict[str, Any]:
        """As the request records it; the register never gets it."""
        return {"antall": self.antall, "sha256": self.sha256}


@dataclass
class _Taken:
    """A list under way: full batches lie in a folder, the last one is here."""

    folder: Path
    batches: list[Path] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)
    malformed_count: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()

    def take(self, line: int, text: str) -> None:
        try:
            number = parse(written_number(text)).number
        except ValueError as error:
            self.malformed_count += 1
            if len(self.malformed) < REPORTED:
                self.malformed.append((line, str(error)))
            return
        self.count += 1
        self._hash.update(number.encode())
        self.waiting.append(number)
        if len(self.waiting) == BATCH:
            self.put_away()

    def put_away(self) -> None:
        if self.waiting:
            path = self.folder / f"{len(self.batches):06d}"
            path.write_bytes(packed_batch("foedselsEllerDNummer", self.waiting))
            self.batches.append(path)
            self.waiting = []

    @property
    def kriterier(self) -> ListeKriterier:
        return ListeKriterier(self.count, self._hash.hexdigest())


async def open_liste(
    store: Store,
    register: Register,
    settings: Settings,
    source: Path,
    *,
    column: str | None = None,
    name: str | None = None,
    approval: Approval = NO_CONDITIONS,
) -> Uttrekk:
    """Return the uttrekk of a list, with all its batches written.

    Args:
        store: where it lies.
        register: whom to ask for the contract and the feed's position.
        settings: environment, package and parts.
        source: the file, as :func:`freg_pipeline.extract.listfile.read_list` takes it.
        column: the column with the numbers.
        name: as for :func:`freg_pipeline.extract.order.open_uttrekk`; the same list under way is
            gone on with.
        approval: as for open_uttrekk.

    Raises:
        ConfigurationError: the list can't be read or holds no identity number; or as open_uttrekk.
    """
    with store.scratch() as folder:
        taken = _take(folder, read_list(source, column))
        uttrekk = await open_uttrekk(
            store, register, settings, kriterier=taken.kriterier, name=name, approval=approval
        )
        if uttrekk.lacks_batches:
            _write(uttrekk, taken)
    return uttrekk


def _take(folder: Path, entries: Iterable[tuple[int, str]]) -> _Taken:
    taken = _Taken(folder)
    for line, text in entries:
        taken.take(line, text)
    taken.put_away()
    if not taken.count:
        why = "; ".join(f"line {line}: {reason}" for line, reason in taken.malformed[:1])
        raise ConfigurationError(
            f"the list holds no identity numbers{f' ({why})' if why else ''}",
            "Give a file with one per line, or with a column of them",
        )
    return taken


def _write(uttrekk: Uttrekk, taken: _Taken) -> None:
    """Move the batches into the store. Those that a killed process left are the same."""
    malformed = Malformed(taken.malformed_count, taken.malformed)
    write_record(uttrekk.store, _malformed_key(uttrekk), malformed)
    for batch, path in enumerate(taken.batches):
        uttrekk.store.put_file(uttrekk.batch_key(batch), path)
    close_batches(uttrekk, len(taken.batches))


def malformed_of(uttrekk: Uttrekk) -> Malformed:
    """What in an uttrekk's list was no identity number."""
    try:
        return read_record(uttrekk.store, _malformed_key(uttrekk), Malformed)
    except ObjectMissingError:
        return Malformed(0, [])


def _malformed_key(uttrekk: Uttrekk) -> str:
    return uttrekk.key("malformed.json")
