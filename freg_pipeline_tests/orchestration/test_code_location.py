"""The code location: what Dagster loads, carries on by its sensor, and backfills."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import DagsterInstance

from freg_pipeline.definitions import build_defs
from freg_pipeline.journal.pointer import report_key
from freg_pipeline.journal.releases import current_release, list_releases
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.guarding import RELEASE_RULES
from freg_pipeline.orchestration.names import UNPREFIXED
from freg_pipeline.orchestration.report import report_asset
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.store import write_record
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import happen, status_of
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("batches_alone")
ROOT = Path(__file__).parents[2]
MakeFreg = Callable[..., Freg]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run(
    freg: Freg, instance: DagsterInstance, job: str, partition: str, **ops: dict[str, object]
) -> dg.ExecuteInProcessResult:
    """Run a job for its partition; one that publishes, for the uttrekk of that name."""
    publishes = job == "publish_release"
    if publishes:
        ops = {"release": {**ops.get("release", {}), "uttrekk": partition}}
    config = {**QUIET, "ops": {name: {"config": given} for name, given in ops.items()}}
    tags = {"freg/uttrekk": partition.split("/")[0]}
    return (
        make_definitions(freg)
        .resolve_job_def(job)
        .execute_in_process(
            config,
            instance=instance,
            partition_key=None if publishes else partition,
            tags=tags,
            raise_on_error=False,
        )
    )


def tick(freg: Freg, instance: DagsterInstance) -> list[tuple[str | None, str | None]]:
    """One evaluation of the sensor, its partitions added; returns what is requested.

    A job, and its partition, or the uttrekk that it publishes.
    """
    result = sensed("uttrekk_sensor", freg, instance)
    assert isinstance(result, dg.SensorResult)
    for request in result.dynamic_partitions_requests or ():
        instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    return [
        (one.job_name, one.partition_key or one.run_config["ops"]["release"]["config"]["uttrekk"])
        for one in result.run_requests or ()
    ]


def order(freg: Freg, instance: DagsterInstance, name: str = "one") -> Uttrekk:
    instance.add_dynamic_partitions("uttrekk", [name])
    assert run(freg, instance, "full_load", name, uttrekk={"kind": "komplett"}).success
    return Uttrekk(freg.store, name)


def wait_for_requests(
    freg: Freg, instance: DagsterInstance, count: int
) -> list[tuple[str | None, str | None]]:
    requests: list[tuple[str | None, str | None]] = []

    def are_there() -> bool:
        requests[:] = tick(freg, instance)
        return len(requests) >= count

    wait_until(are_there)
    return requests


def test_the_code_location_loads_without_any_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREG_ENVIRONMENT", "nonsense")
    dg.Definitions.validate_loadable(build_defs())


def test_every_asset_is_described_owned_grouped_and_of_some_kind() -> None:
    graph = build_defs().resolve_asset_graph()
    names = {node.key.to_user_string() for node in graph.asset_nodes}
    assert {name for name in names if not name.startswith("freg/")} == {
        "uttrekk", "batch_identifikatorer", "bulkoppslag", "batch_tabeller", "release_del",
        "release", "duckdb_katalog", "hendelser", "komprimert_del", "komprimering",
        "release_rapport",
    }  # fmt: skip
    for node in graph.asset_nodes:
        assert node.description
        assert node.owners
        assert node.group_name != "default"
        assert node.kinds


def test_the_graph_reads_from_the_order_to_duckdb() -> None:
    graph = build_defs().resolve_asset_graph()
    chain = ["uttrekk", "batch_identifikatorer", "bulkoppslag", "batch_tabeller", "release"]
    for above, below in zip(chain, [*chain[1:], "duckdb_katalog"], strict=True):
        assert dg.AssetKey(above) in graph.get(dg.AssetKey(below)).parent_keys


def test_the_sensor_carries_an_order_to_its_release(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(start_register(persons=250, batch_size=100))
    uttrekk = order(freg, instance)
    requests = wait_for_requests(freg, instance, 3)
    assert requests == [("land_batch", f"one/{batch:06d}") for batch in range(3)]

    for job, partition in requests:
        assert run(freg, instance, str(job), str(partition)).success
    assert wait_for_requests(freg, instance, 1) == [("publish_release", "one")]

    assert run(freg, instance, "publish_release", "one").success
    manifest = current_release(freg.store)
    assert manifest is not None
    assert manifest.uttrekk == "one"
    assert uttrekk.release == manifest.number
    assert tick(freg, instance) == [], "nothing is left to do"


def test_a_list_from_dagsters_page_is_carried_to_its_release(
    start_register: StartRegister,
    make_freg: MakeFreg,
    instance: DagsterInstance,
    tmp_path: Path,
) -> None:
    freg = make_freg(start_register(persons=50))
    file = tmp_path / "store" / "lists" / "list.txt"
    file.parent.mkdir(parents=True, mode=0o700)
    file.write_text("41819077302\n41819077303\n")
    instance.add_dynamic_partitions("uttrekk", ["mine"])
    result = run(freg, instance, "full_load", "mine", uttrekk={"kind": "liste", "liste": str(file)})
    assert result.success
    metadata = result.asset_materializations_for_node("uttrekk")[0].metadata
    assert (metadata["kind"].value, metadata["malformed"].value) == ("liste", 1)

    assert tick(freg, instance) == [("land_batch", "mine/000000")]
    assert run(freg, instance, "land_batch", "mine/000000").success
    assert tick(freg, instance) == [("publish_release", "mine")]
    assert run(freg, instance, "publish_release", "mine").success
    manifest = current_release(freg.store)
    assert manifest is not None
    assert (manifest.kind, manifest.accounting.gone) == ("liste", 1)


def test_a_failed_batch_is_left_alone_for_a_while_and_never_given_up(
    start_register: StartRegister,
    make_freg: MakeFreg,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = start_register(persons=50, faults="401@personer/bulkoppslag/arkiv=1")
    freg = make_freg(url)
    order(freg, instance)
    assert wait_for_requests(freg, instance, 1) == [("land_batch", "one/000000")]
    assert not run(freg, instance, "land_batch", "one/000000").success
    assert tick(freg, instance) == [], "it has failed a moment ago"

    monkeypatch.setattr("freg_pipeline.failure.FIRST_PAUSE", timedelta(0))
    for _ in range(5):
        assert tick(freg, instance) == [("land_batch", "one/000000")]
        assert not run(freg, instance, "land_batch", "one/000000").success


def test_a_cancelled_run_stays_cancelled(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(start_register(persons=150, batch_size=100))
    order(freg, instance)
    assert len(wait_for_requests(freg, instance, 2)) == 2
    instance.add_run(
        dg.DagsterRun(
            job_name="land_batch",
            run_id="00000000-0000-4000-8000-000000000001",
            status=dg.DagsterRunStatus.CANCELED,
            tags={"freg/uttrekk": "one", "dagster/partition": "one/000000"},
        )
    )
    assert tick(freg, instance) == [("land_batch", "one/000001")]


def test_a_release_whose_process_was_lost_is_requested_again(
    start_register: StartRegister,
    make_freg: MakeFreg,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    freg = make_freg(start_register(persons=50))
    order(freg, instance)
    for job, partition in wait_for_requests(freg, instance, 1):
        assert run(freg, instance, str(job), str(partition)).success
    instance.add_run(
        dg.DagsterRun(
            job_name="publish_release",
            run_id="00000000-0000-4000-8000-000000000002",
            status=dg.DagsterRunStatus.FAILURE,
            tags={"freg/uttrekk": "one"},
        )
    )
    monkeypatch.setattr("freg_pipeline.failure.FIRST_PAUSE", timedelta(0))
    assert wait_for_requests(freg, instance, 1) == [("publish_release", "one")]


def test_the_sensor_makes_one_cheap_call_for_an_uttrekk_that_is_not_ready(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    url = start_register(persons=50, ready_after_seconds=60)
    freg = make_freg(url)
    order(freg, instance)
    before = sum(status_of(url)["requests"].values())
    assert tick(freg, instance) == []
    assert sum(status_of(url)["requests"].values()) == before + 1


def test_one_uttrekks_trouble_does_not_hold_up_another(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(start_register(persons=50))
    order(freg, instance, "first")
    gone = order(freg, instance, "gone")
    gone.store.delete(gone.order_key(1, "answer"))
    write_record(gone.store, gone.order_key(1, "answer"), {"jobbId": "no-such-job"})
    requests = wait_for_requests(freg, instance, 2)
    assert requests == [("land_batch", "first/000000"), ("full_load", "gone")], "ordered anew"


def test_a_refused_release_waits_for_somebody_to_look(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(start_register(persons=50, faults="malformed=0.1"))
    order(freg, instance)
    for job, partition in wait_for_requests(freg, instance, 1):
        assert run(freg, instance, str(job), str(partition)).success
    assert wait_for_requests(freg, instance, 1) == [("publish_release", "one")]
    assert not run(freg, instance, "publish_release", "one").success
    assert tick(freg, instance) == []
    allowed = {"allow_incomplete": True}
    assert run(freg, instance, "publish_release", "one", release=allowed).success


def load(freg: Freg, instance: DagsterInstance, name: str, **config: object) -> bool:
    """Order, land and publish; whether it was published."""
    instance.add_dynamic_partitions("uttrekk", [name])
    if not run(freg, instance, "full_load", name, uttrekk=config).success:
        return False
    for job, partition in wait_for_requests(freg, instance, 1):
        assert run(freg, instance, str(job), str(partition)).success
    (publishing,) = wait_for_requests(freg, instance, 1)
    return run(freg, instance, str(publishing[0]), name).success


SELECTION = {"kind": "tilpasset", "personstatustyper": ["bosatt"]}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"personstatustyper": ["bosatt"]},
        {"bostedskommunenummer": "0301", "kjoenn": "kvinne"},
        {"kind": "tilpasset"},
        {"kind": "tilpasset", "personstatustyper": [], "kjoenn": "kvinne"},
        {"kind": "tilpasset", "personstatustyper": ["bosatt"], "statsborgerskap": ""},
        {"kind": "tilpasset", "personstatustyper": ["bosatt"], "feedsekvensnr": 1},
        {"kind": "komplett", "kjoenn": "kvinne"},
        {"kind": "komplett", "personstatustyper": ["bosatt"]},
        {"kind": "komplett", "liste": "list.txt"},
        {"kind": "liste"},
        {"kind": "liste", "liste": "list.txt", "kjoenn": "kvinne"},
        {"kind": "begun"},
        {"kind": "begun", "personstatustyper": ["bosatt"]},
    ],
    ids=str,
)
def test_half_an_order_is_refused_before_anything_is_sent(
    config: dict[str, object], small_register: str, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(small_register)
    before = status_of(small_register)["requests"]
    instance.add_dynamic_partitions("uttrekk", ["one"])
    try:
        assert not run(freg, instance, "full_load", "one", uttrekk=config).success
    except dg.DagsterInvalidConfigError:
        assert "kind" not in config, "what Dagster itself refuses is that nothing was chosen"
    assert status_of(small_register)["requests"] == before
    assert not Uttrekk(freg.store, "one").exists


def test_the_schedule_says_what_it_orders(tmp_path: Path) -> None:
    night = datetime(2026, 1, 1, 2, tzinfo=UTC)
    with (
        DagsterInstance.local_temp(str(tmp_path)) as kept,
        dg.build_schedule_context(kept, scheduled_execution_time=night) as context,
    ):
        request = build_defs().resolve_schedule_def("quarterly_full_load")(context)
    assert isinstance(request, dg.RunRequest)
    assert request.run_config == {"ops": {"uttrekk": {"config": {"kind": "komplett"}}}}


def test_everyone_is_replaced_by_a_selection_only_where_the_order_says_so(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    url = start_register(persons=60)
    freg = make_freg(url)
    assert load(freg, instance, "everyone", kind="komplett")
    assert not load(freg, instance, "some", **SELECTION)
    assert "uttrekk/tilpasset" not in status_of(url)["requests"]
    assert not Uttrekk(freg.store, "some").exists
    assert load(freg, instance, "some", **SELECTION, allow_other_kind=True)
    manifest = current_release(freg.store)
    assert manifest is not None
    assert manifest.kind == "tilpasset"


def test_a_release_with_far_fewer_persons_is_a_failed_check_and_not_published(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(start_register(persons=90))
    assert load(freg, instance, "all", kind="komplett")
    less = make_freg(start_register(persons=60))
    assert not load(less, instance, "less", kind="komplett")
    failed = run(less, instance, "publish_release", "less")
    checks = {one.check_name: one for one in failed.get_asset_check_evaluations()}
    assert not any(one.passed for one in checks.values())
    failed = [name for name, one in checks.items() if one.severity is dg.AssetCheckSeverity.ERROR]
    assert failed == ["not_far_fewer"]  # of the others it is said that nobody looked
    assert checks.keys() == RELEASE_RULES.keys()
    assert checks["not_far_fewer"].blocking
    manifest = current_release(freg.store)
    assert manifest is not None
    assert manifest.uttrekk == "all"
    assert run(less, instance, "publish_release", "less", release={"allow_fewer": True}).success


def test_a_run_over_several_batches_as_a_backfill_makes_it(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(start_register(persons=250, batch_size=100))
    uttrekk = order(freg, instance)
    wait_for_requests(freg, instance, 3)
    result = (
        make_definitions(freg)
        .resolve_job_def("land_batch")
        .execute_in_process(
            QUIET,
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": "one/000000",
                "dagster/asset_partition_range_end": "one/000002",
            },
        )
    )
    assert result.success
    assert uttrekk.landed() == {0, 1, 2}
    landed = {
        event.partition
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("batch_tabeller")
    }
    assert landed == {f"one/{batch:06d}" for batch in range(3)}


def test_metadata_tells_counts_and_schema_and_checks_pass(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(start_register(persons=250, batch_size=250))
    order(freg, instance)
    for job, partition in wait_for_requests(freg, instance, 1):
        run(freg, instance, str(job), str(partition))
    assert wait_for_requests(freg, instance, 1) == [("publish_release", "one")]
    result = run(freg, instance, "publish_release", "one")
    (event,) = [
        one.materialization
        for one in result.get_asset_materialization_events()
        if one.asset_key == dg.AssetKey("release")
        for one in [one.step_materialization_data]
    ]
    metadata = event.metadata
    account = {name: metadata[name].value for name in ("delivered", "landed", "merged")}
    assert account["delivered"] == 250 == account["landed"] + account["merged"]
    assert not [name for name in metadata if "column" in name], "these are the tables'"
    checks = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    assert len(checks) == 13
    assert all(checks.values()), checks


def test_dagsters_own_settings_are_valid_and_send_nothing_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(text)
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        queue = instance.get_concurrency_config()
        assert queue.pool_config.default_pool_limit == 10
        one_of_each = {"applyLimitPerUniqueValue": True}  # a store's syncs, one after the other
        one_sync = {"key": "freg/feed", "value": one_of_each, "limit": 1}
        assert one_sync in queue.run_queue_config.tag_concurrency_limits
        assert instance.freshness_enabled
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace == {"load_from": [{"python_module": "freg_pipeline.definitions"}]}


def test_a_spot_check_warns_on_the_release_by_counts(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    url = start_register(persons=150, batch_size=150)
    freg = make_freg(url)
    full_load(freg.settings)
    happen(url, 20, path="stille", type="endringINavn")
    definitions = make_definitions(freg)
    config = {"ops": {"release_spot_check": {"config": {"persons": 150}}}}
    result = definitions.resolve_job_def("spot_check").execute_in_process(
        instance=instance, run_config=config
    )
    (found,) = result.get_asset_check_evaluations()
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    counted = {name: value.value for name, value in found.metadata.items()}
    assert counted["asked"] == counted["compared"] == 150
    assert 5 < counted["differing/navn"] == counted["differing"] <= 20
    assert counted["days_since_full_load"] < 1
    schedule = definitions.resolve_schedule_def("weekly_spot_check")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_old_releases_are_purged_by_a_schedule_that_is_on(
    start_register: StartRegister, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(start_register(persons=20, batch_size=20), keep_releases=1, keep_days=0)
    for _ in range(2):
        newest = full_load(freg.settings)
    assert [one.number for one in list_releases(freg.store)] == ["000001", newest.number]
    definitions = make_definitions(freg)
    schedule = definitions.resolve_schedule_def("purge_releases")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    job = definitions.resolve_job_def(schedule.job_name)
    assert job.execute_in_process(QUIET, instance=instance).success
    assert [one.number for one in list_releases(freg.store)] == [newest.number]


def test_a_page_about_the_release_is_an_asset(
    small_register: str, make_freg: MakeFreg, instance: DagsterInstance
) -> None:
    freg = make_freg(small_register)
    manifest = full_load(freg.settings)
    made = dg.materialize([report_asset(UNPREFIXED)], instance=instance, resources={"freg": freg})
    metadata = made.asset_materializations_for_node("release_rapport")[0].metadata
    assert metadata["release"].value == manifest.number
    page = freg.store.read(report_key(manifest.number))
    assert page.startswith(b"<!doctype html>")
    assert metadata["bytes"].value == len(page)
