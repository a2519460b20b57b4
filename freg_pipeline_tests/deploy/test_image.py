"""The image and the compose file. No container is started here: they are linted, and read."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Any

import pytest

from freg_pipeline_tests.deploy import BIN, DEPLOY, documents, settings
from freg_pipeline_tests.deployment import ROOT

COMPOSE = DEPLOY / "compose/compose.yaml"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
(compose,) = documents(COMPOSE)
OURS = {name: of for name, of in compose["services"].items() if "build" in of}


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    subprocess.run([BIN / "hadolint", DEPLOY / "Dockerfile"], check=True)


def test_the_compose_file_follows_the_specification() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE]
    subprocess.run(command, check=True)


def test_the_image_holds_what_the_build_needs_and_nothing_else() -> None:
    let_in = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert sorted(let_in) == sorted(" ".join(copied).split())
    assert all((ROOT / name).exists() for name in let_in)


def test_code_is_compiled_for_the_processor_that_it_is_looked_for_by() -> None:
    built, run = DOCKERFILE.split("\nFROM ")[1:]
    (one,), (other,) = (re.findall(r"NUMBA_CPU_NAME=(\w+)", stage) for stage in (built, run))
    assert one == other == "generic"


def test_nobody_is_root_in_the_image() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_can_do_little(name: str) -> None:
    service = OURS[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"]


@pytest.mark.parametrize("name", OURS)
def test_what_a_service_of_ours_runs_is_installed(name: str) -> None:
    command = OURS[name].get(
        "command", re.findall(r'^CMD \["(\w[\w-]*)"', DOCKERFILE, re.MULTILINE)
    )
    assert os.access(BIN / command[0], os.X_OK)
    for file in (word for word in command if word.startswith("/opt/freg/deploy/")):
        assert (DEPLOY / file.removeprefix("/opt/freg/deploy/")).is_file()


def test_everything_that_is_asked_of_the_environment_is_there() -> None:
    examples = settings(DEPLOY / "compose/freg.env.example")
    examples |= settings(DEPLOY / "compose/celery.env.example")
    asked = {
        name
        for file in ("dagster.yaml", "workspace.yaml", "dagster_celery_config.py")
        for name in re.findall(
            r"(?:env: |environ\[\")(\w+)", (DEPLOY / "several" / file).read_text()
        )
    }
    assert "DAGSTER_CELERY_BROKER" in asked
    for service in OURS.values():
        assert asked <= examples.keys() | service["environment"].keys()


def test_only_who_works_with_the_register_is_given_what_opens_it() -> None:
    given = {name for name, of in compose["services"].items() if "secrets.env" in str(of)}
    assert given == {"code", "worker"}
    assert not any("CELERY" in name for name in settings(DEPLOY / "compose/secrets.env.example"))


def test_secrets_are_files() -> None:
    for service in compose["services"].values():
        environment: dict[str, Any] = service.get("environment", {})
        secret = {name for name in environment if re.search("PASS|SECRET|KEY|TOKEN", name)}
        assert all(environment[name].startswith("/run/secrets/") for name in secret)
        assert set(service.get("secrets", ())) <= compose["secrets"].keys()
    assert all(set(one) == {"file"} for one in compose["secrets"].values())


def test_only_who_has_business_outside_gets_there() -> None:
    assert compose["networks"]["inside"] == {"internal": True}
    outside = {name for name, of in compose["services"].items() if "outside" in of["networks"]}
    assert outside == {"code", "worker"}
    published = [port for of in compose["services"].values() for port in of.get("ports", ())]
    assert published == ["127.0.0.1:3000:3000"]


def test_there_are_as_many_runs_as_processes_to_run_them() -> None:
    worker = compose["services"]["worker"]
    processes = int(worker["environment"]["DAGSTER_WORKER_PROCESSES"])
    (dagster,) = documents(DEPLOY / "several/dagster.yaml")
    most = dagster["concurrency"]["runs"]["max_concurrent_runs"]
    assert most <= worker["deploy"]["replicas"] * processes
