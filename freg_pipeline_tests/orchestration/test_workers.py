"""Where runs of our jobs do their steps, and what they ask a cluster for."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from dagster_k8s.job import get_user_defined_k8s_config

from freg_pipeline import definitions
from freg_pipeline.component import FregComponent
from freg_pipeline.definitions import build_defs
from freg_pipeline.errors import ConfigurationError


def executors(defs: dg.Definitions) -> set[str]:
    """By what the runs of our jobs do their steps, however they are launched."""
    repository = defs.get_repository_def()
    return {job.executor_def.name for job in repository.get_all_jobs()}


def test_no_run_starts_processes_unless_it_is_told_to() -> None:
    assert executors(definitions.defs()) == {"in_process"}


@dg.executor(name="theirs")
def theirs(_: dg.InitExecutorContext) -> dg.Executor:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"in_process", "theirs"}),  # ours, and what is launched from an asset's page
        ({"executor": "multiprocess"}, {"multiprocess", "theirs"}),
        ({"executor": "deployment"}, {"theirs"}),
        ({"executor": theirs}, {"theirs"}),
    ],
)
def test_a_deployment_says_what_runs_its_steps(given: dict[str, Any], expected: set[str]) -> None:
    merged = dg.Definitions.merge(build_defs(**given), dg.Definitions(executor=theirs))
    assert executors(merged) == expected


def test_so_does_a_component() -> None:
    component = FregComponent(executor="multiprocess")
    defs = component.build_defs(None)  # type: ignore[arg-type]
    assert defs.resolve_job_def("full_load").executor_def.name == "multiprocess"


@pytest.mark.parametrize("given", ["celery", "", 5, dg.multiprocess_executor.name.upper()])
def test_an_executor_that_there_is_not_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_defs(executor=given)
    assert "in_process, multiprocess, deployment" in caught.value.remedy


def test_each_job_asks_kubernetes_for_what_it_takes_and_sets_no_limit() -> None:
    defs = build_defs("kommune")
    jobs = [defs.resolve_job_def(job.name) for job in defs.jobs or ()]
    assert len(jobs) >= 9
    for job in jobs:
        config = get_user_defined_k8s_config(job.tags)
        resources = config.container_config["resources"]
        assert resources["requests"]["memory"].endswith("Mi")
        assert "limits" not in resources  # those are the deployment's
        assert int(job.tags["dagster/max_runtime"]) >= 86_400
