"""Look up what a slice of events tells of, and land it: persons, and the events' own documents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.extract.batches import close_batches
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.feed.documents import documents_of, fetch_documents
from freg_pipeline.feed.persons import (
    Persons,
    write_batches,
    write_confirmations,
    write_second_tries,
)
from freg_pipeline.feed.tables import stage_events
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import land_batch, load_plan
from freg_pipeline.lake.newer import doubtful
from freg_pipeline.settings import Settings

logger = logging.getLogger(__name__)

CONFIRMATIONS = 2  # times that an answer in doubt is asked for again, each after a pause
Told = Callable[[int], None]
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


class Expansion:
    """From the events of a sync to its landed batches and tables.

    Args:
        register: whom to ask.
        uttrekk: of kind hendelser.
        current: the release that it continues.
        settings: how much at once, and how long a pause is.
        progress: told about long work.
    """

    def __init__(
        self,
        register: Register,
        uttrekk: Uttrekk,
        current: Manifest,
        settings: Settings,
        progress: Progress,
    ) -> None:
        self._register = register
        self._uttrekk = uttrekk
        self._current = current
        self._concurrency = settings.concurrency
        self._pause = settings.confirm_seconds
        self._progress = progress

    async def of(self, events: Sequence[FeedEntry], persons: Persons) -> Slice:
        """Look up persons and events' documents; what is here already is not asked for."""
        uttrekk, documents = self._uttrekk, documents_of(events)
        size = await self._persons(persons)
        told = self._progress("hendelsesdokumenter", len(documents))
        size += await fetch_documents(
            self._register, uttrekk, documents, concurrency=self._concurrency, progress=told
        )
        await asyncio.to_thread(stage_events, uttrekk.store, uttrekk, events)
        return Slice(uttrekk, len(events), len(persons), size)

    async def _persons(self, persons: Persons) -> int:
        told = self._progress("persons", len(persons))
        first = write_batches(self._uttrekk, persons)
        size = await self._batches(range(first), told)
        batches = write_second_tries(self._uttrekk, persons, first)
        size += await self._batches(range(first, batches), told)
        for _ in range(CONFIRMATIONS):
            asked, batches = batches, await self._ask_again(batches)
            size += await self._batches(range(asked, batches), lambda _: None)
        close_batches(self._uttrekk, batches)
        return size

    async def _ask_again(self, batches: int) -> int:
        """Batches of those whose answers are in doubt, after a pause; how many there are now."""
        uttrekk = self._uttrekk
        numbers = await asyncio.to_thread(
            doubtful, uttrekk.store, self._current, uttrekk.name, range(batches)
        )
        if numbers and not uttrekk.answered(batches):
            logger.warning(
                "%d answers look older than the release: asking again in %.0f s",
                len(numbers),
                self._pause,
            )
            await asyncio.sleep(self._pause)
        return write_confirmations(uttrekk, numbers, batches)

    async def _batches(self, batches: range, told: Told) -> int:
        """Fetch batches one after the other, and land each while the next one is being fetched."""
        store, uttrekk = self._uttrekk.store, self._uttrekk
        plan = load_plan(store, uttrekk.request.contract)
        size = 0
        landing: asyncio.Task[object] | None = None
        try:
            for batch in batches:
                report = await fetch_batch(
                    self._register, uttrekk, batch, concurrency=self._concurrency, progress=told
                )
                size += report.bytes
                if landing is not None:
                    await landing
                landing = asyncio.create_task(
                    asyncio.to_thread(land_batch, store, uttrekk, batch, plan)
                )
        finally:
            if landing is not None:
                await landing
        return size
