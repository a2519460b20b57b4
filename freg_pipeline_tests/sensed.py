"""A sensor's tick, as Dagster's daemon evaluates it, in the test's own process."""

from __future__ import annotations

from functools import cache

import dagster as dg
from dagster import DagsterInstance

from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.names import UNPREFIXED, Names
from freg_pipeline.orchestration.resources import Freg


def sensed(
    sensor: str,
    freg: Freg,
    instance: DagsterInstance,
    *,
    cursor: str | None = None,
    names: Names = UNPREFIXED,
) -> dg.SensorResult | dg.SkipReason:
    """Evaluate a sensor once.

    Args:
        sensor: its name, without a prefix.
        freg: settings, store and register.
        instance: whose runs it looks at.
        cursor: what the tick before left.
        names: of the store.
    """
    resources = {names.resource: freg}
    with dg.build_sensor_context(instance, resources=resources, cursor=cursor) as context:
        # Called itself, a sensor hands on as arguments what it requires in its context.
        result = _sensor(sensor, names)._raw_fn(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


@cache
def _sensor(name: str, names: Names) -> dg.SensorDefinition:
    return make_definitions(Freg(), names).resolve_sensor_def(names.of(name))
