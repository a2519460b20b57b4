"""The main job in this process: the same assets and jobs as on Dagster's page, one after the other.

For commands, and for those without a daemon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from freg_pipeline.client import BatchState, SoekKriterier, TilpassetKriterier
from freg_pipeline.errors import FregError
from freg_pipeline.extract.liste import open_liste
from freg_pipeline.extract.order import Approval, open_uttrekk
from freg_pipeline.extract.poll import PollResult, wait_for_batch
from freg_pipeline.extract.treff import open_soek
from freg_pipeline.journal.manifest import Manifest, read_manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.guards import approval
from freg_pipeline.orchestration.config import Kind, ReleaseConfig
from freg_pipeline.orchestration.engine import Engine, open_engine
from freg_pipeline.orchestration.partitions import UTTREKK
from freg_pipeline.orchestration.resources import Freg


def run_uttrekk(
    freg: Freg,
    *,
    kriterier: TilpassetKriterier | None = None,
    feedsekvensnr: int | None = None,
    name: str | None = None,
    release: ReleaseConfig | None = None,
) -> Manifest:
    """Take an uttrekk from order to release; go on with one that is under way.

    Args and errors as :func:`freg_pipeline.extract.order.open_uttrekk`, and

    Args:
        release: how strict the release is; as strict as can be unless told.

    Raises:
        OtherKindError: the current release is of another kind; nothing was sent.
        IncompleteError: not everything is accounted for, or far fewer persons than in the current
            release; nothing was published.
    """
    uttrekk = asyncio.run(_open(freg, kriterier, feedsekvensnr, name, _approval(freg, release)))
    return carry_on(freg, uttrekk, release=release)


def run_liste(
    freg: Freg,
    source: Path,
    *,
    column: str | None = None,
    name: str | None = None,
    release: ReleaseConfig | None = None,
    opened: Callable[[Uttrekk], None] = lambda _: None,
) -> Manifest:
    """Take a list of one's own to a release; go on with one that is under way.

    Args and errors as :func:`freg_pipeline.extract.liste.open_liste` and :func:`run_uttrekk`, and

    Args:
        opened: told the uttrekk once the list is read.
    """

    async def begin() -> Uttrekk:
        async with freg.register() as register:
            return await open_liste(
                freg.store,
                register,
                freg.settings,
                source,
                column=column,
                name=name,
                approval=_approval(freg, release),
            )

    uttrekk = asyncio.run(begin())
    opened(uttrekk)
    return carry_on(freg, uttrekk, release=release)


def run_soek(
    freg: Freg,
    kriterier: SoekKriterier,
    *,
    name: str | None = None,
    release: ReleaseConfig | None = None,
) -> Manifest:
    """Take the hits of a search to a release; go on with one that is under way.

    Args and errors as :func:`freg_pipeline.extract.treff.open_soek` and :func:`run_uttrekk`.
    """

    async def begin() -> Uttrekk:
        async with freg.register() as register:
            return await open_soek(
                freg.store,
                register,
                freg.settings,
                kriterier,
                name=name,
                approval=_approval(freg, release),
            )

    return carry_on(freg, asyncio.run(begin()), release=release)


async def _open(
    freg: Freg,
    kriterier: TilpassetKriterier | None,
    feedsekvensnr: int | None,
    name: str | None,
    agreed: Approval,
) -> Uttrekk:
    async with freg.register() as register:
        return await open_uttrekk(
            freg.store,
            register,
            freg.settings,
            kriterier=kriterier,
            feedsekvensnr=feedsekvensnr,
            name=name,
            approval=agreed,
        )


def _approval(freg: Freg, release: ReleaseConfig | None) -> Approval:
    agreed = release is not None and release.allow_other_kind
    return approval(freg.store, allow_other_kind=agreed)


def carry_on(
    freg: Freg,
    uttrekk: Uttrekk,
    *,
    order_again: bool = False,
    release: ReleaseConfig | None = None,
) -> Manifest:
    """Take an uttrekk that is begun from where it stands to its release.

    Raises:
        ConfigurationError: there is no such uttrekk.
        UncertainOrderError: an order's fate is unknown, and ``order_again`` isn't set.
        GoneError: the register no longer has the job, and not all batches are here.
        IncompleteError: not everything is accounted for; nothing was published.
        ContractError: the contract has changed so that queries break; nothing was published.
    """
    name = uttrekk.request.name
    done = uttrekk.release
    if done is not None:
        return read_manifest(freg.store, done)
    with open_engine(freg) as engine:
        engine.add(UTTREKK, name)
        strictness = (release or ReleaseConfig()).model_dump()
        order = {
            "kind": Kind.begun.name,
            "order_again": order_again,
            "allow_other_kind": strictness["allow_other_kind"],
        }
        engine.run("full_load", uttrekk.name, {"uttrekk": order})
        _land_all(freg, engine, uttrekk)
        engine.run("publish_release", name, {"release": strictness})
    released = uttrekk.release
    if released is None:
        raise FregError(f"the uttrekk {uttrekk.name} was not released", "Run the command again")
    return read_manifest(freg.store, released)


def _land_all(freg: Freg, engine: Engine, uttrekk: Uttrekk) -> None:
    """Every batch, in order, as soon as it is ready."""
    batch = 0
    while True:
        if batch not in uttrekk.batches():
            ended = asyncio.run(_wait(freg, uttrekk)).state is BatchState.END
            # Another process may have kept it, and the end too, since the look before.
            if ended and batch not in uttrekk.batches():
                return
            continue
        if batch not in uttrekk.landed():
            engine.land(uttrekk.name, batch)
        batch += 1


async def _wait(freg: Freg, uttrekk: Uttrekk) -> PollResult:
    async with freg.register() as register:
        return await wait_for_batch(register, uttrekk, freg.settings)
