"""What Dagster's records say is wrong: jobs that failed and haven't succeeded since, failed checks.

Of a deployment that others share only what is this store's. Of an error's text only our own lines
are told: a library's may quote anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import quote

import dagster as dg
from dagster import DagsterEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from freg_pipeline.alerts.incidents import MOST_PARTS, Incidents, Sign
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.runs import (
    MOST_LOST,
    PARTITION_TAG,
    carries_our_tag,
    ended,
    is_lost_again_and_again,
)
from freg_pipeline.orchestration.unreleased import NO_RELEASE

RUN, CHECK, CANCELLED = "run/", "check/", "waiting/cancelled/"  # how keys of incidents begin
CANCELLED_PATIENCE = timedelta(days=1)  # who cancels a run knows of it
MOST_RUNS = 500  # looked at in one look; the next one sees the rest


@dataclass(frozen=True)
class Ours:
    """What in a deployment is this store's.

    Attributes:
        names: what it is called.
        jobs: the names of its jobs.
        checks: its checks, without those whose failure is a failed run.
        location: the code location; None: not known, as for a command.
    """

    names: Names
    jobs: frozenset[str]
    checks: tuple[dg.AssetCheckKey, ...] = ()
    location: str | None = None

    @classmethod
    def of(cls, names: Names, definitions: dg.Definitions) -> Self:
        """What definitions hold. A blocking check that fails is a failed run, and told as such."""
        made = [*(definitions.assets or ()), *(definitions.asset_checks or ())]
        specs = [
            spec
            for one in made
            if isinstance(one, dg.AssetsDefinition)
            for spec in one.check_specs
            if not spec.blocking
        ]
        jobs = frozenset(job.name for job in definitions.jobs or ())
        return cls(names, jobs, tuple(spec.key for spec in specs))

    def has(self, run: dg.DagsterRun) -> bool:
        """Whether a run is of one of its jobs.

        A run that names no code location may be anybody's, whose job has the same name: ours are
        those that carry a tag of ours.
        """
        if run.job_name not in self.jobs:
            return False
        origin = run.remote_job_origin
        if origin is None:
            return carries_our_tag(run)
        return self.location in (None, origin.location_name)

    def about(self, run: dg.DagsterRun) -> str:
        """The uttrekk or the compaction that a run is of; "" for none."""
        tags = (self.names.tag("uttrekk"), self.names.tag("compaction"))
        told = next((run.tags[tag] for tag in tags if tag in run.tags), None)
        return told or run.tags.get(PARTITION_TAG, "").split("/")[0]


def failures(
    instance: dg.DagsterInstance,
    ours: Ours,
    since: datetime,
    before: Incidents | None = None,
    seen: Collection[str] = (),
) -> tuple[list[Sign], list[str]]:
    """Jobs that failed and haven't succeeded since: one sign for a job of an uttrekk.

    Args:
        instance: whose records.
        ours: which jobs.
        since: from when on runs are looked at.
        before: what was wrong at the last look: of it what hasn't succeeded since goes on.
        seen: the runs that the last look counted.

    Returns:
        The signs, and the runs that this look has counted.
    """
    wanted = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
    records = instance.get_run_records(wanted, limit=MOST_RUNS)
    found: dict[tuple[str, str], list[dg.RunRecord]] = defaultdict(list)
    for record in records:  # the newest first
        run = record.dagster_run
        if ours.has(run):
            found[(run.job_name, ours.about(run))].append(record)
    carried = {_read_key(key): key for key in before or {} if key.startswith(RUN)}
    signs = []
    for job, about in {**found, **dict.fromkeys(carried)}:
        runs = found.get((job, about), [])
        incident = (before or {}).get(carried.get((job, about), ""))
        parts = {**(incident.parts if incident else {}), **_parts(runs)}
        failing = _not_succeeded(instance, ours, job, about, parts)
        if not failing:
            continue
        new = [one for one in runs if one.dagster_run.run_id not in seen]
        if runs:
            signs.append(_failed(instance, job, about, runs, failing, len(new)))
        elif incident is not None:
            key = carried[(job, about)]
            told = Sign(key, incident.what, incident.remedy, incident.last, times=0, parts=failing)
            signs.append(told)
    return signs, [record.dagster_run.run_id for record in records]


def _read_key(key: str) -> tuple[str, str]:
    job, _, about = key.removeprefix(RUN).removeprefix(CANCELLED).partition("/")
    return job, about


def about_of(key: str) -> str:
    """The uttrekk or the compaction that a key of :func:`failures` is of; "" for none."""
    return _read_key(key)[1]


def _parts(runs: Iterable[dg.RunRecord]) -> dict[str, datetime]:
    """When each partition failed last."""
    parts: dict[str, datetime] = {}
    for record in runs:
        parts.setdefault(record.dagster_run.tags.get(PARTITION_TAG, ""), ended(record))
    return dict(sorted(parts.items())[:MOST_PARTS])


def _not_succeeded(
    instance: dg.DagsterInstance,
    ours: Ours,
    job: str,
    about: str,
    parts: Mapping[str, datetime],
    ends: Sequence[dg.DagsterRunStatus] = (dg.DagsterRunStatus.SUCCESS,),
) -> dict[str, datetime]:
    """The parts for which no run has ended like that since."""
    succeeded = dg.RunsFilter(job_name=job, statuses=ends, updated_after=min(parts.values()))
    limit = 20 if set(parts) == {""} and not about else MOST_RUNS
    best: dict[str, datetime] = {}
    for record in instance.get_run_records(succeeded, limit=limit):
        run = record.dagster_run
        if ours.has(run) and ours.about(run) == about:
            best.setdefault(run.tags.get(PARTITION_TAG, ""), ended(record))
    return {part: at for part, at in parts.items() if part not in best or best[part] < at}


def cancelled(instance: dg.DagsterInstance, ours: Ours, since: datetime) -> list[Sign]:
    """What somebody cancelled for an uttrekk or a compaction, and nobody has launched again.

    Args:
        instance: whose records.
        ours: which jobs.
        since: from when on runs are looked at.
    """
    wanted = dg.RunsFilter(statuses=[dg.DagsterRunStatus.CANCELED], updated_after=since)
    found: dict[tuple[str, str], list[dg.RunRecord]] = defaultdict(list)
    for record in instance.get_run_records(wanted, limit=MOST_RUNS):
        run = record.dagster_run
        if ours.has(run) and ours.about(run):
            found[(run.job_name, ours.about(run))].append(record)
    ends = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
    return [
        Sign(
            key=f"{CANCELLED}{job}/{about}",
            what=f"{job} of {about} was cancelled, and nothing launches it again by itself",
            remedy=f"Launch it again, or give it up: freg uttrekk abandon {about}",
            at=ended(records[0]),
            link=f"runs/{records[0].dagster_run.run_id}",
            patience=CANCELLED_PATIENCE,
        )
        for (job, about), records in found.items()
        if _not_succeeded(instance, ours, job, about, _parts(records), ends)
    ]


def _failed(
    instance: dg.DagsterInstance,
    job: str,
    about: str,
    runs: Sequence[dg.RunRecord],
    failing: Mapping[str, datetime],
    times: int,
) -> Sign:
    run_id = runs[0].dagster_run.run_id
    of = f" of {about}" if about else ""
    many = f" for {len(failing)} partitions" if len(failing) > 1 else ""
    why, remedy = _lost_again(runs) or reason(instance, run_id)
    return Sign(
        key=f"{RUN}{job}/{about}",
        what=f"{job}{of} failed{many}: {why}",
        remedy=remedy,
        at=ended(runs[0]),
        times=times,
        link=f"runs/{run_id}",
        parts=failing,
    )


def _lost_again(runs: Sequence[dg.RunRecord]) -> tuple[str, str] | None:
    """What to tell where a partition has lost its worker each time, and isn't requested again."""
    parts: dict[str, list[dg.RunRecord]] = defaultdict(list)
    for record in runs:
        parts[record.dagster_run.tags.get(PARTITION_TAG, "")].append(record)
    again = sorted(part for part, records in parts.items() if is_lost_again_and_again(records))
    if not again:
        return None
    return (
        f"its process was lost {MOST_LOST} times in a row, and it isn't requested again",
        f"Give workers more memory, then launch {again[0] or 'it'} again",
    )


