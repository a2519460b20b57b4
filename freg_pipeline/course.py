"""The course of a sync: its steps, one after the other, as :mod:`freg_pipeline.advance` says."""

from __future__ import annotations

import logging

from freg_pipeline.advance import (
    AddRound,
    ReadEvents,
    StageEvents,
    TakeIn,
    next_steps,
    standing_after,
    standing_of,
)
from freg_pipeline.client import Register
from freg_pipeline.errors import PartsRefusedError
from freg_pipeline.feed.begin import begin_sync
from freg_pipeline.feed.sync import Progress, Slice, Sync
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store

logger = logging.getLogger(__name__)


async def collect(
    store: Store,
    register: Register,
    settings: Settings,
    progress: Progress,
    *,
    ask_again: bool = True,
) -> Slice | None:
    """Land the slice that follows the current release; None if nothing has happened since.

    One that was started is resumed at its step. Where the register no longer takes a part in the
    middle of it, the sync is given up, and another one begun without that part.

    Args:
        store: where everything lies.
        register: whom to ask; open.
        settings: how, and how much at once.
        progress: told about long work.
        ask_again: a sync that was refused for look-ups that failed is begun anew, and whom the
            register doesn't answer for holds it up; else it continues as it is.

    Raises:
        ConfigurationError: there is no release, or it was made with other settings.
        TooOldError: the event list no longer reaches back to the release's position.
        BegunAnewError: the list ends before the release's position.
        BeyondTheEndError: the list tells an event after the register's last one.
        RefusedError, PassingError: as for every request; what came until then is kept.
    """
    try:
        return await _collect(store, register, settings, progress, ask_again=ask_again)
    except PartsRefusedError as refused:
        logger.warning("%s: the sync starts over without it", refused.what)
        return await _collect(store, register, settings, progress, ask_again=ask_again)


async def _collect(
    store: Store, register: Register, settings: Settings, progress: Progress, *, ask_again: bool
) -> Slice | None:
    begun = await begin_sync(store, register, settings, ask_again=ask_again)
    if begun is None:
        return None
    sync = Sync(begun, register, settings, progress, must_know=ask_again)
    try:
        await _to_its_release(sync)
    except PartsRefusedError:
        sync.uttrekk.give_up()
        raise
    return await sync.slice()


async def _to_its_release(sync: Sync) -> None:
    """Take all steps but those that make the release."""
    standing = standing_of(sync.uttrekk)
    while True:
        steps = next_steps(standing)
        match steps[0]:
            case ReadEvents():
                await sync.events()
            case AddRound():
                await sync.add_round()
            case TakeIn():  # all of them: each lands while the next one is being fetched
                await sync.take_in([step.batch for step in steps if isinstance(step, TakeIn)])
            case StageEvents():
                await sync.stage_events()
            case _:
                return
        for step in steps:
            standing = standing_after(step, standing, sync.uttrekk)
