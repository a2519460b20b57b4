"""Whom a sync looks up, round after round, and the look-ups themselves.

The persons of its events; then, by number, those whose document is gone; then those whose answer is
in doubt, twice at the most. Each round follows from what the ones before it have landed, so that
which batches there are is found out anew by whoever goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from freg_pipeline.client import Register
from freg_pipeline.errors import DamagedError
from freg_pipeline.extract.batches import close_batches
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.feed.persons import (
    Persons,
    write_batches,
    write_confirmations,
    write_second_tries,
)
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.along import one_behind
from freg_pipeline.lake.landing import land_batch, load_plan
from freg_pipeline.lake.newer import doubtful

logger = logging.getLogger(__name__)

CONFIRMATIONS = 2  # times that an answer in doubt is asked for again, each after a pause
Told = Callable[[int], None]


async def add_round(
    uttrekk: Uttrekk, current: Manifest, persons: Persons, pause_seconds: float
) -> None:
    """Write the batches of the next round; or, after the last one, how many batches there are.

    Args:
        uttrekk: of kind hendelser; the batches that it has have landed.
        current: the release that it continues.
        persons: those of its events.
        pause_seconds: how long to wait before an answer in doubt is asked for again.

    Raises:
        DamagedError: a batch is gone whose answers are in doubt no longer.
    """
    there = set(uttrekk.batches())
    here = len(there)
    batches = write_batches(uttrekk, persons, there)
    if batches > here:
        return
    batches = write_second_tries(uttrekk, persons, batches, there)
    for _ in range(CONFIRMATIONS):
        if batches > here:
            return
        numbers = await asyncio.to_thread(
            doubtful, uttrekk.store, current, uttrekk.name, range(batches)
        )
        if not numbers:
            break
        if batches == here:
            logger.warning(
                "%d answers look older than the release: asking again in %.0f s",
                len(numbers),
                pause_seconds,
            )
            await asyncio.sleep(pause_seconds)
        batches = write_confirmations(uttrekk, numbers, batches, there)
    if batches <= here:
        close_batches(uttrekk, here)
        _require_all(uttrekk, there)


def _require_all(uttrekk: Uttrekk, here: set[int]) -> None:
    """See that no batch is missing that can't be made again: else there would be no next step."""
    for batch in range(uttrekk.end or 0):
        if batch not in here:
            raise DamagedError(uttrekk.batch_key(batch), uttrekk.store.location, how="gone")


async def take_in(
    register: Register,
    uttrekk: Uttrekk,
    batches: Sequence[int],
    *,
    concurrency: int,
    told: Told,
) -> int:
    """Fetch batches one after the other, and land each while the next one is being fetched.

    Args:
        register: whom to ask.
        uttrekk: of kind hendelser.
        batches: their numbers.
        concurrency: look-ups under way at once.
        told: how many more persons are answered.

    Returns:
        The bytes of the answers fetched now, before compression.

    Raises:
        RefusedError, PassingError: as for every request; what came until then is kept.
    """
    size = 0
    async with one_behind() as landings:
        for batch in batches:
            async with landings.along(uttrekk, batch) as along:
                report = await fetch_batch(
                    register, uttrekk, batch, concurrency=concurrency, progress=told, along=along
                )
            size += report.bytes
    plan = load_plan(uttrekk.store, uttrekk.request.contract)
    for batch in batches:  # what didn't land along does so now, or tells why not
        await asyncio.to_thread(land_batch, uttrekk.store, uttrekk, batch, plan)
    return size
