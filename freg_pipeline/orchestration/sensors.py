"""The sensor that carries open uttrekk on: polls for batches, requests their runs, then a release.

Each tick makes one cheap call for each open uttrekk, and as many more as batches are ready, until
its time is up: the cursor tells with which one the next tick begins. What comes next is what
:mod:`freg_pipeline.advance` says of the store and of the runs that failed, and runs have no
``run_key``: a key is remembered for ever, so a run that failed could never be requested again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import dagster as dg

from freg_pipeline.advance import (
    Done,
    MakePiece,
    OrderAnew,
    PlanRelease,
    Poll,
    Publish,
    Standing,
    Step,
    TakeIn,
    next_steps,
    standing_of,
)
from freg_pipeline.client import BatchState
from freg_pipeline.errors import FregError
from freg_pipeline.extract.begin import require_same_settings
from freg_pipeline.extract.poll import poll_ready
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.config import OrderKind
from freg_pipeline.orchestration.grouping import batches_to_request
from freg_pipeline.orchestration.jobs import UttrekkJobs
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.partitions import (
    RELEASE_PIECE,
    UTTREKK,
    UTTREKK_BATCH,
    partitions,
    piece_partition,
)
from freg_pipeline.orchestration.pools import limit_pools
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.running import Running
from freg_pipeline.orchestration.runs import Runs, runs_of
from freg_pipeline.orchestration.sharing import PIECE_JOB
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.tick_time import TickTime

# Batches of an uttrekk that one tick asks for: with those of the next ones, ten a second.
READY_A_TICK = 160
Added = dg.AddDynamicPartitionsRequest
REQUESTS_A_TICK = 100  # as many runs as are ever begun before the next tick


def uttrekk_sensor(names: Names, jobs: UttrekkJobs, running: Running) -> dg.SensorDefinition:
    """What carries open uttrekk on."""
    name = "uttrekk_sensor"

    @dg.sensor(
        name=names.of(name),
        jobs=[*jobs],
        minimum_interval_seconds=15,
        default_status=running.sensor(name),
        required_resource_keys={names.resource},
        description="Asks the register for ready batches of open uttrekk, and requests their runs.",
    )
    @in_our_words
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Carry every open uttrekk on by what is possible now."""
        return _Tick(context, names, freg_of(context, names)).result()

    return sensor


class _Tick:
    """One evaluation of the sensor.

    Args:
        context: of the sensor.
        names: of the store.
        freg: settings, store and register.
    """

    def __init__(self, context: dg.SensorEvaluationContext, names: Names, freg: Freg) -> None:
        self._context = context
        self._names = names
        self._freg = freg
        self._time = TickTime(freg.settings.tick_seconds)
        self._requests: list[dg.RunRequest] = []

    def result(self) -> dg.SensorResult:
        """What is requested, and with whom the next tick begins."""
        limit_pools(self._context.instance, self._names)
        # A sync's steps are taken in one run, which hendelser_sensor requests.
        open_ones = [one for one in Uttrekk.list_open(self._freg.store) if not one.kind.is_sync]
        later = self._carry_on(_beginning_with(self._context.cursor, open_ones))
        return dg.SensorResult(
            run_requests=self._requests,
            dynamic_partitions_requests=[
                *self._new(UTTREKK, [one.name for one in open_ones]),
                *self._new(UTTREKK_BATCH, self._asked("land_batch")),
                *self._new(RELEASE_PIECE, self._asked(PIECE_JOB)),
            ],
            cursor=later if later != (self._context.cursor or "") else None,
        )  # fmt: skip

    def _carry_on(self, open_ones: list[Uttrekk]) -> str:
        """One after the other; the name of the first that is left for the next tick, if any is."""
        later = ""
        for uttrekk in open_ones:
            if self._time.is_up or len(self._requests) >= REQUESTS_A_TICK:
                return later or uttrekk.name
            standing = self._standing(uttrekk)
            steps = next_steps(standing)
            polls = [step.batch for step in steps if isinstance(step, Poll)]
            if polls and self._time.may_ask:
                steps = self._polled(uttrekk, standing, polls[0])
            elif polls:
                later = later or uttrekk.name
            if any(isinstance(step, Done) for step in steps):
                uttrekk.close()  # whoever released it was stopped before that
            wanted = _requests(self._context.instance, self._names, uttrekk, steps)
            self._requests += islice(wanted, REQUESTS_A_TICK - len(self._requests))
        return later

    def _polled(self, uttrekk: Uttrekk, standing: Standing, first: int) -> tuple[Step, ...]:
        """What can be done for it once the batches that are ready have been taken."""
        asked = range(first, first + READY_A_TICK)
        try:
            require_same_settings(uttrekk, self._freg.settings)
            last = self._time.ask(self._freg, partial(poll_ready, uttrekk=uttrekk, batches=asked))
        except FregError as error:
            # One uttrekk's trouble must not hold up the others; the next tick asks again.
            self._context.log.warning(str(error))
            return next_steps(self._standing(uttrekk))
        is_end = last.state is BatchState.END
        taken = range(first, last.batch + (last.state is BatchState.READY))
        return next_steps(
            replace(
                standing,
                batches=standing.batches.union(taken),
                end=last.batch if is_end else standing.end,
            )
        )

    def _standing(self, uttrekk: Uttrekk) -> Standing:
        return standing_of(uttrekk, is_shared=self._freg.settings.share_release)

    def _asked(self, job: str) -> list[str | None]:
        """The partitions that a job is requested for."""
        of = self._names.of(job)
        return [one.partition_key for one in self._requests if one.job_name == of]

    def _new(self, kind: str, keys: Sequence[str | None]) -> Iterator[Added]:
        """What makes those partitions known that aren't: a tick's record holds all of them."""
        has = partial(self._context.instance.has_dynamic_partition, self._names.of(kind))
        new = [key for key in keys if key is not None and not has(key)]
        if new:
            yield partitions(self._names, kind).build_add_request(new)


