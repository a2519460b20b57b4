"""Our pools have limits from the start; whoever has set one keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dagster import DagsterInstance, instance_for_test

from freg_pipeline.orchestration.names import UNPREFIXED, Names
from freg_pipeline.orchestration.pools import LIMIT, limit_pools
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline_tests.sensed import sensed


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """On a disk: one in memory knows no limits."""
    with instance_for_test() as kept:
        yield kept


ORDERS, LOOK_UPS = "folkeregisteret_uttrekk", "folkeregisteret_oppslag"


def limits(instance: DagsterInstance) -> dict[str, int]:
    return {one.name: one.limit for one in instance.event_log_storage.get_pool_limits()}


def test_the_first_tick_limits_pools_that_nobody_has_limited(
    make_freg: Callable[..., Freg], instance: DagsterInstance
) -> None:
    sensed("uttrekk_sensor", make_freg("http://127.0.0.1:9"), instance)
    assert limits(instance) == {ORDERS: LIMIT, LOOK_UPS: LIMIT}


@pytest.mark.parametrize("set_by_somebody", [3, 0, 100])
def test_a_limit_that_somebody_has_set_stays(
    set_by_somebody: int, instance: DagsterInstance
) -> None:
    instance.event_log_storage.set_concurrency_slots(LOOK_UPS, set_by_somebody)
    limit_pools(instance, UNPREFIXED)
    assert limits(instance) == {ORDERS: LIMIT, LOOK_UPS: set_by_somebody}


def test_a_default_of_the_deployment_is_enough() -> None:
    settings = {"concurrency": {"pools": {"default_limit": 2}}}
    with instance_for_test(overrides=settings) as instance:
        limit_pools(instance, Names(("kommune",)))
        assert limits(instance) == {}
