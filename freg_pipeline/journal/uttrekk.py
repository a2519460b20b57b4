"""One uttrekk, seen by what lies in the store. There is no other record of where it stands.

Its objects are under ``uttrekk/<name>/`` (:mod:`freg_pipeline.journal.names`); ``open/<name>`` is
there as long as something is left to do for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import msgspec

from freg_pipeline.errors import ConfigurationError, DamagedError, ObjectMissingError
from freg_pipeline.journal.batches import Batches
from freg_pipeline.journal.home import settle
from freg_pipeline.journal.request import Request
from freg_pipeline.store import Store, is_there, read_record, recall_record, write_record

logger = logging.getLogger(__name__)


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


class Uttrekk(Batches):
    """A view of one uttrekk's objects. Holds nothing that could get stale, but which job it shows:
    whoever orders anew takes a new view.

    What was asked for, ordered and delivered is with the classes that it is made of; here is when
    it begins and ends, and what is a sync's own.
    """

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
        settle(store, request.question.environment, request.question.base_url)
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
                "Only an unfinished uttrekk can be abandoned",
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

    # -- the events --------------------------------------------------------------------------

    @property
    def events_staged(self) -> bool:
        """Of a sync: whether its events' own tables are whole."""
        return is_there(self.store, self.key("tables/hendelser/done.json"))

    @property
    def feed_end_key(self) -> str:
        """Where it is recorded which event is the last one."""
        return self.key("feed/end.json")

    @property
    def feed_end(self) -> FeedEnd | None:
        """The last event, of kind hendelser; None until all of its pages are here."""
        try:
            return recall_record(self.store, self.feed_end_key, FeedEnd)
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

    # -- all of them -------------------------------------------------------------------------

    @classmethod
    def list_open(cls, store: Store) -> list[Uttrekk]:
        """Those that something is left to do for, the oldest first.

        Costs what is open, however many were ever made.
        """
        marked = [cls(store, name) for name in open_names(store)]
        return by_age(uttrekk for uttrekk in marked if uttrekk.exists)

    @classmethod
    def list_all(cls, store: Store) -> list[Uttrekk]:
        """Every uttrekk in the store, the oldest first."""
        return by_age(cls(store, name) for name in all_names(store))


def open_names(store: Store) -> list[str]:
    """The names of those that something is left to do for, as they are marked."""
    return [key.removeprefix("open/") for key in store.list("open/")]


def all_names(store: Store) -> list[str]:
    """The names of all; none of them is read."""
    keys = [key for key in store.list("uttrekk/") if key.endswith("/request.json")]
    return [key.split("/")[1] for key in keys if key.count("/") == 2]


def by_age(found: Iterable[Uttrekk]) -> list[Uttrekk]:
    """The oldest first. One whose request is damaged is named and left out: the others go on."""
    whole = []
    for uttrekk in found:
        try:
            whole.append((uttrekk.request.created, uttrekk))
        except DamagedError as error:
            logger.warning("%s", error)
    return [uttrekk for _, uttrekk in sorted(whole, key=lambda one: one[0])]
