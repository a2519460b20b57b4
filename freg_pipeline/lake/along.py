"""Land a batch while its answers come: on a thread of its own, in code that doesn't hold the GIL.

It is a head start and no more. What goes wrong with it is left to whoever lands the batch from what
is kept, and tells it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from freg_pipeline.journal.keptout import KeptOut, kept_out
from freg_pipeline.journal.raw import RawMeta
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import Landing, load_plan
from freg_pipeline.normalize.batch import SpareColumns

logger = logging.getLogger(__name__)

T = TypeVar("T")


class LandingAlong:
    """A batch's landing, given its answers as they come.

    Holds the answers that wait for its thread: no more than look-ups are under way.

    Args:
        uttrekk: whose batch it is.
        batch: its number.
        spare: columns that other batches' landings are done with, and gets this one's.
    """

    def __init__(self, uttrekk: Uttrekk, batch: int, spare: SpareColumns) -> None:
        self._uttrekk = uttrekk
        self._batch = batch
        self._spare = spare
        self._landing: Landing | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="landing")
        self._is_over = uttrekk.has_landed(batch)

    @cached_property
    def kept_out(self) -> KeptOut:
        """Who is kept out, looked up once for the batch's answers and its tables."""
        return kept_out(self._uttrekk.store)

    async def read_plain(self, chunk: int, body: bytes, hentet: datetime) -> bool:
        """Read an answer, if it answers everything in the contract's plain form."""
        return bool(await self._do(lambda landing: landing.add_plain(chunk, body, hentet)))

    async def kept(self, chunk: int, meta: RawMeta, body: bytes) -> None:
        """Read the answer to a look-up, which is kept, unless it was read."""
        await self._do(lambda landing: landing.add(chunk, meta, body))

    def give_up(self) -> None:
        """Leave the batch to others: what was read isn't what is kept."""
        self._is_over = True

    async def finish(self) -> None:
        """Put the tables into the store, once all answers are kept."""
        await self._do(lambda landing: landing.finish())
        await self.close()

    async def close(self) -> None:
        """Give back what it holds."""
        self._is_over = True
        await asyncio.to_thread(self._close)

    async def _do(self, work: Callable[[Landing], T]) -> T | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._try, work)

    def _try(self, work: Callable[[Landing], T]) -> T | None:
        if self._is_over:
            return None
        try:
            if self._landing is None:
                plan = load_plan(self._uttrekk.store, self._uttrekk.request.contract)
                self._landing = Landing(
                    self._uttrekk, self._batch, plan, spare=self._spare, out=self.kept_out
                )
            return work(self._landing)
        except Exception as error:
            self._is_over = True
            logger.info(
                "batch %d of %s is decoded once all of it is here: %s",
                self._batch, self._uttrekk.name, type(error).__name__,
            )  # fmt: skip
            return None

    def _close(self) -> None:
        self._thread.shutdown()
        landing, self._landing = self._landing, None
        if landing is not None:
            landing.close()


class Landings:
    """Landings of several batches, one after the other: one is finished while the next begins."""

    def __init__(self) -> None:
        self._before: asyncio.Task[None] | None = None
        self._spare = SpareColumns()

    @asynccontextmanager
    async def along(self, uttrekk: Uttrekk, batch: int) -> AsyncIterator[LandingAlong]:
        """A batch's landing; finished, by and by, unless what is done with it fails."""
        along = LandingAlong(uttrekk, batch, self._spare)
        try:
            yield along
            await self.wait()  # so that there are two at once, and no more
        except BaseException:
            await along.close()
            raise
        self._before = asyncio.create_task(along.finish())

    async def wait(self) -> None:
        """Wait for the last one."""
        before, self._before = self._before, None
        if before is not None:
            await before


@asynccontextmanager
async def one_behind() -> AsyncIterator[Landings]:
    """Landings that are all finished at the end, also where something else fails."""
    landings = Landings()
    try:
        yield landings
    finally:
        await landings.wait()
