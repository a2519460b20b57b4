"""The sensor that carries open uttrekk on: polls for batches, requests their runs, then a release.

Each tick makes one cheap call for each open uttrekk, and as many more as batches are ready. What
comes next is what :mod:`freg_pipeline.advance` says of the store and of the runs that failed, not a
cursor, and runs have no ``run_key``: a key is remembered for ever, so a run that failed could never
be requested again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Iterator
from functools import partial

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
from freg_pipeline.orchestration.common import FregResource
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
def uttrekk_sensor(context: dg.SensorEvaluationContext, freg: FregResource) -> dg.SensorResult:
    """Carry every open uttrekk on by what is possible now."""
    requests: list[dg.RunRequest] = []
    keys: list[str] = []
    names: list[str] = []
    for uttrekk in Uttrekk.list_open(freg.store):
        if uttrekk.kind.is_sync:
            continue  # its steps are taken in one run, which hendelser_sensor requests
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
    instance: dg.DagsterInstance, uttrekk: Uttrekk, steps: tuple[Step, ...]
) -> Iterator[dg.RunRequest]:
    """The runs that take the steps, less those under way or failed a short time ago."""
    runs = runs_of(instance, UTTREKK_TAG, uttrekk.name)
    for step in steps:
        request = _request(uttrekk.name, step)
        if request is not None and runs.may_begin(
            request.job_name or "", request.partition_key or ""
        ):
            yield request


def _request(name: str, step: Step) -> dg.RunRequest | None:
    """The run that takes a step; None: there is nothing to run, or a person decides."""
    tags = {UTTREKK_TAG: name}
    match step:
        case TakeIn(batch):
            key = batch_partition(name, batch)
            return dg.RunRequest(job_name=land_batch.name, partition_key=key, tags=tags)
        case Publish():
            config = _config("release", uttrekk=name)
            return dg.RunRequest(job_name=publish_release.name, run_config=config, tags=tags)
        case OrderAnew():
            config = _config("uttrekk", kind=OrderKind.begun.name, order_again=True)
            return dg.RunRequest(
                job_name=full_load.name, partition_key=name, run_config=config, tags=tags
            )
        case _:
            return None


def _config(asset: str, **fields: object) -> dict[str, object]:
    return {"ops": {asset: {"config": fields}}}
