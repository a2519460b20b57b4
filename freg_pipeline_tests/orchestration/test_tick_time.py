"""A tick ends in time whatever the register's latency, and the next one goes on from there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.client import Register
from freg_pipeline.errors import SilentError
from freg_pipeline.extract.order import place_order
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration import sensors, tick_time
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import fetched, opened
from freg_pipeline_tests.registers import Door
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.unit.lake.delivered import deliver, document, number
from freg_pipeline_tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("batches_alone")
IN_TIME = 25.0  # a question alone is patient for longer than this
MakeFreg = Callable[..., Freg]


@pytest.fixture
def door(start_register: StartRegister) -> Iterator[Door]:
    """The way to a register of 40 registrations in four batches."""
    with Door(start_register(persons=40, batch_size=10)) as door:
        yield door


def tick(
    freg: Freg, instance: DagsterInstance, name: str = "uttrekk_sensor", cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    """Evaluate a sensor, by a connection of its own; its partitions are added."""
    with Freg.from_settings(freg.settings) as afresh:
        began = time.monotonic()
        result = sensed(name, afresh, instance, cursor=cursor)
        assert time.monotonic() - began < IN_TIME
    added = result.dynamic_partitions_requests if isinstance(result, dg.SensorResult) else ()
    for one in added or ():
        instance.add_dynamic_partitions(one.partitions_def_name, list(one.partition_keys))
    return result


def requested(result: dg.SensorResult | dg.SkipReason) -> list[str]:
    """The partitions, or the jobs, of the runs that are requested."""
    assert isinstance(result, dg.SensorResult)
    return [one.partition_key or one.job_name or "" for one in result.run_requests or ()]


def order(freg: Freg, name: str) -> Uttrekk:
    """An uttrekk that is ordered."""

    async def ordered() -> Uttrekk:
        async with Register.from_settings(freg.settings) as register:
            uttrekk = await opened(freg.settings, register, name=name)
            await place_order(register, uttrekk, freg.settings)
            return uttrekk

    return asyncio.run(ordered())


def test_a_question_ends_when_its_time_is_up(door: Door, make_freg: MakeFreg) -> None:
    door.hang()
    with make_freg(door.url) as freg:
        with pytest.raises(SilentError, match=r"no usable answer within 0\.1 s"):
            freg.ask(lambda one: one.hendelser.siste_sekvensnummer(), waits=False, seconds=0.1)
        with pytest.raises(SilentError):
            freg.ask(lambda one: one.hendelser.siste_sekvensnummer(), waits=False, seconds=0.0)
        door.shut()
        door.open()
        assert freg.ask(lambda one: one.hendelser.siste_sekvensnummer(), waits=False, seconds=60)


def test_a_register_that_never_answers_holds_up_only_what_asks_it(
    door: Door, make_freg: MakeFreg, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick_time, "REST_SECONDS", IN_TIME)
    freg = make_freg(door.url, tick_seconds=0.3)
    order(freg, "asked")
    order(freg, "other")
    fetched(freg.settings, name="here")
    door.hang()
    result = tick(freg, instance)
    assert requested(result) == [f"here/{batch:06d}" for batch in range(4)]
    assert isinstance(result, dg.SensorResult)
    assert result.cursor == "other", "the next tick asks for the one that wasn't asked for"
    cursor = result.cursor
    again = tick(freg, instance, cursor=cursor)
    assert isinstance(again, dg.SensorResult)
    assert again.cursor in {"asked", "here"}


def test_a_slow_register_is_asked_for_more_at_the_next_tick(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    url = start_register(persons=40, batch_size=10, latency_ms=500)
    freg = make_freg(url, tick_seconds=1.6)
    uttrekk = order(freg, "one")
    found: list[str] = []
    ticks = 0

    def is_all_here() -> bool:
        nonlocal ticks
        ticks += 1
        found[:] = requested(tick(freg, instance))
        return uttrekk.end == 4

    wait_until(is_all_here)
    assert ticks > 1, "five answers of half a second don't fit into one"
    assert found == [f"one/{batch:06d}" for batch in range(4)]


def test_a_tick_requests_so_many_runs_and_the_next_one_others(
    door: Door, make_freg: MakeFreg, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "REQUESTS_A_TICK", 3)
    freg = make_freg(door.url)
    fetched(freg.settings, name="one")
    first = tick(freg, instance)
    assert requested(first) == [f"one/{batch:06d}" for batch in range(3)]
    assert instance.get_dynamic_partitions("uttrekk_batch") == requested(first)
    assert isinstance(first, dg.SensorResult)
    for one in first.run_requests or ():
        tags = {**one.tags, "dagster/partition": one.partition_key or ""}
        instance.add_run(dg.DagsterRun("land_batch", tags=tags, status=dg.DagsterRunStatus.STARTED))
    second = tick(freg, instance, cursor=first.cursor)
    assert requested(second) == ["one/000003"]
    assert isinstance(second, dg.SensorResult)
    added = [key for one in second.dynamic_partitions_requests or () for key in one.partition_keys]
    assert added == ["one/000003"], "what is known already isn't recorded once more"


def test_a_sync_is_not_requested_from_a_register_that_never_answers(
    door: Door, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(door.url, tick_seconds=0.3)
    uttrekk = deliver(freg.store, "one", [("d1", document(number(1)))], sekvensnummer=100)
    build_release(freg.store, uttrekk)
    door.hang()
    result = tick(freg, instance, "hendelser_sensor")
    assert not isinstance(result, dg.SensorResult) or not result.run_requests
