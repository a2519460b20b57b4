"""The manifests, and the values for Dagster's chart: as far as Dagster and Kubernetes' models tell.

The chart itself isn't here. What it makes of the values that are ours is put together as it does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRun
from dagster._config import process_config, resolve_to_config_type, validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from dagster_celery.launcher import CeleryRunLauncher
from dagster_k8s import K8sRunLauncher, construct_dagster_k8s_job
from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict
from kubernetes.client import models

from freg_pipeline_tests.deploy import DEPLOY, documents

FOLDER = DEPLOY / "kubernetes"
(values,) = documents(FOLDER / "values.yaml")
(celery,) = documents(FOLDER / "values-celery.yaml")
(worker,) = documents(FOLDER / "worker.yaml")
policies = documents(FOLDER / "network-policy.yaml")
(code,) = values["dagster-user-deployments"]["deployments"]
(several,) = documents(DEPLOY / "several/dagster.yaml")

CLUSTER = {
    "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "current-context": "none",
    "users": [{"name": "none", "user": {}}],
}


def as_model(kind: Any, given: dict[str, Any]) -> Any:
    """What Kubernetes would read; fails where a name isn't one of its own."""
    return k8s_model_from_dict(kind, k8s_snake_case_dict(kind, given))


@pytest.mark.parametrize("policy", policies, ids=lambda one: one["metadata"]["name"])
def test_a_network_policy_is_one(policy: dict[str, Any]) -> None:
    spec = as_model(models.V1NetworkPolicy, policy).spec
    assert spec.pod_selector is not None
    assert {"Ingress", "Egress"} >= set(spec.policy_types)


def test_nothing_goes_in_or_out_that_no_policy_names() -> None:
    nothing = policies[0]["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("kind", ["code", "webserver", "daemon"])
def test_pods_of_the_chart_can_do_little(kind: str) -> None:
    of = {"code": code, "webserver": values["dagsterWebserver"], "daemon": values["dagsterDaemon"]}
    _can_do_little(of[kind]["podSecurityContext"], of[kind]["securityContext"])
    as_model(models.V1ResourceRequirements, of[kind]["resources"])
    for volume in of[kind]["volumes"]:
        as_model(models.V1Volume, volume)
    for mount in of[kind]["volumeMounts"]:
        as_model(models.V1VolumeMount, mount)


def _can_do_little(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert as_model(models.V1PodSecurityContext, pod).run_as_non_root
    read = as_model(models.V1SecurityContext, container)
    assert read.read_only_root_filesystem
    assert not read.allow_privilege_escalation
    assert read.capabilities.drop == ["ALL"]


@pytest.fixture
def launcher(tmp_path: Path) -> K8sRunLauncher:
    """The launcher by the settings that the chart makes of the values."""
    given = values["runLauncher"]["config"]["k8sRunLauncher"]
    raw = given["runK8sConfig"]
    cluster = tmp_path / "kubeconfig"  # of no cluster: nothing is asked of it
    cluster.write_text(json.dumps(CLUSTER))
    config = {
        "load_incluster_config": False,
        "kubeconfig_file": str(cluster),
        "job_namespace": "freg",
        "image_pull_policy": given["imagePullPolicy"],
        "service_account_name": "dagster",
        "dagster_home": values["global"]["dagsterHome"],
        "instance_config_map": "dagster-instance",
        "postgres_password_secret": values["global"]["postgresqlSecretName"],
        "resources": given["resources"],
        "security_context": given["securityContext"],
        "run_k8s_config": {
            "pod_spec_config": raw["podSpecConfig"],
            "job_spec_config": raw["jobSpecConfig"],
        },
    }
    read = process_config(resolve_to_config_type(K8sRunLauncher.config_type()), config)
    assert read.success, read.errors
    return K8sRunLauncher(**read.value)


def test_a_run_is_a_job_that_kubernetes_takes(launcher: K8sRunLauncher) -> None:
    context = launcher.get_container_context_for_run(DagsterRun(job_name="land_batch"))
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config("freg_pipeline", launcher),
        ["dagster", "api", "execute_run"],
        "run",
        user_defined_k8s_config=context.run_k8s_config,
    )

    pod = job.spec.template.spec
    assert pod.security_context.run_as_user == 10001
    assert pod.automount_service_account_token is False
    assert pod.containers[0].security_context.read_only_root_filesystem
    assert pod.containers[0].resources.limits == {"memory": "2Gi"}
    assert job.spec.backoff_limit == 0


def test_the_rest_of_dagsters_settings_is_that_of_several_machines() -> None:
    rest = values["additionalInstanceConfig"]
    read = validate_config(dagster_instance_config_schema(), rest)
    assert read.success, read.errors
    assert all(rest[name] == several[name] for name in rest)
    limits = several["concurrency"]["runs"]["tag_concurrency_limits"]
    assert values["concurrency"]["runs"]["tagConcurrencyLimits"] == limits
    assert values["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"


def test_with_celery_runs_go_to_workers_of_the_same_kind() -> None:
    launcher = celery["runLauncher"]["config"]["customRunLauncher"]
    assert {**launcher, "config": launcher["config"]} == several["run_launcher"]
    assert launcher["class"] == CeleryRunLauncher.__name__

    read = as_model(models.V1Deployment, worker)
    pod = read.spec.template.spec
    (container,) = pod.containers
    image = code["image"]
    assert container.image == f"{image['repository']}:{image['tag']}"
    raw = worker["spec"]["template"]["spec"]
    _can_do_little(raw["securityContext"], raw["containers"][0]["securityContext"])
    processes = {one.name: one.value for one in container.env}["DAGSTER_WORKER_PROCESSES"]
    most = celery["concurrency"]["runs"]["maxConcurrentRuns"]
    assert most <= read.spec.replicas * int(processes)


def test_no_secret_is_in_a_manifest() -> None:
    for env in [*worker["spec"]["template"]["spec"]["containers"][0]["env"], *code["env"]]:
        if "PASS" in env["name"] or "KEY" in env["name"]:
            assert env.get("value", "/").startswith("/")
