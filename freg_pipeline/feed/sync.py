"""Bring the current release on by one slice of the event list.

A sync is an uttrekk of kind hendelser, named after the position that it continues, so that two
workers that do the same piece write the same names. Each step is found in the store when it was
done, and not done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.extract.order import everything, fetch_contract
from freg_pipeline.extract.uttrekk import Request, Uttrekk
from freg_pipeline.feed.documents import documents_of, fetch_documents
from freg_pipeline.feed.pages import ask, has_pages, read_events
from freg_pipeline.feed.persons import (
    Persons,
    close_batches,
    persons_of,
    write_batches,
    write_second_tries,
)
from freg_pipeline.feed.tables import stage_events
from freg_pipeline.lake.landing import land_batch, load_plan
from freg_pipeline.lake.release import Manifest, require_current
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store

Told = Callable[[int], None]
Progress = Callable[[str, int], Told]


@dataclass(frozen=True)
class Collected:
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


class Sync:
    """What one slice is made with.

    Args:
        store: where everything lies.
        register: whom to ask; open.
        settings: how, and how much at once.
        progress: told about long work.
    """

    def __init__(
        self, store: Store, register: Register, settings: Settings, progress: Progress
    ) -> None:
        self._store = store
        self._register = register
        self._settings = settings
        self._progress = progress

    async def collect(self) -> Collected | None:
        """Land the slice that follows the current release; None if nothing has happened since.

        Raises:
            ConfigurationError: there is no release, or it was made with other settings.
            TooOldError: the event list no longer reaches back to the release's position.
            RefusedError, PassingError: as for every request; what came until then is kept.
        """
        current = require_current(self._store)
        _require_same(current, self._store, self._settings)
        position, first = current.sekvensnummer, None
        uttrekk = Uttrekk(self._store, _name(self._store, position, self._settings))
        if not has_pages(uttrekk):
            first = await ask(self._register, self._settings.answer_format, position)
            if first is None or not first.entries:
                return None
            await self._begin(uttrekk, position)
        events = await read_events(self._register, uttrekk, first=first)
        return await self._expand(uttrekk, events)

    async def _begin(self, uttrekk: Uttrekk, position: int) -> None:
        plan = await fetch_contract(self._store, self._register)
        settings = self._settings
        request = Request(
            name=uttrekk.name,
            kind="hendelser",
            environment=settings.environment,
            base_url=self._register.base_url,
            rettighetspakke=settings.rettighetspakke,
            parts_asked=settings.parts,
            parts=settings.parts or everything(plan),
            contract=plan.fingerprint,
            sekvensnummer=position,
            feedsekvensnr=None,
            kriterier=None,
            created=datetime.now(UTC),
            form=settings.answer_format,
            etter=position,
        )
        self._store.write(uttrekk.key("request.json"), msgspec.json.encode(request))

    async def _expand(self, uttrekk: Uttrekk, events: Sequence[FeedEntry]) -> Collected:
        """Look everything up that the events tell of, and land it."""
        persons, documents = persons_of(events), documents_of(events)
        told = self._progress("hendelsesdokumenter", len(documents))
        at_once = self._settings.concurrency
        size = await self._persons(uttrekk, persons)
        size += await fetch_documents(
            self._register, uttrekk, documents, concurrency=at_once, progress=told
        )
        await asyncio.to_thread(stage_events, self._store, uttrekk, events)
        return Collected(uttrekk, len(events), len(persons), size)

    async def _persons(self, uttrekk: Uttrekk, persons: Persons) -> int:
        told = self._progress("persons", len(persons))
        batches = write_batches(uttrekk, persons)
        size = await self._batches(uttrekk, range(batches), told)
        everything_now = write_second_tries(uttrekk, persons, batches)
        size += await self._batches(uttrekk, range(batches, everything_now), told)
        close_batches(uttrekk, everything_now)
        return size

    async def _batches(self, uttrekk: Uttrekk, batches: range, told: Told) -> int:
        """Fetch batches one after the other, and land each while the next one is being fetched."""
        plan = load_plan(self._store, uttrekk.request.contract)
        size = 0
        landing: asyncio.Task[object] | None = None
        try:
            for batch in batches:
                report = await fetch_batch(
                    self._register, uttrekk, batch,
                    concurrency=self._settings.concurrency, progress=told,
                )  # fmt: skip
                size += report.bytes
                if landing is not None:
                    await landing
                landing = asyncio.create_task(
                    asyncio.to_thread(land_batch, self._store, uttrekk, batch, plan)
                )
        finally:
            if landing is not None:
                await landing
        return size


def _name(store: Store, position: int, settings: Settings) -> str:
    """The name of the sync that continues a position: the one under way, or the first one free.

    The usual name can be taken by the sync of an earlier release that stood at the same position,
    before a full load replaced it.
    """
    usual = f"hendelser-{position:012d}"
    number = 1
    while True:
        uttrekk = Uttrekk(store, usual if number == 1 else f"{usual}-{number}")
        if not uttrekk.exists or (
            uttrekk.release is None and _differences(uttrekk.request, settings) == []
        ):
            return uttrekk.name
        number += 1


def _require_same(current: Manifest, store: Store, settings: Settings) -> None:
    """See that what the sync asks for is what the release was made of."""
    different = _differences(Uttrekk(store, current.uttrekk).request, settings)
    if different:
        raise ConfigurationError(
            f"release {current.number} was made with another {' and '.join(different)}",
            "Set it as it was then, or make a new full load: freg uttrekk komplett",
        )


def _differences(request: Request, settings: Settings) -> list[str]:
    asked = {
        "FREG_ENVIRONMENT": (request.environment, settings.environment),
        "FREG_RETTIGHETSPAKKE": (request.rettighetspakke, settings.rettighetspakke),
        "FREG_PARTS": (request.parts_asked, settings.parts),
    }
    return [name for name, (then, now) in asked.items() if then != now]
