"""Two stores in one deployment: one code location, one instance, the same name for an uttrekk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.definitions import build_defs
from freg_pipeline.journal.releases import current_release, require_current
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.waiting import wait_until

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
TOKENS = {"kommune": "token-of-the-kommune", "kunder": "token-of-the-customers"}
NAME = "all"  # of an uttrekk of either store


def merged(freg: dict[str, Freg]) -> dg.Definitions:
    """Both stores, each under its prefix."""
    made = [build_defs(prefix, resources={"freg": one}) for prefix, one in freg.items()]
    return dg.Definitions.merge(*made)


@dataclass
class Store:
    """One of the stores, as the deployment's daemon goes about it."""

    prefix: str
    freg: Freg
    instance: DagsterInstance
    deployment: dg.Definitions

    @property
    def names(self) -> Names:
        return Names((self.prefix,))

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """Run what is requested, as the daemon would."""
        assert request.job_name is not None
        return self.deployment.resolve_job_def(request.job_name).execute_in_process(
            {**QUIET, **request.run_config},
            instance=self.instance,
            partition_key=request.partition_key,
            tags=dict(request.tags),
        )

    def order(self) -> None:
        """What is launched by hand on the page."""
        self.instance.add_dynamic_partitions(self.names.of("uttrekk"), [NAME])
        config = self.names.config({"uttrekk": {"kind": "komplett"}})
        job = self.names.of("full_load")
        self.run(dg.RunRequest(job_name=job, partition_key=NAME, run_config=config))

    def ticked(self, sensor: str = "uttrekk_sensor") -> list[dg.RunRequest]:
        """What a tick of a sensor requests; its partitions are added, and its events recorded."""
        result = sensed(sensor, self.freg, self.instance, names=self.names)
        if isinstance(result, dg.SkipReason):
            return []
        for request in result.dynamic_partitions_requests or ():
            keys = list(request.partition_keys)
            self.instance.add_dynamic_partitions(request.partitions_def_name, keys)
        for event in result.asset_events:
            assert isinstance(event, dg.AssetMaterialization)
            self.instance.report_runless_asset_event(event)
        job = self.names.of("sync_hendelser") if sensor == "hendelser_sensor" else None
        return [one._replace(job_name=one.job_name or job) for one in result.run_requests or ()]

    def wanted(self) -> list[dg.RunRequest]:
        """What the first tick requests that requests anything."""
        found: list[dg.RunRequest] = []

        def are_there() -> bool:
            found[:] = self.ticked()
            return bool(found)

        wait_until(are_there)
        return found

    def version(self, asset: str) -> str | None:
        """The data version that an asset shows."""
        event = self.instance.get_latest_materialization_event(self.names.key(asset))
        made = event.asset_materialization if event else None
        return (made.tags or {}).get("dagster/data_version") if made else None


@pytest.fixture
def stores(
    start_register: StartRegister,
    make_freg: Callable[..., Freg],
    instance: DagsterInstance,
    tmp_path: Path,
) -> Iterator[list[Store]]:
    """Two stores of one register, each with a token of its own."""
    url = start_register(persons=60, batch_size=60)
    freg = {
        prefix: make_freg(url, store=str(tmp_path / prefix), token=token)
        for prefix, token in TOKENS.items()
    }
    deployment = merged(freg)
    yield [Store(prefix, one, instance, deployment) for prefix, one in freg.items()]
    for one in freg.values():
        one.close()


def recorded(instance: DagsterInstance) -> str:
    """All that Dagster keeps of its runs."""
    runs = instance.get_runs()
    events = [entry for run in runs for entry in instance.all_logs(run.run_id)]
    snapshots = [instance.get_job_snapshot(run.job_snapshot_id or "") for run in runs]
    return "".join(dg.serialize_value(one) for one in [*runs, *events, *snapshots])


def test_each_store_comes_to_its_own_releases(
    stores: list[Store], instance: DagsterInstance
) -> None:
    kommune, kunder = stores
    kommune.order()
    assert kunder.ticked() == [], "the order of the other store is none of its own"
    assert current_release(kunder.freg.store) is None
    (land,) = kommune.wanted()
    kunder.order()
    (theirs,) = kunder.wanted()
    assert (land.job_name, land.partition_key) == ("kommune__land_batch", f"{NAME}/000000")
    assert (theirs.job_name, theirs.partition_key) == ("kunder__land_batch", f"{NAME}/000000")

    kommune.run(land)
    assert [one.job_name for one in kommune.wanted()] == ["kommune__publish_release"]
    assert [one.job_name for one in kunder.wanted()] == ["kunder__land_batch"]
    instance.add_run(
        dg.DagsterRun(
            job_name="kommune__publish_release",
            status=dg.DagsterRunStatus.CANCELED,
            tags=dict(kommune.wanted()[0].tags),
        )
    )
    assert kommune.ticked() == [], "somebody has cancelled it"

    kunder.run(theirs)
    (publish,) = kunder.wanted()
    assert publish.job_name == "kunder__publish_release"
    assert kunder.run(publish).success
    assert (kunder.version("release"), kommune.version("release")) == ("000001", None)
    assert current_release(kommune.freg.store) is None

    happen(str(kunder.freg.settings.base_url), 5)
    assert kommune.ticked("hendelser_sensor") == [], "it has no release yet"
    (sync,) = kunder.ticked("hendelser_sensor")
    assert kunder.run(sync).success
    assert kunder.version("duckdb_katalog") == "000002"
    assert require_current(kunder.freg.store).number == "000002"

    records = recorded(instance)
    assert "kunder__sync_hendelser" in records
    assert [token for token in TOKENS.values() if token in records] == []


def test_no_name_of_one_store_is_one_of_the_other() -> None:
    deployment = dg.Definitions.merge(build_defs("kommune", store="a"), build_defs("kunder"))
    dg.Definitions.validate_loadable(deployment)
    graph = deployment.resolve_asset_graph()
    assert {key.path[0] for key in graph.get_all_asset_keys()} == {"kommune", "kunder"}
    assert {key.asset_key.path[0] for key in graph.asset_check_keys} == {"kommune", "kunder"}
    repository = deployment.get_repository_def()
    pools = {pool for node in graph.asset_nodes for pool in node.pools or ()}
    groups = {node.group_name for node in graph.asset_nodes}
    partitions = {
        node.partitions_def.name
        for node in graph.asset_nodes
        if isinstance(node.partitions_def, dg.DynamicPartitionsDefinition)
    }
    named = {
        *pools,
        *groups,
        *partitions,
        *(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        *(sensor.name for sensor in repository.sensor_defs),
        *(schedule.name for schedule in repository.schedule_defs),
        *(deployment.resources or {}),
    }
    assert {str(name).partition("__")[0] for name in named} == {"kommune", "kunder"}
    syncs = {job.tags["freg/feed"] for job in repository.get_all_jobs() if "freg/feed" in job.tags}
    assert syncs == {"kommune__sync", "kunder__sync"}, "one at a time for each store"


def test_a_store_without_a_prefix_lives_beside_one_with_one() -> None:
    plain, prefixed = build_defs(), build_defs("kunder")
    dg.Definitions.validate_loadable(dg.Definitions.merge(plain, prefixed))
    keys = [one.resolve_asset_graph().get_all_asset_keys() for one in (plain, prefixed)]
    assert keys[0].isdisjoint(keys[1])
