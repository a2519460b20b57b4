"""What people meet on Dagster's page: groups, pictures of kinds, and checks that run alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from graphlib import TopologicalSorter

import dagster as dg
import pytest
from dagster import DagsterInstance
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.unreleased import NO_RELEASE

# Of Dagster's kinds with a picture (docs.dagster.io, "Supported icons"), those that we may use.
PICTURED = {
    "arrow", "csv", "duckdb", "file", "json", "parquet", "polars", "python", "report", "sql",
    "table", "view",
}  # fmt: skip


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return make_definitions(Freg()).get_repository_def()


def test_groups_of_assets_form_no_circle(repository: dg.RepositoryDefinition) -> None:
    """A circle can't be drawn: with groups folded, Dagster's graph would have no order."""
    graph = repository.asset_graph
    above: dict[str, set[str]] = {}
    for node in graph.asset_nodes:
        parents = {graph.get(key).group_name for key in node.parent_keys}
        above.setdefault(node.group_name, set()).update(parents - {node.group_name})
    assert len(above) > 2
    assert set(TopologicalSorter(above).static_order()) >= set(above)


def test_each_kind_has_a_picture(repository: dg.RepositoryDefinition) -> None:
    kinds = {kind for node in repository.asset_graph.asset_nodes for kind in node.kinds}
    assert kinds
    assert kinds <= PICTURED


def test_each_check_can_be_run_alone_unless_it_keeps_a_release_from_being_published(
    repository: dg.RepositoryDefinition,
) -> None:
    """Dagster's page offers "Execute" for what has an op of its own that can do a part of it.

    A blocking check is made while its asset is: of it the page says to materialise the asset.
    """
    graph = repository.asset_graph
    alone = {
        key
        for key in graph.asset_check_keys
        if len(graph.get_execution_set_asset_and_check_keys(key)) <= 1
    }
    blocking = {key for key in graph.asset_check_keys if graph.get(key).blocking}
    assert {key.name for key in alone} >= {"in_order", "spot_check", "not_behind", "keys_unique"}
    assert alone == set(graph.asset_check_keys) - blocking


def test_a_check_that_is_run_before_there_is_a_release_says_so(
    make_freg: Callable[..., Freg], instance: DagsterInstance
) -> None:
    defs = make_definitions(make_freg("http://127.0.0.1:1"))
    repository = defs.get_repository_def()
    definitions = [
        one
        for one in repository.asset_graph.assets_defs
        if isinstance(one, dg.AssetChecksDefinition)
    ]
    assert definitions
    for key in (next(iter(one.check_keys)) for one in definitions):
        job = repository.get_implicit_global_asset_job_def().get_subset(
            asset_selection=set(), asset_check_selection={key}
        )
        done = job.execute_in_process(instance=instance, raise_on_error=False)
        assert done.success, key
        (said,) = done.get_asset_check_evaluations()
        assert said.asset_check_key == key
        assert (said.passed, said.severity) == (False, dg.AssetCheckSeverity.WARN)
        assert said.description == NO_RELEASE


def test_freshness_follows_the_settings_and_wrong_ones_hide_nothing() -> None:
    def windows(**settings: object) -> dict[str, timedelta]:
        graph = make_definitions(Freg(settings)).get_repository_def().asset_graph
        policies = {node.key.path[-1]: node.freshness_policy for node in graph.asset_nodes}
        return {
            name: policy.fail_window.to_timedelta()
            for name, policy in policies.items()
            if isinstance(policy, TimeWindowFreshnessPolicy)
        }

    default = windows()
    assert default["hendelser"] == timedelta(hours=3)
    assert default["release"] == default["duckdb_katalog"] == timedelta(days=400)
    chosen = windows(late_sync_hours=0.02, late_full_load_days=0)
    assert chosen == {"hendelser": timedelta(seconds=72)}, (
        "and warns at a third, if that is allowed"
    )
    assert windows(late_sync_hours=0, late_full_load_days=0) == {}
    assert windows(concurrency=0) == {}, "wrong settings are told by whatever uses them"
