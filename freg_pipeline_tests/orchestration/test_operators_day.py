"""An operator's day on Dagster's page: a real browser, webserver, daemon and register.

The parts of the day follow each other in one deployment, and so in one test: on several cores,
tests of one module may run in several processes, each of which would take the whole day.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from freg_pipeline.journal.releases import current_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.browser import in_a_browser
from freg_pipeline_tests.deployment import LOCATION, Deployment, deployed, processes_of
from freg_pipeline_tests.operating import Operator
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.waiting import wait_until

PICTURES = os.environ.get("PICTURES")  # a folder to keep pictures of the day in
FIRST, SECOND = "bosatte", "bosatte-igjen"
CANCELLED = f"{FIRST}/000001"
BATCHES = 3
DIE = 100  # of some 250 residents
GRAPH = "/asset-groups?expanded=" + ",".join(
    f"global@global:{group}" for group in ("uttrekk", "feed", "lake")
)
FAR_FEWER = "/assets/release?view=checks&checkDetail=not_far_fewer"
DIFFERS = "personstatustyper was"
RESIDENTS = """\
ops:
  uttrekk:
    config:
      kind: tilpasset
      personstatustyper: [bosatt]
"""
EMIGRANTS = RESIDENTS.replace("bosatt]", "utflyttet]")

SUCCESS, FAILURE = DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE


@in_a_browser
@pytest.mark.timeout(2_400)  # a day is long: seven parts, and pages that stop are opened again
def test_an_operators_day(tmp_path: Path) -> None:
    with deployed(tmp_path) as dagster:
        with dagster.page(width=1280, height=800) as page:
            operator = Operator(page, LOCATION, Path(PICTURES) if PICTURES else None)
            _a_selection_is_ordered_by_the_form(dagster, operator)
            _the_load_goes_on_after_the_register_was_killed_but_for_what_was_cancelled(
                dagster, operator
            )
            _a_backfill_lands_it_and_the_sensor_publishes(dagster, operator)
            _what_happens_is_taken_into_the_next_release(dagster, operator)
            _the_pages_show_it(dagster, operator)
            _the_same_partition_with_other_criteria_is_refused(dagster, operator)
            _far_fewer_persons_are_not_released(dagster, operator)
    assert dagster.asked_outside == []
    assert processes_of(dagster.home) == []


def _a_selection_is_ordered_by_the_form(dagster: Deployment, operator: Operator) -> None:
    ordered = dagster.wait_for_run(operator.launch_uttrekk(FIRST, RESIDENTS, new=True))
    assert (ordered.status, ordered.tags["dagster/partition"]) == (SUCCESS, FIRST)


def _the_load_goes_on_after_the_register_was_killed_but_for_what_was_cancelled(
    dagster: Deployment, operator: Operator
) -> None:
    operator.turn_on("uttrekk_sensor")
    wait_until(lambda: len(dagster.runs("land_batch")) == BATCHES, pause=0.1)
    dagster.register.kill()
    runs = {run.tags["dagster/partition"]: run.run_id for run in dagster.runs("land_batch")}
    for run in runs.values():
        dagster.wait_for_step(run, "bulkoppslag")
    operator.terminate(runs[CANCELLED])
    dagster.wait_for_run(runs[CANCELLED])
    dagster.register.start()
    ended = {partition: dagster.wait_for_run(run).status for partition, run in runs.items()}
    assert ended == dict.fromkeys(runs, SUCCESS) | {CANCELLED: DagsterRunStatus.CANCELED}
    dagster.wait_for_ticks("uttrekk_sensor", 2)
    assert {run.run_id for run in dagster.runs("land_batch")} == {*runs.values()}


def _a_backfill_lands_it_and_the_sensor_publishes(dagster: Deployment, operator: Operator) -> None:
    operator.backfill("land_batch")
    (published,) = dagster.wait_for_runs(1, "publish_release")
    (backfill,) = (run for run in dagster.runs() if "dagster/backfill" in run.tags)
    assert (backfill.status, published.status) == (SUCCESS, SUCCESS)
    assert dagster.materialised("release")["release"] == "000001"
    accounted = "merged into another person"
    with operator.window(1400, 1150):
        operator.sees("/assets/release", "Latest materialization", accounted)
        operator.sees_drawn("Who live in Norway, by age and sex")
        operator.picture("release")
    operator.sees(f"/runs/{published.run_id}", "RUN_SUCCESS", picture="run-log")


def _what_happens_is_taken_into_the_next_release(dagster: Deployment, operator: Operator) -> None:
    operator.turn_on("hendelser_sensor")
    happen(dagster.register.base_url, 20)
    (synced,) = dagster.wait_for_runs(1, "sync_hendelser")
    assert synced.status is SUCCESS
    assert dagster.materialised("release")["release"] == "000002"


def _the_pages_show_it(dagster: Deployment, operator: Operator) -> None:
    with operator.window(1900, 720):
        operator.sees(GRAPH, "batch_tabeller", picture="asset-graph")
    operator.sees("/assets/freg/person", "personidentifikator", picture="table")
    persons = dagster.materialised("release")["dagster/row_count"]
    assert dagster.materialised("freg", "person")["dagster/row_count"] == persons


def _the_same_partition_with_other_criteria_is_refused(
    dagster: Deployment, operator: Operator
) -> None:
    refused = dagster.wait_for_run(operator.launch_uttrekk(FIRST, EMIGRANTS, new=False))
    assert refused.status is FAILURE
    operator.sees(f"/runs/{refused.run_id}", DIFFERS)


def _far_fewer_persons_are_not_released(dagster: Deployment, operator: Operator) -> None:
    happen(dagster.register.base_url, DIE, path="stille", type="personErDoed")
    dagster.wait_for_run(operator.launch_uttrekk(SECOND, RESIDENTS, new=True))
    (refused,) = dagster.wait_for_runs(1, "publish_release", **{"freg/uttrekk": SECOND})
    assert (refused.status, refused.tags["freg/refused"]) == (FAILURE, "not_far_fewer")
    operator.sees(FAR_FEWER, "was not released: it holds", picture="check")
    current = current_release(LocalStore(dagster.store))
    assert current is not None
    assert current.number == "000002"  # readers keep what they have
