"""One uttrekk, seen by what lies in the store. There is no other record of where it stands.

Its objects are under ``uttrekk/<name>/`` (:mod:`freg_pipeline.journal.names`); ``open/<name>`` is
there as long as something is left to do for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

import msgspec

from freg_pipeline.envelope import IdentifierKind, parse_batch
from freg_pipeline.errors import ConfigurationError, DamagedError, ObjectMissingError
from freg_pipeline.journal.home import settle
from freg_pipeline.journal.kinds import Kind, KindName, kind_of
from freg_pipeline.journal.raw import RawMeta, read_raw
from freg_pipeline.journal.request import OrderAnswer, Request, check_name
from freg_pipeline.store import Store, read_record, write_record

logger = logging.getLogger(__name__)


CHUNK = 1_000  # identifiers a look-up: the register's limit (bulkoppslag)


Stage = Literal[
    "requested",
    "uncertain",
    "ordered",
    "fetching",
    "fetched",
    "landed",
    "released",
    "gone",
    "abandoned",
]


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


@dataclass(frozen=True)
class Status:
    """Where an uttrekk stands. Counts only."""

    name: str
    kind: KindName
    created: datetime
    stage: Stage
    batches: int
    end_seen: bool
    identifiers: int
    answered: int
    landed: int
    release: str | None


class _End(msgspec.Struct, frozen=True):
    batches: int


class FeedEnd(msgspec.Struct, frozen=True):
    """Where the events of an uttrekk of kind hendelser end.

    Attributes:
        siste: the last event's number.
        hendelser: how many events there are.
    """

    siste: int
    hendelser: int


class _Released(msgspec.Struct, frozen=True):
    release: str


class Uttrekk:
    """A view of one uttrekk's objects. Holds nothing that could get stale, but which job it shows:
    whoever orders anew takes a new view.

    Args:
        store: where it lies.
        name: its name.

    Raises:
        ConfigurationError: no uttrekk can have that name.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = check_name(name)

    def key(self, *parts: str) -> str:
        """The key of one of its objects."""
        return "/".join(("uttrekk", self.name, *parts))

    @cached_property
    def request(self) -> Request:
        """What was asked for.

        Raises:
            ConfigurationError: there is no such uttrekk.
        """
        try:
            return read_record(self.store, self.key("request.json"), Request)
        except DamagedError as error:
            raise DamagedError(
                error.key,
                self.store.location,
                f"Restore it from a copy, or delete the folder uttrekk/{self.name}/: releases "
                "stay, but one that began with it can be kept current no longer",
            ) from None
        except ObjectMissingError:
            raise ConfigurationError(
                f"there is no uttrekk {self.name} in {self.store.location}",
                "See freg uttrekk status for those there are",
            ) from None

    @property
    def kind(self) -> type[Kind]:
        """Its kind.

        Raises:
            ConfigurationError: there is no such uttrekk.
        """
        return kind_of(self.request.kind)

    @property
    def resume_command(self) -> str:
        """The command that goes on with it."""
        return self.kind.resume_command(self.name)

    @property
    def exists(self) -> bool:
        """Whether anything was asked for under this name."""
        return self.store.exists(self.key("request.json"))

    @classmethod
    def begin(cls, store: Store, request: Request) -> bool:
        """Record what is asked for, under the request's name; False: the name is taken.

        The marker of what is open comes first, so that nothing that was begun is ever overlooked.

        Raises:
            ConfigurationError: the store is of another register.
        """
        uttrekk = cls(store, request.name)
        if uttrekk.exists:
            return False
        settle(store, request.environment, request.base_url)
        store.write(uttrekk.open_key, b"")
        return write_record(store, uttrekk.key("request.json"), request)

    @property
    def open_key(self) -> str:
        """Where it is marked as open: those that look for work list these markers and no more."""
        return f"open/{self.name}"

    @property
    def is_abandoned(self) -> bool:
        """Whether it was given up."""
        return self.store.exists(self.abandoned_key)

    @property
    def abandoned_key(self) -> str:
        """Where it is recorded that it was given up."""
        return self.key("abandoned.json")

    def abandon(self) -> None:
        """Give it up: nothing goes on with it any more, and what came of it may be purged.

        Raises:
            ConfigurationError: there is no such uttrekk, or it is released.
        """
        if self.kind.is_sync or self.release is not None:
            raise ConfigurationError(
                f"the uttrekk {self.name} is {'a sync' if self.kind.is_sync else 'released'}",
                "Only an uttrekk that is under way can be abandoned",
            )
        self.give_up()

    def give_up(self) -> None:
        """Abandon it whatever it is."""
        write_record(self.store, self.abandoned_key, {})
        self.close()

    def close(self) -> None:
        """Take the marker away: nothing is left to do."""
        self.store.delete(self.open_key)

    @property
    def events_staged(self) -> bool:
        """Of a sync: whether its events' own tables are whole."""
        return self.store.exists(self.key("tables/hendelser/done.json"))

    def identifier_kind(self, batch: int) -> IdentifierKind:
        """What a batch holds: identifiers of documents, or numbers of persons; as it says itself.

        Raises:
            ObjectMissingError: the batch isn't here.
        """
        return self._batch(batch)[0] or "foedselsEllerDNummer"

    # -- the events --------------------------------------------------------------------------

    @property
    def feed_end_key(self) -> str:
        """Where it is recorded which event is the last one."""
        return self.key("feed/end.json")

    @property
    def feed_end(self) -> FeedEnd | None:
        """The last event, of kind hendelser; None until all of its pages are here."""
        try:
            return read_record(self.store, self.feed_end_key, FeedEnd)
        except ObjectMissingError:
            return None

    @property
    def sekvensnummer(self) -> int:
        """The feed's position that its content is sure to reach.

        Raises:
            ConfigurationError: it is of kind hendelser, and its last event isn't known yet.
        """
        if not self.kind.is_sync:
            return self.request.sekvensnummer
        end = self.feed_end
        if end is None:
            raise ConfigurationError(
                f"the events of {self.name} have not all been read", "Run freg hendelser sync"
            )
        return end.siste

    # -- the order ---------------------------------------------------------------------------

    def attempts(self) -> list[tuple[int, OrderAnswer | None]]:
        """Every attempt to order, with what came of it; None: sent, and no answer was recorded."""
        keys = set(self.store.list(self.key("order/")))
        sent = sorted(int(_file(key).split("-")[0]) for key in keys if key.endswith("-sent.json"))
        return [
            (number, self._answer(number) if self.order_key(number, "answer") in keys else None)
            for number in sent
        ]

    def order_key(self, attempt: int, what: Literal["sent", "answer", "gone"]) -> str:
        """Where an attempt to order is recorded."""
        return self.key("order", f"{attempt:02d}-{what}.json")

    def _answer(self, attempt: int) -> OrderAnswer | None:
        key = self.order_key(attempt, "answer")
        try:
            return read_record(self.store, key, OrderAnswer)
        except DamagedError:
            self.store.delete(key)  # nobody knows any more what came of it
            return None

    def _accepted(self) -> list[tuple[int, str]]:
        """The attempts that the register accepted, with the job that each became."""
        return [(nr, answer.jobbId) for nr, answer in self.attempts() if answer and answer.jobbId]

    @cached_property
    def job(self) -> int:
        """Which of its jobs this view shows: 1, or more where one was lost and ordered anew."""
        return max(1, len(self._accepted())) if self.kind.is_job else 1

    def earlier_jobs(self) -> list[Uttrekk]:
        """Views of the jobs that the register lost before this one."""
        views = [Uttrekk(self.store, self.name) for _ in range(1, self.job)]
        for number, view in enumerate(views, 1):
            view.job = number
        return views

    @property
    def place(self) -> str:
        """Where what came of its job lies, under ``uttrekk/``."""
        return self.name if self.job == 1 else f"{self.name}/jobs/{self.job:02d}"

    def job_key(self, *parts: str) -> str:
        """The key of an object that came of its job."""
        return "/".join(("uttrekk", self.place, *parts))

    def mark_gone(self, said: str) -> None:
        """Record that the register no longer has the job."""
        attempt, _ = self._accepted()[-1]
        write_record(self.store, self.order_key(attempt, "gone"), {"said": said})

    @property
    def is_gone(self) -> bool:
        """Whether the register no longer has the job, before all batches came."""
        accepted = self._accepted()
        return bool(accepted) and self.is_lost(accepted[-1][0])

    @property
    def job_id(self) -> str | None:
        """The register's job, once an order was accepted; None again when it is gone."""
        accepted = self._accepted()
        return accepted[-1][1] if accepted and not self.is_lost(accepted[-1][0]) else None

    def is_lost(self, attempt: int) -> bool:
        """Whether the register no longer has the job that an attempt to order became."""
        return self.store.exists(self.order_key(attempt, "gone"))

    # -- batches -----------------------------------------------------------------------------

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
            return read_record(self.store, self.end_key, _End).batches
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

    def identifiers(self, batch: int) -> list[str]:
        """A batch's identifiers, in the order delivered."""
        return self._batch(batch)[1]

    def _batch(self, batch: int) -> tuple[IdentifierKind | None, list[str]]:
        _, body = read_raw(self.store, self.batch_key(batch))
        return parse_batch(body)

    def chunk_count(self, batch: int) -> int:
        """How many look-ups a batch takes."""
        return -(-len(self.identifiers(batch)) // CHUNK)

    # -- answers -----------------------------------------------------------------------------

    def answer_key(self, batch: int, chunk: int) -> str:
        """Where the answer to a look-up lies."""
        return self.job_key("answers", f"{batch:06d}", f"{chunk:05d}.{self.request.form}.zst")

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
            meta, body = read_raw(self.store, self.answer_key(batch, chunk))
            yield ChunkAnswer(chunk, asked, meta, body)

    # -- what became of it -------------------------------------------------------------------

    def landed(self) -> set[int]:
        """The batches whose staging tables are whole."""
        keys = self.store.list(self.job_key("tables/"))
        done = [key.split("/")[-2] for key in keys if key.endswith("/done.json")]
        return {int(folder) for folder in done if folder.isdigit()}  # the events have one, too

    @property
    def release_key(self) -> str:
        """Where it is recorded which release it became."""
        return self.key("release.json")

    @property
    def release(self) -> str | None:
        """The release that it became."""
        try:
            return read_record(self.store, self.release_key, _Released).release
        except ObjectMissingError:
            return None

    def status(self) -> Status:
        """Where it stands, by what is here."""
        batches = self.batches()
        sizes = {batch: len(self.identifiers(batch)) for batch in batches}
        answered = sum(
            _answered_identifiers(size, self.answered(batch)) for batch, size in sizes.items()
        )
        end, landed, release = self.end, self.landed(), self.release
        total = sum(sizes.values())
        return Status(
            name=self.name,
            kind=self.request.kind,
            created=self.request.created,
            stage=self._stage(end, landed, release, fetched=answered == total),
            batches=len(batches),
            end_seen=end is not None,
            identifiers=total,
            answered=answered,
            landed=len(landed),
            release=release,
        )

    def _stage(
        self, end: int | None, landed: set[int], release: str | None, *, fetched: bool
    ) -> Stage:
        if release is not None:
            return "released"
        if self.is_abandoned:
            return "abandoned"
        if end is not None and len(landed) == end:
            return "landed"
        if end is not None and fetched:
            return "fetched"
        if self.is_gone:
            return "gone"
        if self.batches():
            return "fetching"
        attempts = self.attempts()
        if not attempts:
            return "requested"
        last = attempts[-1][1]
        if last is None:
            return "uncertain"
        return "ordered" if last.jobbId else "requested"

    @classmethod
    def list_open(cls, store: Store) -> list[Uttrekk]:
        """Those that something is left to do for, the oldest first.

        Costs what is open, however many were ever made.
        """
        marked = [cls(store, key.removeprefix("open/")) for key in store.list("open/")]
        return _by_age(uttrekk for uttrekk in marked if uttrekk.exists)

    @classmethod
    def list_all(cls, store: Store) -> list[Uttrekk]:
        """Every uttrekk in the store, the oldest first."""
        keys = [key for key in store.list("uttrekk/") if key.endswith("/request.json")]
        return _by_age(cls(store, key.split("/")[1]) for key in keys if key.count("/") == 2)


def _by_age(found: Iterable[Uttrekk]) -> list[Uttrekk]:
    """The oldest first. One whose request is damaged is named and left out: the others go on."""
    whole = []
    for uttrekk in found:
        try:
            whole.append((uttrekk.request.created, uttrekk))
        except DamagedError as error:
            logger.warning("%s", error)
    return [uttrekk for _, uttrekk in sorted(whole, key=lambda one: one[0])]


def chunks(identifiers: list[str]) -> list[list[str]]:
    """Split identifiers into look-ups."""
    return [identifiers[start : start + CHUNK] for start in range(0, len(identifiers), CHUNK)]


def _answered_identifiers(size: int, answered: set[int]) -> int:
    return sum(min(CHUNK, size - chunk * CHUNK) for chunk in answered)


def _file(key: str) -> str:
    return key.rsplit("/", 1)[-1]
