"""The sensor that carries open uttrekk on: polls for batches, requests their runs, then a release.

Each tick makes one cheap call for each open uttrekk, and as many more as batches are ready. What is
to be done is read from the store and from Dagster's runs, not from a cursor, and runs have no
``run_key``: a key is remembered for ever, so a run that failed could never be requested again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import asyncio
from collections import Counter
from collections.abc import Iterator

import dagster as dg

from freg_pipeline.client import BatchState, Register
from freg_pipeline.errors import FregError
from freg_pipeline.extract.poll import poll_once
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.jobs import land_batch, publish_release
from freg_pipeline.orchestration.partitions import UTTREKK, UTTREKK_BATCH, batch_partition
from freg_pipeline.orchestration.resources import Freg

TRIES = 3  # runs of one batch that may fail before an operator has to look
READY_A_TICK = 50  # batches taken in one tick; the next tick takes more
_TAG = "freg/uttrekk"
_PARTITION = "dagster/partition"
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    jobs=[land_batch, publish_release],
    minimum_interval_seconds=30,
    description="Asks the register for ready batches of open uttrekk, and requests their runs.",
)
def uttrekk_sensor(
    context: dg.SensorEvaluationContext, freg: dg.ResourceParam[Freg]
) -> dg.SensorResult:
    """Carry every open uttrekk on by what is possible now."""
    requests: list[dg.RunRequest] = []
    keys: list[str] = []
    names: list[str] = []
    for uttrekk in filter(_is_open, Uttrekk.list_all(freg.store)):
        if uttrekk.end is None:
            _poll(context, freg, uttrekk)
        names.append(uttrekk.name)
        keys += [batch_partition(uttrekk.name, batch) for batch in uttrekk.batches()]
        requests += _requests(context.instance, uttrekk)
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[
            UTTREKK_BATCH.build_add_request(keys),
            UTTREKK.build_add_request(names),
        ],
    )


def _is_open(uttrekk: Uttrekk) -> bool:
    """Whether anything can be done for it here. A sync (hendelser) is carried on by its own job."""
    if uttrekk.request.kind == "hendelser" or uttrekk.release is not None or uttrekk.is_gone:
        return False
    return uttrekk.end is not None or uttrekk.job_id is not None


def _poll(context: dg.SensorEvaluationContext, freg: Freg, uttrekk: Uttrekk) -> None:
    try:
        asyncio.run(_take_ready(freg.register(waits=False), uttrekk))
    except FregError as error:
        # One uttrekk's trouble must not hold up the others; the next tick asks again.
        context.log.warning(str(error))


async def _take_ready(connection: Register, uttrekk: Uttrekk) -> None:
    async with connection as register:
        for _ in range(READY_A_TICK):
            result = await poll_once(register, uttrekk)
            if result.state is not BatchState.READY:
                return


def _requests(instance: dg.DagsterInstance, uttrekk: Uttrekk) -> Iterator[dg.RunRequest]:
    landed = uttrekk.landed()
    under_way, failed = _runs(instance, uttrekk.name)
    for batch in uttrekk.batches():
        key = batch_partition(uttrekk.name, batch)
        if batch not in landed and key not in under_way and failed[key] < TRIES:
            yield dg.RunRequest(
                job_name=land_batch.name, partition_key=key, tags={_TAG: uttrekk.name}
            )
    complete = uttrekk.end is not None and len(landed) == uttrekk.end
    # A release that was refused stays so until somebody has looked: no second try by itself.
    if complete and uttrekk.name not in under_way and not failed[uttrekk.name]:
        yield dg.RunRequest(
            job_name=publish_release.name,
            partition_key=uttrekk.name,
            tags={_TAG: uttrekk.name},
        )


def _runs(instance: dg.DagsterInstance, name: str) -> tuple[set[str], Counter[str]]:
    """Partitions of an uttrekk that have a run under way, and how often each one's run failed."""
    tags = {_TAG: name}
    active = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY, tags=tags))
    failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags=tags))
    carried = (full for full in failed if full.job_name in {land_batch.name, publish_release.name})
    return (
        {run.tags[_PARTITION] for run in active if _PARTITION in run.tags},
        Counter(run.tags[_PARTITION] for run in carried if _PARTITION in run.tags),
    )
