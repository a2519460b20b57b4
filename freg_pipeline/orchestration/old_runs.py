"""Which of Dagster's runs are old enough to go, with all that is recorded of them.

A deployment may be shared: only runs of our own jobs and assets go, and not those that somebody or
something still looks at. What is removed, and how, is in
:mod:`freg_pipeline.orchestration.recorded`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterInstance

from freg_pipeline.orchestration import recorded
from freg_pipeline.orchestration.runs import carries_our_tag

_AT_ONCE = 200  # runs that are looked at together
_ASSET_JOB = "__ASSET_JOB"  # the job of what was launched from an asset's page
_ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


@dataclass(frozen=True)
class OurRecords:
    """What of an instance belongs to one store.

    Attributes:
        jobs: the names of its jobs.
        assets: the keys of its assets.
        partitions: the names of its sets of partitions.
        sensors: the names of its sensors.
        location: where Dagster loads it from, as its runs are labelled; None: from nowhere, as a
            command's runs.
    """

    jobs: frozenset[str]
    assets: frozenset[dg.AssetKey]
    partitions: frozenset[str] = frozenset()
    sensors: frozenset[str] = frozenset()
    location: str | None = None

    @classmethod
    def of(cls, definitions: dg.Definitions, location: str | None = None) -> OurRecords:
        """What a code location defines."""
        graph = definitions.resolve_asset_graph()
        sets = {graph.get(key).partitions_def for key in graph.get_all_asset_keys()}
        return cls(
            frozenset(job.name for job in definitions.jobs or ()),
            frozenset(graph.get_all_asset_keys()),
            frozenset(
                one.name for one in sets
                if isinstance(one, dg.DynamicPartitionsDefinition) and one.name
            ),
            frozenset(one.name for one in definitions.sensors or ()),
            location,
        )  # fmt: skip

    def has(self, run: dg.DagsterRun) -> bool:
        """Whether a run is one of ours. Another code location's may have a job of the same name."""
        if run.job_name == _ASSET_JOB:
            is_named = bool(run.asset_selection) and self.assets >= (run.asset_selection or set())
        else:
            is_named = run.job_name in self.jobs
        origin = run.remote_job_origin
        if origin is not None:
            return is_named and origin.repository_origin.get_label() == self.location
        return is_named and carries_our_tag(run)  # a command's


@dataclass(frozen=True)
class Tidied:
    """What became of old runs.

    Attributes:
        runs: how many were removed.
        left: whether some are left for the next time, since the time was up.
    """

    runs: int
    left: bool


def remove_old_runs(
    instance: DagsterInstance,
    ours: OurRecords,
    *,
    days: float,
    seconds: float,
    is_needed: Callable[[dg.DagsterRun], bool] = lambda _: False,
) -> Tidied:
    """Remove runs that ended so many days ago, the oldest first, and what else is as old.

    What was recorded last of an asset, of a partition that there still is, of a check and of a job
    stays, with its run. Whoever is stopped in the middle leaves nothing that the next one doesn't
    find.

    Args:
        instance: whose.
        ours: which belong to us.
        days: how long they are kept.
        seconds: after which no other run is begun with.
        is_needed: whether a run is to stay all the same.
    """
    if not recorded.is_in_tables(instance):
        return Tidied(0, left=False)  # Dagster+ keeps them as long as is agreed with it
    until = time.monotonic() + seconds
    before = datetime.now(UTC) - timedelta(days=days)
    removed = 0
    for run in old_runs(instance, ours, before, is_needed):
        if time.monotonic() >= until:
            return Tidied(removed, left=True)
        recorded.remove_run(instance, run.run_id)
        removed += 1
    _remove_ticks(instance, ours, before)
    is_done = recorded.remove_events(instance, ours.assets, before, until)
    recorded.give_space_back(instance)
    return Tidied(removed, left=not is_done)


def old_runs(
    instance: DagsterInstance,
    ours: OurRecords,
    before: datetime,
    is_needed: Callable[[dg.DagsterRun], bool],
) -> Iterator[dg.DagsterRun]:
    """The runs that go, the oldest first; they may be removed meanwhile."""
    if recorded.is_in_tables(instance):
        keep = _latest(instance, ours)
        found = _ended(instance, ours, before)
        yield from (run for run in found if run.run_id not in keep and not is_needed(run))


def _latest(instance: DagsterInstance, ours: OurRecords) -> set[str]:
    """The runs that hold what is newest, or that somebody works with."""
    partitions = {key for name in ours.partitions for key in instance.get_dynamic_partitions(name)}
    of_jobs = {
        run.run_id
        for job in ours.jobs
        for run in instance.get_runs(dg.RunsFilter(job_name=job), limit=1)
    }
    return of_jobs | recorded.runs_of_latest(instance, ours.assets, partitions)


def _ended(
    instance: DagsterInstance, ours: OurRecords, before: datetime
) -> Iterator[dg.DagsterRun]:
    """Our runs that ended before a time, the oldest first. They may be removed meanwhile."""
    for job in (*sorted(ours.jobs), _ASSET_JOB):
        wanted = dg.RunsFilter(job_name=job, statuses=_ENDED, updated_before=before)
        passed: str | None = None  # the last one that stayed
        while found := instance.get_runs(wanted, cursor=passed, limit=_AT_ONCE, ascending=True):
            for run in found:
                if ours.has(run):
                    yield run
            here = instance.get_runs(dg.RunsFilter(run_ids=[run.run_id for run in found]))
            stayed = {run.run_id for run in here}
            passed = next((one.run_id for one in reversed(found) if one.run_id in stayed), passed)


def _remove_ticks(instance: DagsterInstance, ours: OurRecords, before: datetime) -> None:
    """Remove old ticks of our sensors, for those whose dagster.yaml doesn't."""
    if ours.location is None:
        return  # a command's records: nothing ticks there
    for state in instance.all_instigator_state():
        label = state.origin.repository_origin.get_label()
        if state.name in ours.sensors and label == ours.location:
            instance.purge_ticks(state.instigator_origin_id, state.selector_id, before.timestamp())
