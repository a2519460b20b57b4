"""Loads and syncs without Dagster, for tests that are about what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from freg_pipeline.client import BatchState, Register, SoekKriterier, TilpassetKriterier
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.extract.liste import open_liste
from freg_pipeline.extract.order import open_uttrekk, place_order
from freg_pipeline.extract.poll import wait_for_batch
from freg_pipeline.extract.treff import open_soek
from freg_pipeline.feed.expand import Slice
from freg_pipeline.feed.sync import collect
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.landing import land_batch, load_plan
from freg_pipeline.lake.release import build_release
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, open_store


def full_load(
    settings: Settings,
    kriterier: TilpassetKriterier | None = None,
    *,
    feedsekvensnr: int | None = None,
    **strictness: bool,
) -> Manifest:
    """Everyone, or a selection: from order to release."""
    uttrekk = asyncio.run(_fetched(settings, kriterier, None, feedsekvensnr))
    return released(settings, uttrekk, **strictness)


def fetched(
    settings: Settings, kriterier: TilpassetKriterier | None = None, name: str | None = None
) -> Uttrekk:
    """An uttrekk whose answers are all here."""
    return asyncio.run(_fetched(settings, kriterier, name))


def released(settings: Settings, uttrekk: Uttrekk, **strictness: bool) -> Manifest:
    """The release of an uttrekk that is fetched."""
    store = open_store(settings)
    plan = load_plan(store, uttrekk.request.contract)
    for batch in uttrekk.batches():
        land_batch(store, uttrekk, batch, plan)
    return build_release(store, uttrekk, policy=Policy(**strictness))


def list_load(settings: Settings, numbers: Iterable[str], **strictness: bool) -> Manifest:
    """A list of one's own: from a file to a release."""

    async def opened(store: Store, register: Register) -> Uttrekk:
        with store.scratch() as folder:
            path = folder / "list.txt"
            path.write_text("\n".join(numbers))
            return await open_liste(store, register, settings, path)

    return released(settings, _looked_up(settings, opened), **strictness)


def search_load(settings: Settings, kriterier: SoekKriterier, **strictness: bool) -> Manifest:
    """The hits of a search: from the search to a release."""

    async def opened(store: Store, register: Register) -> Uttrekk:
        return await open_soek(store, register, settings, kriterier)

    return released(settings, _looked_up(settings, opened), **strictness)


def _looked_up(
    settings: Settings, opened: Callable[[Store, Register], Awaitable[Uttrekk]]
) -> Uttrekk:
    async def look_up() -> Uttrekk:
        async with Register.from_settings(settings) as register:
            uttrekk = await opened(open_store(settings), register)
            for batch in uttrekk.batches():
                await fetch_batch(register, uttrekk, batch, concurrency=2)
        return uttrekk

    return asyncio.run(look_up())


async def _fetched(
    settings: Settings,
    kriterier: TilpassetKriterier | None,
    name: str | None,
    feedsekvensnr: int | None = None,
) -> Uttrekk:
    store = open_store(settings)
    async with Register.from_settings(settings) as register:
        uttrekk = await open_uttrekk(
            store, register, settings, kriterier=kriterier, feedsekvensnr=feedsekvensnr, name=name
        )
        await place_order(register, uttrekk, settings)
        while (await wait_for_batch(register, uttrekk, settings)).state is not BatchState.END:
            pass
        for batch in uttrekk.batches():
            await fetch_batch(register, uttrekk, batch, concurrency=2)
    return uttrekk


def sync(settings: Settings, **strictness: bool) -> list[Slice]:
    """Slice after slice until nothing is new."""
    store = open_store(settings)
    slices = []
    again = not strictness.get("allow_incomplete", False)
    while (taken := asyncio.run(_collected(store, settings, again))) is not None:
        build_release(store, taken.uttrekk, policy=Policy(**strictness))
        slices.append(taken)
    return slices


async def _collected(store: Store, settings: Settings, again: bool) -> Slice | None:
    async with Register.from_settings(settings) as register:
        return await collect(
            store, register, settings, lambda what, total: lambda more: None, ask_again=again
        )
