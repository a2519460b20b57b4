"""Look up what a slice of events tells of, and land it: persons, and the events' own documents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.extract.batches import close_batches
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.extract.uttrekk import Uttrekk
from freg_pipeline.feed.documents import documents_of, fetch_documents
from freg_pipeline.feed.persons import (
    Persons,
    write_batches,
    write_second_tries,
)
from freg_pipeline.feed.tables import stage_events
from freg_pipeline.lake.landing import land_batch, load_plan

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
    """

    uttrekk: Uttrekk
    events: int
    persons: int
    bytes: int


class Expansion:
    """From the events of a sync to its landed batches and tables.

    Args:
        register: whom to ask.
        uttrekk: of kind hendelser.
        concurrency: look-ups under way at once.
        progress: told about long work.
    """

    def __init__(
        self, register: Register, uttrekk: Uttrekk, concurrency: int, progress: Progress
    ) -> None:
        self._register = register
        self._uttrekk = uttrekk
        self._concurrency = concurrency
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
        close_batches(self._uttrekk, batches)
        return size

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
