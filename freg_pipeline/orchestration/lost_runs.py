"""The sensor that ends runs whose process or machine was lost, so that others take them over.

Nobody else tells of them everywhere: Celery reports the task of a worker that died as started for
ever, a code server that died took the knowledge of its runs along, and Kubernetes needs minutes to
miss a machine. A run of ours is heard of every few seconds while one of its steps is at work
(:mod:`freg_pipeline.orchestration.alive`). One that isn't any more is recorded as failed, by which
its place in pools and queue is free, and what it was at is requested again by whoever requests it.
Should its process come back, what it does is found by the other one, and does no harm.

How long a run was silent is measured by this side's clock alone, from look to look: those of
machines differ. A pause between two looks counts for no more than a usual one, since whatever
stopped this side (the database, say) may have kept runs from being heard.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import time
from collections.abc import Callable, Mapping

import dagster as dg
import msgspec
from dagster._core.execution.stats import StepEventStatus
from dagster._core.remote_origin import RemoteRepositoryOrigin

from freg_pipeline.orchestration.alive import BEAT_SECONDS
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.old_runs import OurRecords
from freg_pipeline.orchestration.recorded import is_in_tables
from freg_pipeline.orchestration.running import Running
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.workers import IN_PROCESS, Workers

NAME = "lost_runs_sensor"
LOOK_SECONDS = 20
SILENT_SECONDS = 4 * BEAT_SECONDS
# Where an executor starts a process, or a container, for each step: between two of them.
BETWEEN_STEPS_SECONDS = 900.0
LOADING_SECONDS = 90.0  # what a process takes that loads our code, before its run counts as begun
_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
_PROCESS = "pid"  # what a process tells of itself that takes a run
_LONGEST_PAUSE = LOOK_SECONDS * 2.0  # that counts


class Watched(msgspec.Struct, frozen=True):
    """A run that is under way.

    Attributes:
        heard: when it was heard of, as was recorded: only whether that changes is looked at.
        silent: for how many seconds it hasn't been heard of since.
    """

    heard: float
    silent: float = 0.0


class State(msgspec.Struct, frozen=True):
    """What the sensor keeps between two ticks.

    Attributes:
        looked: when it looked last, by its own clock.
        runs: those that were under way then, by their ids.
    """

    looked: float = 0.0
    runs: dict[str, Watched] = {}


def lost_runs_sensor(
    names: Names,
    running: Running,
    workers: Workers,
    records: Callable[[str | None], OurRecords],
) -> dg.SensorDefinition:
    """What ends runs that were lost.

    Args:
        names: what everything is called.
        running: what runs from the start.
        workers: where jobs run.
        records: what is defined, given where Dagster has loaded it from.
    """
    ours: dict[str | None, OurRecords] = {}

    @dg.sensor(
        name=names.of(NAME),
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=running.sensor(NAME),
        description=(
            "Records a run as failed whose process or machine was lost, within two minutes, so that"
            " its work is requested again. A run that only waits is left alone, however long."
        ),
    )
    @in_our_words
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Look which runs were heard of since the look before."""
        if not is_in_tables(context.instance):
            return dg.SkipReason("Dagster+ watches over its runs itself.")
        label = _label(context)
        if label not in ours:
            ours[label] = records(label)
        before = msgspec.json.decode(context.cursor, type=State) if context.cursor else State()
        after, lost = looked(context.instance, ours[label], before, time.time(), workers)
        for run_id in lost:
            context.log.warning("the run %s was lost", run_id)
        told = f"Lost: {len(lost)}." if lost else "Every run that is under way was heard of."
        is_same = not before.runs and not after.runs  # nothing is written where nothing runs
        cursor = None if is_same else msgspec.json.encode(after).decode()
        return dg.SensorResult(skip_reason=dg.SkipReason(told), cursor=cursor)

    return sensor


def looked(
    instance: dg.DagsterInstance,
    ours: OurRecords,
    before: State,
    now: float,
    workers: Workers = IN_PROCESS,
) -> tuple[State, list[str]]:
    """Look once, and end what was lost; what was seen, and the ids of those that were.

    Args:
        instance: whose runs.
        ours: which of them are looked at.
        before: what the look before has seen.
        now: the time, by this side's clock.
        workers: where jobs run.
    """
    passed = min(max(now - before.looked, 0.0), _LONGEST_PAUSE)
    under_way = instance.get_run_records(dg.RunsFilter(statuses=_UNDER_WAY))
    watched: dict[str, Watched] = {}
    lost: list[str] = []
    for record in under_way:
        run = record.dagster_run
        if not ours.has(run):
            continue
        seen = _seen(record, before.runs, passed)
        is_whole = workers.is_one_process and run.job_name in ours.jobs
        if _is_lost(instance, run, seen.silent, is_whole=is_whole) and _end(
            instance, run.run_id, seen.silent
        ):
            lost.append(run.run_id)
        else:
            watched[run.run_id] = seen
    return State(now, watched), lost


def _seen(record: dg.RunRecord, before: Mapping[str, Watched], passed: float) -> Watched:
    heard = record.update_timestamp.timestamp()
    earlier = before.get(record.dagster_run.run_id)
    if earlier is None or earlier.heard != heard:
        return Watched(heard)
    return Watched(heard, round(earlier.silent + passed, 1))


def _is_lost(
    instance: dg.DagsterInstance, run: dg.DagsterRun, silent: float, *, is_whole: bool
) -> bool:
    """Whether a run that is silent is lost; ``is_whole``: one process does all of its steps."""
    if silent < SILENT_SECONDS:
        return False
    if run.status is dg.DagsterRunStatus.STARTING:
        return silent >= LOADING_SECONDS and _has_process(instance, run.run_id)
    if is_whole:
        return True
    steps = instance.get_run_step_stats(run.run_id)
    at_work = any(step.status is StepEventStatus.IN_PROGRESS for step in steps)
    return at_work or silent >= BETWEEN_STEPS_SECONDS


def _has_process(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a process has taken the run; else it waits for a worker, and isn't lost with one."""
    events = instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    told = [one.dagster_event for one in events if one.dagster_event is not None]
    return any(_PROCESS in one.engine_event_data.metadata for one in told)


def _end(instance: dg.DagsterInstance, run_id: str, silent: float) -> bool:
    """Record it as failed, unless it has ended meanwhile."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in _UNDER_WAY:
        return False
    instance.report_run_failed(
        run,
        f"Nothing was heard of this run for {silent:.0f} seconds: its process or its machine was"
        " lost. What was done lies in the store; the rest is requested again. When that happens to"
        " the same work again and again, its worker lacks memory (docs/operations.md).",
    )
    events = instance.event_log_storage
    if events.supports_global_concurrency_limits:
        events.free_concurrency_slots_for_run(run_id)  # where pools count steps
    return True


def _label(context: dg.SensorEvaluationContext) -> str | None:
    """Where Dagster has loaded us from, as its runs are labelled; None: from nowhere."""
    origin, repository = context.code_location_origin, context.repository_name
    if origin is None or repository is None:
        return None
    return RemoteRepositoryOrigin(origin, repository).get_label()
