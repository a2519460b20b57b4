"""The sensor that carries open uttrekk on: polls for batches, requests their runs, then a release.

Each tick makes one cheap call for each open uttrekk, and as many more as batches are ready. What
comes next is what :mod:`freg_pipeline.advance` says of the store and of the runs that failed, not a
cursor, and runs have no ``run_key``: a key is remembered for ever, so a run that failed could never
be requested again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg

from freg_pipeline.advance import (
    Done,
    OrderAnew,
    Poll,
    Publish,
    Step,
    TakeIn,
    next_steps,
    standing_of,
)
from freg_pipeline.client import BatchState, Register
from freg_pipeline.errors import FregError
from freg_pipeline.extract.begin import require_same_settings
from freg_pipeline.extract.poll import poll_once
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.config import OrderKind
from freg_pipeline.orchestration.jobs import UttrekkJobs
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.partitions import (
    UTTREKK,
    UTTREKK_BATCH,
    batch_partition,
    partitions,
)
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.running import Running
from freg_pipeline.orchestration.runs import runs_of
from freg_pipeline.orchestration.telling import in_our_words

READY_A_TICK = 50  # batches taken in one tick; the next tick takes more


def uttrekk_sensor(names: Names, jobs: UttrekkJobs, running: Running) -> dg.SensorDefinition:
    """What carries open uttrekk on."""
    name = "uttrekk_sensor"

    @dg.sensor(
        name=names.of(name),
        jobs=[*jobs],
        minimum_interval_seconds=30,
        default_status=running.sensor(name),
        required_resource_keys={names.resource},
        description="Asks the register for ready batches of open uttrekk, and requests their runs.",
    )
    @in_our_words
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Carry every open uttrekk on by what is possible now."""
        freg = freg_of(context, names)
        requests: list[dg.RunRequest] = []
        keys: list[str] = []
        open_ones: list[str] = []
        for uttrekk in Uttrekk.list_open(freg.store):
            if uttrekk.kind.is_sync:
                continue  # its steps are taken in one run, which hendelser_sensor requests
            steps = _steps(context, freg, uttrekk)
            open_ones.append(uttrekk.name)
            keys += [batch_partition(uttrekk.name, step.batch) for step in steps
                     if isinstance(step, TakeIn)]  # fmt: skip
            requests += _requests(context.instance, names, uttrekk.name, steps)
        return dg.SensorResult(
            run_requests=requests,
            dynamic_partitions_requests=[
                partitions(names, UTTREKK_BATCH).build_add_request(keys),
                partitions(names, UTTREKK).build_add_request(open_ones),
            ],
        )

    return sensor


def _steps(context: dg.SensorEvaluationContext, freg: Freg, uttrekk: Uttrekk) -> tuple[Step, ...]:
    """What can be done for it now, once the batches that are ready have been taken."""
    steps = next_steps(standing_of(uttrekk))
    if any(isinstance(step, Done) for step in steps):
        uttrekk.close()  # whoever released it was stopped before that
    for first in (step.batch for step in steps if isinstance(step, Poll)):
        try:
            require_same_settings(uttrekk, freg.settings)
            take = partial(_take_ready, uttrekk=uttrekk, first=first)
            if not freg.ask(take, waits=False):
                return steps
        except FregError as error:
            # One uttrekk's trouble must not hold up the others; the next tick asks again.
            context.log.warning(str(error))
        return next_steps(standing_of(uttrekk))
    return steps


async def _take_ready(register: Register, uttrekk: Uttrekk, first: int) -> bool:
    """Take the batches that are ready, from one on; whether that has changed anything."""
    for batch in range(first, first + READY_A_TICK):
        result = await poll_once(register, uttrekk, batch)
        if result.state is BatchState.NOT_READY:
            return batch > first
        if result.state is BatchState.END:
            break
    return True


def _requests(
    instance: dg.DagsterInstance, names: Names, uttrekk: str, steps: tuple[Step, ...]
) -> Iterator[dg.RunRequest]:
    """The runs that take the steps, less those under way or failed a short time ago."""
    runs = runs_of(instance, {names.tag("uttrekk"): uttrekk})
    for step in steps:
        request = _request(names, uttrekk, step)
        if request is not None and runs.may_begin(
            request.job_name or "", request.partition_key or ""
        ):
            yield request


def _request(names: Names, uttrekk: str, step: Step) -> dg.RunRequest | None:
    """The run that takes a step; None: there is nothing to run, or a person decides."""
    partition: str | None = None
    config: dict[str, dict[str, Any]] = {}
    match step:
        case TakeIn(batch):
            job, partition = "land_batch", batch_partition(uttrekk, batch)
        case Publish():
            job, config = "publish_release", {"release": {"uttrekk": uttrekk}}
        case OrderAnew():
            again = {"kind": OrderKind.begun.name, "order_again": True}
            job, partition, config = "full_load", uttrekk, {"uttrekk": again}
        case _:
            return None
    return dg.RunRequest(
        job_name=names.of(job),
        partition_key=partition,
        run_config=names.config(config),
        tags={names.tag("uttrekk"): uttrekk},
    )
