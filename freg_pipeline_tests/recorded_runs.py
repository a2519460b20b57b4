"""Runs as Dagster records them, of jobs that nobody has to wait for."""

from __future__ import annotations

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.remote_origin import RemoteJobOrigin


def failed(
    instance: DagsterInstance,
    job: str,
    partition: str | None = None,
    origin: RemoteJobOrigin | None = None,
    *,
    ours: bool = True,
    **tags: str,
) -> dg.DagsterRun:
    """Record a run that failed, without a word of why; with a tag of ours unless it isn't ours."""
    run = _begun(instance, job, partition, origin, tags, ours=ours)
    instance.report_run_failed(run)
    return run


def cancelled(instance: DagsterInstance, job: str, partition: str) -> dg.DagsterRun:
    """Record a run that somebody cancelled."""
    run = _begun(instance, job, partition, None, {})
    instance.report_run_canceled(run)
    return run


def succeeded(
    instance: DagsterInstance, job: str, partition: str | None = None, **tags: str
) -> dg.DagsterRun:
    """Record a run that succeeded."""
    run = _begun(instance, job, partition, None, tags)
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job)
    instance.report_dagster_event(event, run.run_id)
    return run


def _begun(
    instance: DagsterInstance,
    job: str,
    partition: str | None,
    origin: RemoteJobOrigin | None,
    tags: dict[str, str],
    *,
    ours: bool = True,
) -> dg.DagsterRun:
    if ours:
        tags = {"freg/by": "test", **tags}
    if partition is not None:
        tags = {**tags, "dagster/partition": partition}
    run = dg.DagsterRun(
        job_name=job, tags=tags, status=DagsterRunStatus.STARTED, remote_job_origin=origin
    )
    return instance.add_run(run)
