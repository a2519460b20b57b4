"""The sensor that carries open uttrekk on: polls for batches, requests their runs, then a release.

Each tick makes one cheap call for each open uttrekk, and as many more as batches are ready. What
comes next is what :mod:`freg_pipeline.advance` says of the store and of the runs that failed, not a
cursor, and runs have no ``run_key``: a key is remembered for ever, so a run that failed could never
be requested again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import asyncio
from collections.abc import Iterator

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
from freg_pipeline.orchestration.jobs import full_load, land_batch, publish_release
from freg_pipeline.orchestration.partitions import UTTREKK, UTTREKK_BATCH, batch_partition
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.runs import UTTREKK_TAG, runs_of
from freg_pipeline.orchestration.telling import in_our_words

READY_A_TICK = 50  # batches taken in one tick; the next tick takes more


@dg.sensor(
    jobs=[full_load, land_batch, publish_release],
    minimum_interval_seconds=30,
    description="Asks the register for ready batches of open uttrekk, and requests their runs.",
)
@in_our_words
def uttrekk_sensor(
    context: dg.SensorEvaluationContext, freg: dg.ResourceParam[Freg]
) -> dg.SensorResult:
    """Carry every open uttrekk on by what is possible now."""
    requests: list[dg.RunRequest] = []
    keys: list[str] = []
    names: list[str] = []
    for uttrekk in Uttrekk.list_open(freg.store):
        if uttrekk.kind.is_sync:
            continue  # one step, which hendelser_sensor requests: it has no partition
        steps = _steps(context, freg, uttrekk)
        names.append(uttrekk.name)
        keys += [batch_partition(uttrekk.name, step.batch) for step in steps
                 if isinstance(step, TakeIn)]  # fmt: skip
        requests += _requests(context.instance, uttrekk, steps)
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[
            UTTREKK_BATCH.build_add_request(keys),
            UTTREKK.build_add_request(names),
        ],
    )


def _steps(context: dg.SensorEvaluationContext, freg: Freg, uttrekk: Uttrekk) -> tuple[Step, ...]:
    """What can be done for it now, once the batches that are ready have been taken."""
    steps = next_steps(standing_of(uttrekk))
    if any(isinstance(step, Done) for step in steps):
        uttrekk.close()  # whoever released it was stopped before that
    if not any(isinstance(step, Poll) for step in steps):
        return steps
    try:
        require_same_settings(uttrekk, freg.settings)
        asyncio.run(_take_ready(freg.register(waits=False), uttrekk))
    except FregError as error:
        # One uttrekk's trouble must not hold up the others; the next tick asks again.
        context.log.warning(str(error))
    return next_steps(standing_of(uttrekk))


async def _take_ready(connection: Register, uttrekk: Uttrekk) -> None:
    async with connection as register:
        for _ in range(READY_A_TICK):
            result = await poll_once(register, uttrekk)
            if result.state is not BatchState.READY:
                return


def _requests(
    instance: dg.DagsterInstance, uttrekk: Uttrekk, steps: tuple[Step, ...]
) -> Iterator[dg.RunRequest]:
    """The runs that take the steps, less those under way or failed a short time ago."""
    runs = runs_of(instance, UTTREKK_TAG, uttrekk.name)
    for step in steps:
        match step:
            case TakeIn(batch):
                job, key = land_batch.name, batch_partition(uttrekk.name, batch)
            case Publish():
                job, key = publish_release.name, uttrekk.name
            case OrderAnew():
                job, key = full_load.name, uttrekk.name
            case _:  # nothing to run, or for a person to decide
                continue
        if runs.may_begin(job, key):
            config = _ORDER_AGAIN if isinstance(step, OrderAnew) else {}
            yield dg.RunRequest(
                job_name=job,
                partition_key=key,
                tags={UTTREKK_TAG: uttrekk.name},
                run_config=config,
            )


_ORDER_AGAIN = {"ops": {"uttrekk": {"config": {"kind": OrderKind.begun.name, "order_again": True}}}}
