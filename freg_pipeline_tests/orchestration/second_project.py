"""Drives the deployment of docs/dagster.md as Dagster's daemon would, in a process of its own.

Takes the register's address. Prints as JSON what automation conditions asked for, and made, after
each step.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster import DagsterInstance
from dagster._core.workspace.autodiscovery import loadable_targets_from_python_module

import freg_pipeline
from freg_pipeline_tests.registers import happen

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
SELECTION = {
    "kind": "tilpasset",
    "personstatustyper": ["bosatt"],
    "bostedskommunenummer": "0301",
}


class Deployment:
    """The project's definitions, and the records of what ran."""

    def __init__(self, defs: dg.Definitions, instance: DagsterInstance) -> None:
        self._defs = defs
        self._instance = instance
        self._cursor: Any = None

    def run(
        self,
        job: str,
        partition: str | None = None,
        config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Run a job in this process."""
        self._defs.resolve_job_def(job).execute_in_process(
            run_config={**QUIET, **(config or {})},
            instance=self._instance,
            partition_key=partition,
            tags=dict(tags or {}),
        )

    def load(self, store: str, config: Mapping[str, Any]) -> None:
        """Launch a full load with a new partition, and let the sensor carry it on."""
        self._instance.add_dynamic_partitions(f"{store}__uttrekk", ["one"])
        ops = {f"{store}__uttrekk": {"config": dict(config)}}
        self.run(f"{store}__full_load", "one", {"ops": ops})
        ran: list[str] = []
        while f"{store}__publish_release" not in ran:
            ran += self.tick(f"{store}__uttrekk_sensor")
            time.sleep(0.05)  # a batch takes its time

    def tick(self, name: str) -> list[str]:
        """Evaluate a sensor, and run what it requests; the jobs that ran."""
        sensor = self._defs.resolve_sensor_def(name)
        needed = {key: (self._defs.resources or {})[key] for key in sensor.required_resource_keys}
        with dg.build_sensor_context(self._instance, resources=needed) as context:
            # Called itself, a sensor hands on as arguments what it requires in its context.
            told = sensor._raw_fn(context)
        if not isinstance(told, dg.SensorResult):
            return []
        for request in told.dynamic_partitions_requests or ():
            self._instance.add_dynamic_partitions(
                request.partitions_def_name, list(request.partition_keys)
            )
        ran = []
        for one in told.run_requests or ():
            ran.append(one.job_name or sensor.job.name)
            self.run(ran[-1], one.partition_key, one.run_config, one.tags)
        return ran

    def automation(self) -> list[str]:
        """Evaluate the automation conditions, and make what they ask for."""
        result = dg.evaluate_automation_conditions(self._defs, self._instance, cursor=self._cursor)
        self._cursor = result.cursor
        keys = [
            key
            for key in self._defs.resolve_asset_graph().get_all_asset_keys()
            if result.get_num_requested(key)
        ]
        if keys:
            job = self._defs.resolve_implicit_global_asset_job_def()
            job.get_subset(asset_selection=set(keys)).execute_in_process(
                run_config=QUIET, instance=self._instance
            )
        return sorted(key.to_user_string() for key in keys)


def main(url: str) -> None:
    """Load two stores, then let things happen to the people of one."""
    (found,) = loadable_targets_from_python_module("folk.definitions", None)  # as Dagster does
    defs = found.target_definition
    assert isinstance(defs, dg.Definitions)
    dg.Definitions.validate_loadable(defs)
    with DagsterInstance.get() as instance:
        deployment = Deployment(defs, instance)
        asked = {"empty": deployment.automation()}
        deployment.load("alle", {"kind": "komplett"})
        asked["alle"] = deployment.automation()
        deployment.load("oslo", SELECTION)
        asked["oslo"] = deployment.automation()
        happen(url, 60)
        assert deployment.tick("alle__hendelser_sensor") == ["alle__sync_hendelser"]
        asked["sync"] = deployment.automation()
        asked["nothing"] = deployment.automation()
    sys.stdout.write(json.dumps({"package": freg_pipeline.__file__, "asked": asked}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
