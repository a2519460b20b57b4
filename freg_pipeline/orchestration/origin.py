"""Where a run that a command makes is shown on Dagster's page: under its job, as the page's own.

The page lists runs under their jobs and on the timeline by the code location that they come from.
One that is made in a process of its own comes from none, and would be listed nowhere: it names the
location that holds its job. What that is called here is told by what the page has recorded.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial

import dagster as dg
from dagster import DagsterInstance
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

# As workspace.yaml, which names no other, has it.
_OURS = RemoteRepositoryOrigin(
    ManagedGrpcPythonEnvCodeLocationOrigin(
        LoadableTargetOrigin(
            executable_path=sys.executable, module_name="freg_pipeline.definitions"
        )
    ),
    SINGLETON_REPOSITORY_NAME,
)


@contextmanager
def placed(instance: DagsterInstance, origin: RemoteJobOrigin) -> Iterator[None]:
    """Have the runs that are made meanwhile come from a job of the page's."""
    create = partial(instance.create_run_for_job, remote_job_origin=origin)
    instance.create_run_for_job = create  # type: ignore[method-assign]  # nothing passes it on
    try:
        yield
    finally:
        del instance.create_run_for_job


def origin_of(
    instance: DagsterInstance, job: str, sensors: Collection[str] = ()
) -> RemoteJobOrigin:
    """Where the page of an instance finds a job: as it has told, or else as we ship it.

    Args:
        instance: whose page.
        job: its name.
        sensors: of the same code location.
    """
    told = None
    if instance.is_persistent:  # else no page has told anything
        told = _told_by_runs(instance, job) or _told_by_sensors(instance, sensors)
    return (told or _OURS).get_job_origin(job)


def _told_by_runs(instance: DagsterInstance, job: str) -> RemoteRepositoryOrigin | None:
    """Another location, from which a run of the job has come; that of the newest one."""
    known = dict(instance.get_run_tags(tag_keys=[REPOSITORY_LABEL_TAG]))
    others = sorted(known.get(REPOSITORY_LABEL_TAG, set()) - {_OURS.get_label()})
    if not others:
        return None
    wanted = dg.RunsFilter(job_name=job, tags={REPOSITORY_LABEL_TAG: others})
    records = instance.get_run_records(wanted, limit=1)
    origins = (one.dagster_run.remote_job_origin for one in records)
    return next((one.repository_origin for one in origins if one is not None), None)


def _told_by_sensors(
    instance: DagsterInstance, sensors: Collection[str]
) -> RemoteRepositoryOrigin | None:
    """Where somebody has turned a sensor on."""
    states = instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
    told = [one.origin for one in states if one.origin.instigator_name in sensors]
    return told[0].repository_origin if told else None
