"""An operator's day on Dagster's page: a real browser, webserver, daemon and register.

The day is taken once. Each test looks at what came of a part of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRun, DagsterRunStatus

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

pytestmark = in_a_browser


@dataclass
class Day:
    """What came of it, read from Dagster's records once the page has shown it."""

    ordered: DagsterRun
    refused: DagsterRun
    landed: dict[str, DagsterRun]
    requested_again: list[DagsterRun]
    backfill: DagsterRun
    published: DagsterRun
    released: dict[str, Any]
    synced: DagsterRun
    after_sync: dict[str, Any]
    far_fewer: DagsterRun
    current: str
    asked_outside: list[str]
    left: list[int]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The day, taken once."""
    folder = tmp_path_factory.mktemp("day")
    told: dict[str, Any] = {}
    with deployed(folder) as dagster:
        with dagster.page(width=1280, height=800) as page:
            operator = Operator(page, LOCATION, Path(PICTURES) if PICTURES else None)
            for part in (_morning, _noon, _afternoon, _evening):
                told |= part(dagster, operator)
    return Day(**told, asked_outside=dagster.asked_outside, left=processes_of(dagster.home))


def _morning(dagster: Deployment, operator: Operator) -> dict[str, Any]:
    """A selection is ordered; then the same partition with other criteria."""
    ordered = operator.launch_uttrekk(FIRST, RESIDENTS, new=True)
    dagster.wait_for_run(ordered)
    refused = operator.launch_uttrekk(FIRST, EMIGRANTS, new=False)
    dagster.wait_for_run(refused)
    operator.sees(f"/runs/{refused}", DIFFERS)
    return {"ordered": dagster.wait_for_run(ordered), "refused": dagster.wait_for_run(refused)}


def _noon(dagster: Deployment, operator: Operator) -> dict[str, Any]:
    """Batches land; the register dies meanwhile, and somebody cancels a run."""
    operator.turn_on("uttrekk_sensor")
    wait_until(lambda: len(dagster.runs("land_batch")) == BATCHES, pause=0.1)
    dagster.register.kill()
    runs = {run.tags["dagster/partition"]: run.run_id for run in dagster.runs("land_batch")}
    for run in runs.values():
        dagster.wait_for_step(run, "bulkoppslag")
    operator.terminate(runs[CANCELLED])
    dagster.wait_for_run(runs[CANCELLED])
    dagster.register.start()
    landed = {partition: dagster.wait_for_run(run) for partition, run in runs.items()}
    dagster.wait_for_ticks("uttrekk_sensor", 2)
    again = [run for run in dagster.runs("land_batch") if run.run_id not in runs.values()]
    return {"landed": landed, "requested_again": again}


def _afternoon(dagster: Deployment, operator: Operator) -> dict[str, Any]:
    """The batch that was cancelled is backfilled, which the sensors make a release of."""
    operator.backfill("land_batch")
    (published,) = dagster.wait_for_runs(1, "publish_release")
    operator.sees("/assets/release", "Latest materialization", picture="release")
    operator.sees(f"/runs/{published.run_id}", "RUN_SUCCESS", picture="run-log")
    released = dagster.materialised("release")
    (backfill,) = (run for run in dagster.runs() if "dagster/backfill" in run.tags)
    operator.turn_on("hendelser_sensor")
    happen(dagster.register.base_url, 20)
    (synced,) = dagster.wait_for_runs(1, "sync_hendelser")
    return {
        "backfill": backfill,
        "published": published,
        "released": released,
        "synced": synced,
        "after_sync": dagster.materialised("release"),
    }


def _evening(dagster: Deployment, operator: Operator) -> dict[str, Any]:
    """The same order once more, and the register has far fewer persons."""
    operator.sees(GRAPH, "batch_tabeller")
    happen(dagster.register.base_url, DIE, path="stille", type="personErDoed")
    dagster.wait_for_run(operator.launch_uttrekk(SECOND, RESIDENTS, new=True))
    (far_fewer,) = dagster.wait_for_runs(1, "publish_release", **{"freg/uttrekk": SECOND})
    operator.sees(FAR_FEWER, "was not released: it holds", picture="check")
    current = current_release(LocalStore(dagster.store))
    assert current is not None
    return {"far_fewer": far_fewer, "current": current.number}


def test_a_selection_is_ordered_by_the_form_for_a_new_partition(day: Day) -> None:
    assert day.ordered.status is DagsterRunStatus.SUCCESS
    assert day.ordered.tags["dagster/partition"] == FIRST


def test_the_same_partition_with_other_criteria_is_refused_on_the_runs_page(day: Day) -> None:
    assert day.refused.status is DagsterRunStatus.FAILURE


def test_the_load_goes_on_after_the_register_was_killed(day: Day) -> None:
    others = [run.status for partition, run in day.landed.items() if partition != CANCELLED]
    assert others == [DagsterRunStatus.SUCCESS] * (BATCHES - 1)


def test_a_run_that_was_cancelled_stays_so(day: Day) -> None:
    assert day.landed[CANCELLED].status is DagsterRunStatus.CANCELED
    assert day.requested_again == []


def test_batches_are_backfilled_and_the_sensor_publishes_them(day: Day) -> None:
    assert day.backfill.status is DagsterRunStatus.SUCCESS
    assert day.published.status is DagsterRunStatus.SUCCESS
    assert day.released["release"] == "000001"


def test_what_happens_is_taken_into_the_next_release(day: Day) -> None:
    assert day.synced.status is DagsterRunStatus.SUCCESS
    assert day.after_sync["release"] == "000002"


def test_a_release_with_far_fewer_persons_fails_its_check_and_readers_keep_what_they_have(
    day: Day,
) -> None:
    assert day.far_fewer.status is DagsterRunStatus.FAILURE
    assert day.far_fewer.tags["freg/refused"] == "not_far_fewer"
    assert day.current == "000002"


def test_the_page_asks_for_nothing_elsewhere(day: Day) -> None:
    assert day.asked_outside == []


def test_nothing_of_it_is_left(day: Day) -> None:
    assert day.left == []
