"""The batches of an uttrekk: their identifiers, the answers to their look-ups, and which landed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import msgspec

from freg_pipeline.envelope import IdentifierKind
from freg_pipeline.envelope_batch import parse_batch
from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.journal.measures import Span, Took
from freg_pipeline.journal.ordered import Ordered
from freg_pipeline.journal.raw import RawMeta, recall_raw
from freg_pipeline.store import is_there, recall_record

CHUNK = 1_000  # identifiers a look-up: the register's limit (bulkoppslag)


@dataclass(frozen=True)
class ChunkAnswer:
    """The answer to one look-up.

    Attributes:
        chunk: its number in the batch.
        asked: the identifiers, in the order asked.
        meta: how the answer came.
        body: the answer as it came.
    """

    chunk: int
    asked: list[str]
    meta: RawMeta
    body: bytes


class _End(msgspec.Struct, frozen=True):
    batches: int


class Batches(Ordered):
    """What lies in the store about the batches of an uttrekk's job."""

    def batch_key(self, batch: int) -> str:
        """Where a batch of identifiers lies."""
        return self.job_key("batches", f"{batch:06d}.json.zst")

    @property
    def end_key(self) -> str:
        """Where it is recorded how many batches there are."""
        return self.job_key("batches/end.json")

    @property
    def end(self) -> int | None:
        """How many batches there are; None until the register has told."""
        try:
            return recall_record(self.store, self.end_key, _End).batches
        except DamagedError:
            if self.kind.is_sync:
                raise
            self.store.delete(self.end_key)  # the register, or who wrote the batches, tells again
            return None
        except ObjectMissingError:
            return None

    @property
    def lacks_batches(self) -> bool:
        """Whether not all batches are here, as far as is known."""
        end = self.end
        return end is None or not set(range(end)).issubset(self.batches())

    def batches(self) -> list[int]:
        """The batches whose identifiers are here."""
        keys = self.store.list(self.job_key("batches/"))
        return [int(_file(key)[:6]) for key in keys if key.endswith(".json.zst")]

    def has_batch(self, batch: int) -> bool:
        """Whether a batch's identifiers are here."""
        return is_there(self.store, self.batch_key(batch))

    def identifiers(self, batch: int) -> list[str]:
        """A batch's identifiers, in the order delivered."""
        return self._batch(batch)[1]

    def _batch(self, batch: int) -> tuple[IdentifierKind | None, list[str]]:
        return parse_batch(recall_raw(self.store, self.batch_key(batch))[1])

    def batch_took(self, batch: int) -> Took:
        """What it took to get a batch's identifiers; of one made here, the moment when it was."""
        meta, _ = recall_raw(self.store, self.batch_key(batch))
        return meta.took or Took(spans=(Span(meta.hentet, meta.hentet),))

    def chunk_count(self, batch: int) -> int:
        """How many look-ups a batch takes."""
        return -(-len(self.identifiers(batch)) // CHUNK)

    def identifier_kind(self, batch: int) -> IdentifierKind:
        """What a batch holds: identifiers of documents, or numbers of persons; as it says itself.

        Raises:
            ObjectMissingError: the batch isn't here.
        """
        return self._batch(batch)[0] or "foedselsEllerDNummer"

    def answer_key(self, batch: int, chunk: int) -> str:
        """Where the answer to a look-up lies."""
        return self.job_key("answers", f"{batch:06d}", f"{chunk:05d}.{self.question.form}.zst")

    def answered(self, batch: int) -> set[int]:
        """The look-ups of a batch whose answers are here."""
        keys = self.store.list(self.job_key("answers", f"{batch:06d}/"))
        return {int(_file(key)[:5]) for key in keys}

    def answers(self, batch: int) -> Iterator[ChunkAnswer]:
        """A batch's answers in order, read one at a time.

        Raises:
            ObjectMissingError: a look-up has not been answered.
        """
        for chunk, asked in enumerate(chunks(self.identifiers(batch))):
            meta, body = recall_raw(self.store, self.answer_key(batch, chunk))
            yield ChunkAnswer(chunk, asked, meta, body)

    def landed(self) -> set[int]:
        """The batches whose staging tables are whole."""
        keys = self.store.list(self.job_key("tables/"))
        done = [key.split("/")[-2] for key in keys if key.endswith("/done.json")]
        return {int(folder) for folder in done if folder.isdigit()}  # the events have one, too

    def has_landed(self, batch: int) -> bool:
        """Whether a batch's staging tables are whole."""
        return is_there(self.store, self.job_key("tables", f"{batch:06d}", "done.json"))


def first_missing(here: Collection[int]) -> int:
    """The first batch that isn't among those that are here."""
    return next(batch for batch in range(len(here) + 1) if batch not in here)


def chunks(identifiers: list[str]) -> list[list[str]]:
    """Split identifiers into look-ups."""
    return [identifiers[start : start + CHUNK] for start in range(0, len(identifiers), CHUNK)]


def _file(key: str) -> str:
    return key.rsplit("/", 1)[-1]