def _beginning_with(name: str | None, open_ones: list[Uttrekk]) -> list[Uttrekk]:
    """The same, the one of that name first, where it is still open."""
    first = next((place for place, one in enumerate(open_ones) if one.name == name), 0)
    return [*open_ones[first:], *open_ones[:first]]


def _requests(
    instance: dg.DagsterInstance, names: Names, uttrekk: Uttrekk, steps: tuple[Step, ...]
) -> Iterator[dg.RunRequest]:
    """The runs that take the steps, less those under way or failed a short time ago."""
    runs = runs_of(instance, {names.tag("uttrekk"): uttrekk.name})
    land_batch = names.of("land_batch")
    batches = [step.batch for step in steps if isinstance(step, TakeIn)]
    for partition in batches_to_request(uttrekk, batches, runs, land_batch):
        yield _request(names, uttrekk.name, "land_batch", partition)
    for step in steps:
        match step:
            case PlanRelease():
                yield from _piece(names, uttrekk.name, None, runs)
            case MakePiece(piece):
                yield from _piece(names, uttrekk.name, piece, runs)
            case Publish() if runs.may_begin(names.of("publish_release")):
                config = {"release": {"uttrekk": uttrekk.name}}
                yield _request(names, uttrekk.name, "publish_release", None, config)
            case OrderAnew() if runs.may_begin(names.of("full_load"), uttrekk.name):
                again = {"kind": OrderKind.begun.name, "order_again": True}
                yield _request(names, uttrekk.name, "full_load", uttrekk.name, {"uttrekk": again})
            case _:
                pass  # there is nothing to run, or a person decides


def _piece(names: Names, uttrekk: str, piece: int | None, runs: Runs) -> Iterator[dg.RunRequest]:
    """The run that makes a piece of a release, None: its plan, if it may begin."""
    partition = piece_partition(uttrekk, piece)
    if runs.may_begin(names.of(PIECE_JOB), partition):
        yield _request(names, uttrekk, PIECE_JOB, partition)


def _request(
    names: Names,
    uttrekk: str,
    job: str,
    partition: str | None,
    config: Mapping[str, Mapping[str, Any]] | None = None,
) -> dg.RunRequest:
    return dg.RunRequest(
        job_name=names.of(job),
        partition_key=partition,
        run_config=names.config(config or {}),
        tags={names.tag("uttrekk"): uttrekk},
    )
