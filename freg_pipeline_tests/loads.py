"""Loads and syncs without Dagster, for tests that are about what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from freg_pipeline.client import BatchState, Register, SoekKriterier, TilpassetKriterier
from freg_pipeline.course import collect
from freg_pipeline.extract.begin import Fill, open_uttrekk
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.extract.liste import taken_list
from freg_pipeline.extract.order import place_order
from freg_pipeline.extract.poll import wait_for_batch
from freg_pipeline.extract.treff import Search
from freg_pipeline.feed.sync import Slice
from freg_pipeline.journal.kinds import AnyKind, Komplett, Tilpasset
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.landing import land_batch, load_plan
from freg_pipeline.lake.release import build_release
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, open_store

EVERYONE = Komplett()


def full_load(
    settings: Settings,
    kriterier: TilpassetKriterier | None = None,
    *,
    feedsekvensnr: int | None = None,
    **strictness: bool,
) -> Manifest:
    """Everyone, or a selection: from order to release."""
    kind = Komplett(feedsekvensnr) if kriterier is None else Tilpasset(kriterier)
    uttrekk = asyncio.run(_fetched(settings, kind, None))
    return released(settings, uttrekk, **strictness)


def fetched(
    settings: Settings, kriterier: TilpassetKriterier | None = None, name: str | None = None
) -> Uttrekk:
    """An uttrekk whose answers are all here."""
    kind = Komplett() if kriterier is None else Tilpasset(kriterier)
    return asyncio.run(_fetched(settings, kind, name))


def released(settings: Settings, uttrekk: Uttrekk, **strictness: bool) -> Manifest:
    """The release of an uttrekk that is fetched."""
    store = open_store(settings)
    plan = load_plan(store, uttrekk.request.contract)
    for batch in uttrekk.batches():
        land_batch(store, uttrekk, batch, plan)
    return build_release(store, uttrekk, policy=Policy(**strictness))


def list_load(settings: Settings, numbers: Iterable[str], **strictness: bool) -> Manifest:
    """A list of one's own: from a file to a release."""
    store = open_store(settings)
    with store.scratch() as folder:
        path = folder / "list.txt"
        path.write_text("\n".join(numbers))
        with taken_list(store, path) as taken:
            uttrekk = asyncio.run(_looked_up(settings, taken.kind, taken.fill))
    return released(settings, uttrekk, **strictness)


def search_load(settings: Settings, kriterier: SoekKriterier, **strictness: bool) -> Manifest:
    """The hits of a search: from the search to a release."""
    search = Search(kriterier)
    uttrekk = asyncio.run(_looked_up(settings, search.kind, search.fill))
    return released(settings, uttrekk, **strictness)


async def opened(
    settings: Settings,
    register: Register,
    kind: AnyKind = EVERYONE,
    *,
    fill: Fill | None = None,
    name: str | None = None,
) -> Uttrekk:
    """The uttrekk of a question, begun or gone on with."""
    question = Question.of(kind, settings, register.base_url)
    return await open_uttrekk(
        open_store(settings),
        register,
        question,
        fill=fill,
        contract_file=settings.contract_file,
        name=name,
    )


async def _looked_up(settings: Settings, kind: AnyKind, fill: Fill) -> Uttrekk:
    async with Register.from_settings(settings) as register:
        uttrekk = await opened(settings, register, kind, fill=fill)
        for batch in uttrekk.batches():
            await fetch_batch(register, uttrekk, batch, concurrency=min(2, settings.concurrency))
    return uttrekk


async def _fetched(settings: Settings, kind: AnyKind, name: str | None) -> Uttrekk:
    async with Register.from_settings(settings) as register:
        uttrekk = await opened(settings, register, kind, name=name)
        await place_order(register, uttrekk, settings)
        while (await wait_for_batch(register, uttrekk, settings)).state is not BatchState.END:
            pass
        for batch in uttrekk.batches():
            await fetch_batch(register, uttrekk, batch, concurrency=min(2, settings.concurrency))
    return uttrekk


def sync(settings: Settings, **strictness: bool) -> list[Slice]:
    """Slice after slice until nothing is new."""
    store = open_store(settings)
    slices = []
    again = not strictness.get("allow_incomplete", False)
    while (taken := asyncio.run(_collected(store, settings, again=again))) is not None:
        build_release(store, taken.uttrekk, policy=Policy(**strictness))
        slices.append(taken)
    return slices


def collected(store: Store, settings: Settings) -> Slice | None:
    """A sync that has landed, and isn't released."""
    return asyncio.run(_collected(store, settings, again=True))


async def _collected(store: Store, settings: Settings, *, again: bool) -> Slice | None:
    async with Register.from_settings(settings) as register:
        return await collect(
            store, register, settings, lambda what, total: lambda more: None, ask_again=again
        )
