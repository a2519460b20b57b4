"""The main job in this process: the same assets and jobs as on Dagster's page, one after the other.

For commands, and for those without a daemon.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from freg_pipeline.advance import (
    Ask,
    Done,
    Order,
    OrderAnew,
    Poll,
    Publish,
    Standing,
    Step,
    TakeIn,
    next_steps,
    standing_after,
    standing_of,
)
from freg_pipeline.client import BatchState, SoekKriterier
from freg_pipeline.errors import ConfigurationError, FregError, GoneError
from freg_pipeline.extract.begin import Fill, open_uttrekk, require_same_settings
from freg_pipeline.extract.liste import taken_list
from freg_pipeline.extract.poll import poll_ready, wait_for_batch
from freg_pipeline.extract.treff import Search
from freg_pipeline.journal.batches import first_missing
from freg_pipeline.journal.kinds import AnyKind, Komplett
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.releases import read_manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.guards import approval
from freg_pipeline.lake.reopen import reopen
from freg_pipeline.orchestration.config import OrderKind, ReleaseConfig
from freg_pipeline.orchestration.engine import Engine, open_engine
from freg_pipeline.orchestration.partitions import UTTREKK
from freg_pipeline.orchestration.resources import Freg

logger = logging.getLogger(__name__)

EVERYONE = Komplett()
MOST_BATCHES, MOST_IDENTIFIERS = 20, 100_000  # of several batches in a run


def begin(
    freg: Freg,
    kind: AnyKind,
    *,
    fill: Fill | None = None,
    name: str | None = None,
    release: ReleaseConfig | None = None,
) -> Uttrekk:
    """Return the uttrekk to work on: a new one, or one that is under way.

    Args:
        freg: settings, store and register.
        kind: what is asked for.
        fill: writes its batches, where it is no job at the register.
        name: as :func:`freg_pipeline.extract.begin.open_uttrekk` takes it, whose errors these are.
        release: how strict its release is.

    Raises:
        OtherKindError: the current release is of another kind; nothing was sent.
    """
    agreed = release is not None and release.allow_other_kind

    return freg.ask(
        lambda register: open_uttrekk(
            freg.store,
            register,
            Question.of(kind, freg.settings, register.base_url),
            fill=fill,
            contract_file=freg.settings.contract_file,
            name=name,
            approval=approval(freg.store, allow_other_kind=agreed),
        )
    )


def run_uttrekk(
    freg: Freg,
    kind: AnyKind = EVERYONE,
    *,
    name: str | None = None,
    release: ReleaseConfig | None = None,
) -> Manifest:
    """Take an uttrekk that is a job at the register to a release; go on with one under way.

    Args and errors as :func:`begin` and :func:`carry_on`.
    """
    return carry_on(freg, begin(freg, kind, name=name, release=release), release=release)


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

    Args and errors as :func:`freg_pipeline.extract.liste.taken_list`, :func:`begin` and
    :func:`carry_on`, and

    Args:
        opened: told the uttrekk once the list is read.
    """
    with taken_list(freg.store, source, column) as taken:
        uttrekk = begin(freg, taken.kind, fill=taken.fill, name=name, release=release)
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

    Args and errors as :func:`begin` and :func:`carry_on`.
    """
    search = Search(kriterier)
    uttrekk = begin(freg, search.kind, fill=search.fill, name=name, release=release)
    return carry_on(freg, uttrekk, release=release)


def carry_on(
    freg: Freg,
    uttrekk: Uttrekk,
    *,
    order_again: bool = False,
    release: ReleaseConfig | None = None,
) -> Manifest:
    """Take an uttrekk that is begun from where it stands to its release.

    What failed before is asked for again, once.

    Raises:
        ConfigurationError: there is no such uttrekk, or it was begun at another register.
        UncertainOrderError: an order's fate is unknown, and ``order_again`` isn't set.
        GoneError: the register no longer has the job, and not all batches are here.
        IncompleteError: not everything is accounted for; nothing was published.
        ContractError: the contract has changed so that queries break; nothing was published.
    """
    require_same_settings(uttrekk, freg.settings)
    release = release or ReleaseConfig()
    reopen(uttrekk, release.policy(freg.settings))
    with open_engine(freg) as engine:
        course = _Course(freg, engine, uttrekk, release)
        return course.run(order_again=order_again)


class _Course:
    """Takes the steps of one uttrekk, one after the other, as :mod:`freg_pipeline.advance` says.

    Args:
        freg: settings, store and register.
        engine: runs the jobs.
        uttrekk: whose steps.
        release: how strict its release is.
    """

    def __init__(
        self, freg: Freg, engine: Engine, uttrekk: Uttrekk, release: ReleaseConfig
    ) -> None:
        self._freg = freg
        self._engine = engine
        self._uttrekk = uttrekk
        self._release = release

    def run(self, *, order_again: bool) -> Manifest:
        """To its release; ``order_again``: order anew where that is a person's decision."""
        self._engine.add(UTTREKK, self._uttrekk.name)
        if not self._uttrekk.kind.is_job:
            self._order(again=False)  # nothing is ordered: the asset records that it is begun
        standing = standing_of(self._uttrekk)
        while True:
            match next_steps(standing)[0]:
                case Done(number):
                    return self._released(number)
                case Ask(error):
                    if not order_again:
                        raise error
                    self._order(again=True)
                    order_again = False
                    standing = standing_of(self._uttrekk)
                case TakeIn():
                    standing = self._take_in(standing)
                case step:
                    self._take(step)
                    standing = standing_after(step, standing, self._uttrekk)

    def _take(self, step: Step) -> None:
        match step:
            case Order():
                self._order(again=False)
            case OrderAnew():
                logger.warning(
                    "the register has lost the job of %s: ordering again", self._uttrekk.name
                )
                self._order(again=True)
            case Poll(batch):
                self._poll(batch)
            case Publish():
                config = {**self._release.model_dump(), "uttrekk": self._uttrekk.name}
                self._engine.run("publish_release", None, {"release": config}, self._uttrekk.name)
            case _:
                msg = f"no step of an uttrekk in this process: {step}"
                raise AssertionError(msg)

    def _take_in(self, standing: Standing) -> Standing:
        """Take in the batches at hand, and those that are ready by now, in one run.

        A run costs more than a small batch does. Of large ones it takes one.
        """
        standing = self._asked_ahead(standing)
        chosen: list[int] = []
        size = 0
        for batch in sorted(standing.batches - standing.landed)[:MOST_BATCHES]:
            size += self._size(batch)
            if chosen and size > MOST_IDENTIFIERS:
                break
            chosen.append(batch)
        self._engine.land(self._uttrekk.name, chosen)
        landed = frozenset(filter(self._uttrekk.has_landed, chosen))
        return replace(standing, landed=standing.landed | landed)

    def _asked_ahead(self, standing: Standing) -> Standing:
        """With the next batches, if they are ready: none is waited for."""
        uttrekk, first = self._uttrekk, first_missing(standing.batches)
        more = MOST_BATCHES - len(standing.batches - standing.landed)
        if not standing.is_ordered or standing.end is not None or more <= 0:
            return standing
        wanted = range(first, first + more)
        try:
            last = self._freg.ask(
                lambda register: poll_ready(register, uttrekk, wanted), waits=False
            )
        except FregError as error:  # it is told where there is nothing else left to do
            logger.info("the next batches aren't here: %s", error.what)
            return standing
        is_ready, is_end = (last.state is one for one in (BatchState.READY, BatchState.END))
        here = range(first, last.batch + is_ready)
        return replace(
            standing,
            batches=standing.batches.union(here),
            end=last.batch if is_end else standing.end,
        )

    def _size(self, batch: int) -> int:
        try:
            return len(self._uttrekk.identifiers(batch))
        except FregError:  # whoever takes it in sees to that
            return 0

    def _order(self, *, again: bool) -> None:
        config = {
            "kind": OrderKind.begun.name,
            "order_again": again,
            "allow_other_kind": self._release.allow_other_kind,
        }
        self._engine.run("full_load", self._uttrekk.name, {"uttrekk": config})
        self._uttrekk = Uttrekk(self._freg.store, self._uttrekk.name)  # it may have a new job

    def _poll(self, batch: int) -> None:
        uttrekk, settings = self._uttrekk, self._freg.settings
        with suppress(GoneError):  # it is recorded, and the next look says what to do
            self._freg.ask(lambda register: wait_for_batch(register, uttrekk, settings, batch))

    def _released(self, number: str | None) -> Manifest:
        if number is None:
            raise ConfigurationError(
                f"the uttrekk {self._uttrekk.name} was abandoned", "Start a new one"
            )
        return read_manifest(self._freg.store, number)
