"""Loads and syncs without Dagster, for tests that are about what comes of them."""

from __future__ import annotations

import asyncio

from freg_pipeline.client import BatchState, Register, TilpassetKriterier
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.extract.order import open_uttrekk, place_order
from freg_pipeline.extract.poll import wait_for_batch
from freg_pipeline.extract.uttrekk import Uttrekk
from freg_pipeline.feed.expand import Slice
from freg_pipeline.feed.sync import collect
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.landing import land_batch, load_plan
from freg_pipeline.lake.manifest import Manifest
from freg_pipeline.lake.release import build_release
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, open_store


def full_load(
    settings: Settings, kriterier: TilpassetKriterier | None = None, **strictness: bool
) -> Manifest:
    """Everyone, or a selection: from order to release."""
    return released(settings, fetched(settings, kriterier), **strictness)


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


async def _fetched(
    settings: Settings, kriterier: TilpassetKriterier | None, name: str | None
) -> Uttrekk:
    store = open_store(settings)
    async with Register.from_settings(settings) as register:
        uttrekk = await open_uttrekk(store, register, settings, kriterier=kriterier, name=name)
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
    while (taken := asyncio.run(_collected(store, settings))) is not None:
        build_release(store, taken.uttrekk, policy=Policy(**strictness))
        slices.append(taken)
    return slices


async def _collected(store: Store, settings: Settings) -> Slice | None:
    async with Register.from_settings(settings) as register:
        return await collect(store, register, settings, lambda what, total: lambda more: None)
