"""An uttrekk of very many small batches: what a tick of its sensor costs, and what is recorded."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.client import Register
from freg_pipeline.extract.order import place_order
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration import grouping
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.sensors import READY_A_TICK
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import opened
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.waiting import wait_until

MOST_REQUESTS = 200  # to the store, a tick
A_PAGE = 1_000  # objects that S3 lists in one answer
MakeFreg = Callable[..., Freg]


class Counting(LocalStore):
    """Counts requests, as S3 would get them."""

    requests = 0

    def exists(self, key: str) -> bool:
        self.requests += 1
        return super().exists(key)

    def read(self, key: str) -> bytes:
        self.requests += 1
        return super().read(key)

    def write(self, key: str, data: bytes) -> bool:
        before = self.requests
        is_new = super().write(key, data)  # which looks first, where S3 needn't
        self.requests = before + 1
        return is_new

    def replace(self, key: str, data: bytes) -> None:
        self.requests += 1
        super().replace(key, data)

    def delete(self, key: str) -> None:
        self.requests += 1
        super().delete(key)

    def list(self, prefix: str) -> list[str]:
        found = super().list(prefix)
        self.requests += max(1, math.ceil(len(found) / A_PAGE))
        return found


class Daemon:
    """Looks as Dagster's daemon does, and has what is requested done, or recorded as under way."""

    def __init__(self, freg: Freg, instance: DagsterInstance, store: Counting) -> None:
        self._freg = freg
        self._instance = instance
        self._store = store
        self.requests: list[int] = []  # to the store, of each tick
        self.partitions: list[str] = []

    def tick(self) -> list[str]:
        before = self._store.requests
        result = sensed("uttrekk_sensor", self._freg, self._instance)
        self.requests.append(self._store.requests - before)
        assert isinstance(result, dg.SensorResult)
        for added in result.dynamic_partitions_requests or ():
            self._instance.add_dynamic_partitions(
                added.partitions_def_name, list(added.partition_keys)
            )
        partitions = [one.partition_key or "" for one in result.run_requests or ()]
        for one in result.run_requests or ():
            self._begin(one)
        self.partitions += partitions
        return partitions

    def _begin(self, request: dg.RunRequest) -> None:
        tags = {**request.tags, "dagster/partition": request.partition_key or ""}
        status = dg.DagsterRunStatus.STARTED
        self._instance.add_run(dg.DagsterRun("land_batch", tags=tags, status=status))


@pytest.fixture
def make_daemon(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance, tmp_path: Path
) -> Callable[..., tuple[Daemon, Uttrekk, Freg]]:
    def make(**options: Any) -> tuple[Daemon, Uttrekk, Freg]:
        url = start_register(batch_size=1, ready_after_seconds=0, **options)
        freg = make_freg(url, poll_seconds=0.01, requests_per_minute=1_000_000, tick_seconds=45)
        freg.store = store = Counting(tmp_path / "counted")
        freg.settings = freg.settings.model_copy(update={"store": str(tmp_path / "counted")})

        async def order(register: Register) -> None:
            uttrekk = await opened(freg.settings, register, name="alle")
            await place_order(register, uttrekk, freg.settings)

        freg.ask(order)
        return Daemon(freg, instance, store), Uttrekk(store, "alle"), freg

    return make


def test_a_tick_takes_many_batches_with_one_request_each_and_few_runs_take_them_in(
    make_daemon: Callable[..., tuple[Daemon, Uttrekk, Freg]],
) -> None:
    daemon, uttrekk, _ = make_daemon(persons=2 * READY_A_TICK + 20)

    def all_here() -> bool:
        daemon.tick()
        return uttrekk.end is not None

    wait_until(all_here)
    assert READY_A_TICK / 15 > 10, "ten a second are taken, by a tick each 15 seconds"
    assert len(daemon.requests) == 3
    assert max(daemon.requests) <= MOST_REQUESTS
    taken = [one for key in daemon.partitions for one in grouping.batches_of(key)]
    assert taken == [*range(uttrekk.end or 0)]
    assert len(daemon.partitions) == 5
    assert daemon.tick() == [], "all are under way"
    assert daemon.requests[-1] <= 20


def test_ten_batches_of_a_run_are_recorded_as_one_is(
    make_daemon: Callable[..., tuple[Daemon, Uttrekk, Freg]], instance: DagsterInstance
) -> None:
    daemon, uttrekk, freg = make_daemon(persons=12)

    def all_here() -> bool:
        daemon.tick()
        return uttrekk.end is not None

    wait_until(all_here)
    job = make_definitions(freg).resolve_job_def("land_batch")
    events = []
    for partition in ("alle/000000", "alle/000001-000010"):
        instance.add_dynamic_partitions("uttrekk_batch", [partition])
        ran = job.execute_in_process(
            {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=instance,
            partition_key=partition,
        )
        assert ran.success
        events.append(len(instance.all_logs(ran.run_id)))
    assert uttrekk.landed() == {*range(11)}
    assert events[0] == events[1]
