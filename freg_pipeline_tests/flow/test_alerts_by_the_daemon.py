"""An operator who isn't looking is told; one who presses too much orders nothing by it."""

from __future__ import annotations

from pathlib import Path

from freg_pipeline_tests.deployment import Deployment, deployed
from freg_pipeline_tests.receivers import webhook
from freg_pipeline_tests.registers import status_of
from freg_pipeline_tests.waiting import wait_until

LAUNCH = """
mutation ($run: ExecutionParams!) { launchRun(executionParams: $run) {
  __typename ... on LaunchRunSuccess { run { runId } } } }"""
PLACES = (
    "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
)
EXECUTABLE = "{ assetNodes { assetKey { path } isExecutable } }"
BACKFILL = """
mutation ($all: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $all) {
  __typename ... on LaunchBackfillSuccess { backfillId } } }"""
ENDED = """
query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status error { message } } } }"""


def test_trouble_is_told_and_to_materialise_everything_orders_nothing(tmp_path: Path) -> None:
    with webhook() as hook:
        address = f"http://127.0.0.1:{hook.port}/hook"
        with deployed(
            tmp_path, FREG_ALERTS=address, FREG_DAGSTER_URL="https://dagster.example.no"
        ) as there:
            _materialise_all(there)
            launched = there.ask(LAUNCH, run={"selector": _job(there), "mode": "default"})
            run = launched["launchRun"]["run"]
            wait_until(lambda: hook.got, pause=0.2)
            (line,) = hook.lines
            assert line.startswith("publish_release failed: 0 uttrekk wait for their release. ")
            assert line.endswith(f" https://dagster.example.no/runs/{run['runId']}")
        for kept in (*there.home.rglob("*"), there.log):
            if kept.is_file():
                assert b"/hook" not in kept.read_bytes(), "an address is a secret"


def _job(there: Deployment) -> dict[str, str]:
    """One that fails: nothing waits for its release."""
    (place,) = there.ask(PLACES)["repositoriesOrError"]["nodes"]
    return {
        "repositoryName": place["name"],
        "repositoryLocationName": place["location"]["name"],
        "pipelineName": "publish_release",
    }


def _materialise_all(there: Deployment) -> None:
    """As "Materialize all" does: a backfill of all partitions. Nothing says what to order."""
    there.instance.add_dynamic_partitions("uttrekk", ["one", "two"])
    nodes = there.ask(EXECUTABLE)["assetNodes"]
    keys = [{"path": one["assetKey"]["path"]} for one in nodes if one["isExecutable"]]
    everything = {"assetSelection": keys, "allPartitions": True, "tags": []}
    launched = there.ask(BACKFILL, all=everything)["launchPartitionBackfill"]

    def ended() -> dict[str, str] | None:
        told = there.ask(ENDED, id=launched["backfillId"])["partitionBackfillOrError"]
        return None if told["status"] in ("REQUESTED", "FAILING") else told

    wait_until(ended, pause=0.2)
    told = there.ask(ENDED, id=launched["backfillId"])["partitionBackfillOrError"]
    assert told["status"] == "FAILED"
    assert "Missing required config" in told["error"]["message"]
    begun = {key.to_user_string() for run in there.runs() for key in run.asset_selection or ()}
    assert "uttrekk" not in begun, "others may have begun by then"
    assert status_of(there.register.base_url)["jobs"]["ordered"] == 0
