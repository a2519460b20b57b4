"""The steps of one sync: each is found in the store when it was taken, and not taken again.

:mod:`freg_pipeline.advance` says which comes next, and :mod:`freg_pipeline.course` takes them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.extract.blank import is_blank
from freg_pipeline.feed.begin import Begun
from freg_pipeline.feed.documents import documents_of, fetch_documents
from freg_pipeline.feed.expand import Told, add_round, take_in
from freg_pipeline.feed.own import events_read, own_events
from freg_pipeline.feed.pages import read_events
from freg_pipeline.feed.persons import Persons, persons_of
from freg_pipeline.feed.tables import stage_events
from freg_pipeline.journal.keptout import lifted
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import Settings

logger = logging.getLogger(__name__)

Progress = Callable[[str, int], Told]


@dataclass(frozen=True)
class Slice:
    """A slice of the event list that has landed, and waits for its release.

    Attributes:
        uttrekk: of kind hendelser.
        events: how many.
        persons: looked up, each once.
        bytes: of the answers fetched now, before compression.
        without_document: once released: events' documents that the register didn't give.
        not_followed: once released: events that name neither a person nor a document.
    """

    uttrekk: Uttrekk
    events: int
    persons: int
    bytes: int
    without_document: int = 0
    not_followed: int = 0


class Sync:
    """Takes the steps of a sync. What a step has in memory, the next one needn't read again.

    Args:
        begun: which sync.
        register: whom to ask.
        settings: how much at once, and how long a pause is.
        progress: told about long work.
        must_know: whom the register doesn't answer for holds it up; else they are passed over.
    """

    def __init__(
        self,
        begun: Begun,
        register: Register,
        settings: Settings,
        progress: Progress,
        *,
        must_know: bool = True,
    ) -> None:
        self.uttrekk = begun.uttrekk
        self._begun = begun
        self._register = register
        self._settings = settings
        self._progress = progress
        self._must_know = must_know
        self._events: Sequence[FeedEntry] | None = None
        self._bytes = 0

    async def events(self) -> Sequence[FeedEntry]:
        """Its events; read from the register, unless they are here.

        Raises:
            DamagedError: what was kept isn't as it was written, or part of it is gone.
            TooOldError: the list no longer reaches back to the release's position.
            BeyondTheEndError: the list tells an event after the register's last one.
            RefusedError, PassingError: as for every request; what came until then is kept.
        """
        if self._events is None:
            self._events = await self._read()
            logger.info("%s: %d events to take", self.uttrekk.name, len(self._events))
            untold = sum(
                not (one.folkeregisteridentifikator or one.persondokument or is_blank(one))
                for one in self._events
            )
            if untold:
                logger.warning(
                    "%d events name neither a person nor a document: not followed", untold
                )
        return self._events

    async def _read(self) -> Sequence[FeedEntry]:
        begun, register = self._begun, self._register
        if begun.first.is_everyone:
            return await read_events(register, self.uttrekk, first=begun.page)
        own = await own_events(
            register,
            self.uttrekk,
            begun.current,
            begun.first,
            begun.page,
            concurrency=self._settings.concurrency,
            must_know=self._must_know,
        )
        return own.hendelser

    async def add_round(self) -> None:
        """Write the next batches of persons, or record that there are no more."""
        persons = await self._persons()
        pause = self._settings.confirm_seconds
        await add_round(self.uttrekk, self._begun.current, persons, pause)

    async def _persons(self) -> Persons:
        """Those of its events, and those who are kept out no longer."""
        lifts = self.uttrekk.request.lifts
        return persons_of(await self.events(), lifted(self.uttrekk.store, lifts))

    async def take_in(self, batches: Sequence[int]) -> None:
        """Look the persons of batches up, and land the answers."""
        count = sum(len(self.uttrekk.identifiers(batch)) for batch in batches)
        self._bytes += await take_in(
            self._register,
            self.uttrekk,
            batches,
            concurrency=self._settings.concurrency,
            told=self._progress("persons", count),
        )

    async def stage_events(self) -> None:
        """Fetch the events' own documents, and make the events' tables."""
        uttrekk, events = self.uttrekk, await self.events()
        documents = documents_of(events)
        self._bytes += await fetch_documents(
            self._register,
            uttrekk,
            documents,
            concurrency=self._settings.concurrency,
            progress=self._progress("hendelsesdokumenter", len(documents)),
        )
        await asyncio.to_thread(stage_events, uttrekk.store, uttrekk, events)

    async def slice(self) -> Slice:
        """What it has landed."""
        events = await self.events()
        is_all = self._begun.first.is_everyone
        read = len(events) if is_all else events_read(self.uttrekk)
        return Slice(self.uttrekk, read, len(await self._persons()), self._bytes)


def drop_staging(uttrekk: Uttrekk) -> None:
    """Remove the staging tables of a sync whose release is no longer the current one.

    A sync a minute would leave tens of thousands of small files a day. Its rows lie in the release,
    and the raw answers stay. Of a full load nothing is removed.
    """
    if uttrekk.kind.is_sync and uttrekk.release is not None:
        uttrekk.store.delete_all(uttrekk.store.list(uttrekk.key("tables/")))
