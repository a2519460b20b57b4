"""Which code location a command's runs name: the one in which this deployment has the job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus

from freg_pipeline.orchestration.origin import origin_of
from freg_pipeline_tests.recorded_runs import failed

OURS = "__repository__@freg_pipeline.definitions"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def location(name: str) -> RemoteRepositoryOrigin:
    return RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(name), "__repository__")


def found(instance: DagsterInstance, job: str = "land_batch") -> str:
    return origin_of(instance, job, {"uttrekk_sensor"}).repository_origin.get_label()


def turned_on(instance: DagsterInstance, sensor: str, where: str) -> None:
    origin = location(where).get_instigator_origin(sensor)
    instance.add_instigator_state(
        InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING)
    )


def test_where_nothing_is_recorded_it_is_called_as_we_ship_it(
    kept: DagsterInstance, instance: DagsterInstance
) -> None:
    assert found(kept) == found(instance) == OURS


def test_it_is_where_runs_of_the_job_came_from(kept: DagsterInstance) -> None:
    for where in ("older", "newer"):
        failed(kept, "land_batch", origin=location(where).get_job_origin("land_batch"))
    failed(kept, "others_job", origin=location("others").get_job_origin("others_job"))
    failed(kept, "land_batch")  # from nowhere
    assert found(kept) == "__repository__@newer"


def test_before_the_first_run_it_is_where_its_sensor_was_turned_on(kept: DagsterInstance) -> None:
    turned_on(kept, "others_sensor", "others")
    assert found(kept) == OURS
    turned_on(kept, "uttrekk_sensor", "population")
    assert found(kept) == "__repository__@population"