def reason(instance: dg.DagsterInstance, run_id: str) -> tuple[str, str]:
    """Why a run failed, without a full stop, and what to do where that isn't said."""
    kinds = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
    records = instance.get_records_for_run(run_id, of_type=kinds, limit=20).records
    events = [one.event_log_entry.dagster_event for one in records]
    for event in events:
        if event is None or event.event_type is not DagsterEventType.STEP_FAILURE:
            continue
        failed = event.step_failure_data
        if failed.user_failure_data is not None and failed.user_failure_data.description:
            return failed.user_failure_data.description.rstrip("."), ""
        error = failed.error
        while error is not None and error.cause is not None:
            error = error.cause
        named = error.cls_name if error is not None and error.cls_name else "an error"
        return f"it ended with {named}", "Look at the run"
    return "its process was lost, or it never began", "Look at the run, and at the daemon's log"


def failed_checks(
    instance: dg.DagsterInstance, ours: Ours, *, warnings: bool, errors: bool = True
) -> list[Sign]:
    """The checks whose latest evaluation failed.

    Args:
        instance: whose records.
        ours: which checks.
        warnings: those that only warn, too.
        errors: those that don't.
    """
    if not ours.checks:
        return []
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(ours.checks)
    signs = []
    for key in ours.checks:
        record = latest.get(key)
        if record is None or record.status is not AssetCheckExecutionRecordStatus.FAILED:
            continue
        told = record.evaluation
        if told is not None and told.description == NO_RELEASE:
            continue
        is_warning = told is not None and told.severity is dg.AssetCheckSeverity.WARN
        if not (warnings if is_warning else errors):
            continue
        name, path = key.asset_key.to_user_string(), "/".join(map(quote, key.asset_key.path))
        signs.append(
            Sign(
                key=f"{CHECK}{name}/{key.name}",
                what=f"the check {key.name} of {name} failed",
                remedy="Look at what it counted",
                at=datetime.fromtimestamp(record.create_timestamp, UTC),
                times=0,
                link=f"assets/{path}?view=checks&checkDetail={quote(key.name)}",
            )
        )
    return signs
