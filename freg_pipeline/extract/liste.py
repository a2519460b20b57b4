"""An uttrekk of a list of one's own: its batches are written here, and nothing is ordered.

What follows is the same as for every uttrekk. A number that isn't well formed is reported by its
line, and the others go on; one that stands twice is accounted for as a duplicate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.errors import ConfigurationError, ObjectMissingError
from freg_pipeline.extract.batches import BATCH_SIZE, close_batches, packed_batch
from freg_pipeline.extract.listfile import read_list, written_number
from freg_pipeline.identifiers import parse
from freg_pipeline.journal.keptout import PLACEHOLDER, KeptOut, kept_out
from freg_pipeline.journal.kinds import Liste
from freg_pipeline.journal.uttrekk import Uttrekk
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


@dataclass(frozen=True)
class TakenList:
    """A list of one's own that is read.

    Attributes:
        kind: which list it is: by its content, so that the same list is resumed.
        batches: files that hold its numbers.
        malformed: what in it is no number.
    """

    kind: Liste
    batches: list[Path]
    malformed: Malformed

    async def fill(self, register: Register, uttrekk: Uttrekk) -> None:
        """Put the batches into the store. Those that a killed process left are the same."""
        del register  # nothing is asked of it
        write_record(uttrekk.store, _malformed_key(uttrekk), self.malformed)
        for batch, path in enumerate(self.batches):
            numbers = msgspec.json.decode(path.read_bytes(), type=list[str])
            key = uttrekk.batch_key(batch)
            uttrekk.store.write(key, packed_batch(key, "foedselsEllerDNummer", numbers))
        close_batches(uttrekk, len(self.batches))


@contextmanager
def taken_list(store: Store, source: Path, column: str | None = None) -> Iterator[TakenList]:
    """Read a list of one's own; its batches lie in the store's scratch folder until this is left.

    Args:
        store: where they will lie.
        source: the file, as :func:`freg_pipeline.extract.listfile.read_list` takes it.
        column: the column with the numbers.

    Raises:
        ConfigurationError: the list can't be read, or holds no identity number.
    """
    with store.scratch() as folder:
        yield _read(folder, read_list(source, column), kept_out(store))


def _read(folder: Path, entries: Iterable[tuple[int, str]], out: KeptOut) -> TakenList:
    reading = _Reading(folder, out)
    for line, text in entries:
        reading.take(line, text)
    reading.put_away()
    malformed = Malformed(reading.malformed_count, reading.malformed)
    if not reading.count:
        why = "; ".join(f"line {line}: {reason}" for line, reason in malformed.first[:1])
        raise ConfigurationError(
            f"the list holds no identity numbers{f' ({why})' if why else ''}",
            "Give a file with one per line, or with a column of them",
        )
    return TakenList(Liste(reading.count, reading.hash.hexdigest()), reading.batches, malformed)


@dataclass
class _Reading:
    """A list while it is read: full batches lie in a folder, the last one is here."""

    folder: Path
    out: KeptOut
    batches: list[Path] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)
    malformed_count: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self.hash = hashlib.sha256()

    def take(self, line: int, text: str) -> None:
        try:
            number = parse(written_number(text)).number
        except ValueError as error:
            self.malformed_count += 1
            if len(self.malformed) < REPORTED:
                self.malformed.append((line, str(error)))
            return
        if number in self.out:
            number = PLACEHOLDER
        self.count += 1
        self.hash.update(number.encode())
        self.waiting.append(number)
        if len(self.waiting) == BATCH_SIZE:
            self.put_away()

    def put_away(self) -> None:
        if self.waiting:
            path = self.folder / f"{len(self.batches):06d}"
            path.write_bytes(msgspec.json.encode(self.waiting))
            self.batches.append(path)
            self.waiting = []


def malformed_of(uttrekk: Uttrekk) -> Malformed:
    """What in an uttrekk's list was no identity number."""
    try:
        return read_record(uttrekk.store, _malformed_key(uttrekk), Malformed)
    except ObjectMissingError:
        return Malformed(0, [])


def _malformed_key(uttrekk: Uttrekk) -> str:
    return uttrekk.key("malformed.json")
