"""What a command runs is listed on Dagster's page: under its jobs, and on the timeline."""

from __future__ import annotations

from pathlib import Path

from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.deployment import deployed

PLACE = {
    "repositoryLocationName": "folkeregisteret",  # and not as ours is called by itself
    "repositoryName": "__repository__",
}
TURN_ON = (
    "mutation ($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) { __typename } }"
)
RUNS_OF_A_JOB = """
query ($job: PipelineSelector!) {
  pipelineOrError(params: $job) { ... on Pipeline { runs { runId status } } }
}"""
TIMELINE = """
{ runsOrError { ... on Runs { results {
  jobName repositoryOrigin { repositoryName repositoryLocationName }
} } } }"""


def test_runs_of_a_command_are_listed_under_their_jobs_and_on_the_timeline(
    tmp_path: Path, freg: RunFreg
) -> None:
    (tmp_path / "list").write_text("03851598730\n")
    with deployed(tmp_path, location=PLACE["repositoryLocationName"]) as there:
        turned_on = there.ask(TURN_ON, sensor={**PLACE, "sensorName": "compaction_sensor"})
        assert turned_on["startSensor"]["__typename"] == "Sensor"
        ended = freg(
            *("uttrekk", "liste", str(tmp_path / "list")),
            FREG_STORE=str(tmp_path / "mine"),
            FREG_BASE_URL=there.register.base_url,
            DAGSTER_HOME=str(there.home),
        )
        assert ended.code == 0, ended.stderr
        for job in ("full_load", "land_batch", "publish_release"):
            listed = there.ask(RUNS_OF_A_JOB, job={**PLACE, "pipelineName": job})
            assert [one["status"] for one in listed["pipelineOrError"]["runs"]] == ["SUCCESS"], job
        on_it = there.ask(TIMELINE)["runsOrError"]["results"]
        assert [one["repositoryOrigin"] for one in on_it] == [PLACE] * 3
