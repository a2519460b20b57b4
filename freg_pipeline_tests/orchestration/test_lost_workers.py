"""A run whose process or machine was lost is ended, and its work is requested again."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.events import EngineEventData
from dagster._core.instance.ref import InstanceRef

from freg_pipeline.orchestration.failing import Ours, failures
from freg_pipeline.orchestration.lost_runs import (
    BETWEEN_STEPS_SECONDS,
    LOADING_SECONDS,
    LOOK_SECONDS,
    SILENT_SECONDS,
    State,
    looked,
)
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.old_runs import OurRecords
from freg_pipeline.orchestration.recorded import hear_of_run
from freg_pipeline.orchestration.runs import MOST_LOST, PARTITION_TAG, runs_of
from freg_pipeline.orchestration.workers import IN_PROCESS, Workers
from freg_pipeline_tests.deployment import ROOT
from freg_pipeline_tests.recorded_runs import failed
from freg_pipeline_tests.waiting import started, wait_until

TAGS = {"freg/uttrekk": "one", PARTITION_TAG: "one/000000"}
BATCH = ("land_batch", "one/000000")
OURS = OurRecords(frozenset({"land_batch"}), frozenset())
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[DagsterInstance]:
    """Dagster's records as our dagster.yaml keeps them."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as instance:
        yield instance


def begun(instance: DagsterInstance, *, at_work: bool = True, job: str = "land_batch") -> str:
    """A run that has begun, and works on a step unless it is between two."""
    run = instance.add_run(dg.DagsterRun(job_name=job, tags=TAGS, status=DagsterRunStatus.STARTED))
    if at_work:
        event = dg.DagsterEvent(dg.DagsterEventType.STEP_START.value, job, step_key="bulkoppslag")
        instance.report_dagster_event(event, run.run_id)
    return run.run_id


class Looks:
    """One look after the other, by a clock of the test's."""

    def __init__(self, instance: DagsterInstance, workers: Workers = IN_PROCESS) -> None:
        self._instance = instance
        self._workers = workers
        self._state = State()
        self._now = 1_000.0

    def after(self, seconds: float) -> list[str]:
        """Look after so many seconds; what was lost."""
        self._now += seconds
        self._state, lost = looked(self._instance, OURS, self._state, self._now, self._workers)
        return lost

    def until(self, seconds: float) -> list[str]:
        """Look at the usual pace for so many seconds."""
        return [
            one for _ in range(round(seconds / LOOK_SECONDS)) for one in self.after(LOOK_SECONDS)
        ]


def test_a_run_of_which_nothing_is_heard_fails_and_its_batch_may_be_requested_at_once(
    kept: DagsterInstance,
) -> None:
    run = begun(kept)
    looks = Looks(kept)
    looks.after(0)
    assert looks.until(SILENT_SECONDS - LOOK_SECONDS) == []
    assert runs_of(kept, TAGS).under_way == {BATCH}
    assert looks.after(LOOK_SECONDS) == [run]
    after = runs_of(kept, TAGS)
    assert (after.under_way, after.may_begin(*BATCH)) == (frozenset(), True)
    assert SILENT_SECONDS + 2 * LOOK_SECONDS < 120  # however the looks lie
    assert looks.until(SILENT_SECONDS) == []


def test_one_that_is_only_slow_is_left_alone(kept: DagsterInstance) -> None:
    run = begun(kept)
    looks = Looks(kept)
    for _ in range(20):
        assert looks.until(SILENT_SECONDS - LOOK_SECONDS) == []
        assert hear_of_run(kept, run)


def test_one_process_is_missed_between_two_steps_as_soon_as_in_one(kept: DagsterInstance) -> None:
    run = begun(kept, at_work=False)
    looks = Looks(kept)
    looks.after(0)
    assert looks.until(SILENT_SECONDS) == [run]


@pytest.mark.parametrize("executor", ["multiprocess", "deployment"])
def test_where_steps_are_spread_there_is_time_to_start_a_container_between_two(
    executor: str, kept: DagsterInstance
) -> None:
    workers = Workers.of(executor)
    at_work = begun(kept)
    assert Looks(kept, workers).until(SILENT_SECONDS + LOOK_SECONDS) == [at_work]
    run = begun(kept, at_work=False)
    looks = Looks(kept, workers)
    looks.after(0)
    assert looks.until(BETWEEN_STEPS_SECONDS - LOOK_SECONDS) == []
    assert looks.until(2 * LOOK_SECONDS) == [run]


def test_one_that_a_process_has_taken_and_that_never_began_is_lost(kept: DagsterInstance) -> None:
    """Its worker was lost while it loaded our code; one that waits for a worker isn't."""
    waits, taken = (
        kept.add_run(
            dg.DagsterRun(job_name="land_batch", tags=TAGS, status=DagsterRunStatus.STARTING)
        )
        for _ in range(2)
    )
    kept.report_engine_event("Waiting.", waits)
    kept.report_engine_event("Started.", taken, EngineEventData.in_process(1))
    looks = Looks(kept)
    looks.after(0)
    assert looks.until(LOADING_SECONDS - LOOK_SECONDS) == []
    assert looks.until(2 * LOOK_SECONDS) == [taken.run_id]
    assert looks.until(3 * BETWEEN_STEPS_SECONDS) == []
    assert LOADING_SECONDS + LOOK_SECONDS < 120


def test_a_long_pause_of_whoever_looks_counts_for_no_more_than_a_short_one(
    kept: DagsterInstance,
) -> None:
    run = begun(kept)
    looks = Looks(kept)
    looks.after(0)
    assert looks.after(3_600) == []  # the database was away, say, for the run as well
    assert hear_of_run(kept, run)
    assert looks.until(SILENT_SECONDS - LOOK_SECONDS) == []


def test_others_runs_are_none_of_ours(kept: DagsterInstance) -> None:
    begun(kept, job="their_job")
    assert Looks(kept).until(3 * BETWEEN_STEPS_SECONDS) == []


def test_one_that_ended_meanwhile_stays_as_it_ended(
    kept: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(kept)
    looks = Looks(kept)
    looks.until(SILENT_SECONDS)
    found = kept.get_run_records

    def ends(wanted: dg.RunsFilter) -> object:
        records = found(wanted)
        event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, "land_batch")
        kept.report_dagster_event(event, run)
        return records

    monkeypatch.setattr(kept, "get_run_records", ends)
    assert looks.until(2 * LOOK_SECONDS) == []
    told = kept.get_run_by_id(run)
    assert told is not None
    assert told.status is DagsterRunStatus.SUCCESS
    assert not hear_of_run(kept, run)  # and isn't under way any more


def test_what_takes_worker_after_worker_along_waits_for_a_person_who_is_told(
    kept: DagsterInstance,
) -> None:
    """A batch that needs more memory than workers have, say."""
    may_begin = []
    for _ in range(MOST_LOST):
        begun(kept)
        Looks(kept).until(SILENT_SECONDS + 2 * LOOK_SECONDS)
        found = runs_of(kept, TAGS)
        may_begin.append((found.may_begin(*BATCH), BATCH in found.held))
    assert may_begin == [(True, False), (False, False), (False, True)]  # the second after a pause
    ours = Ours(Names(), frozenset({"land_batch"}))
    (sign,), _ = failures(kept, ours, LONG_AGO)
    assert "lost 3 times in a row, and it isn't requested again" in sign.what
    assert sign.remedy == "Give workers more memory, then launch one/000000 again"


def test_a_failure_that_tells_why_between_them_is_another_matter(kept: DagsterInstance) -> None:
    for reason in (None, None, "STEP_FAILURE", None, None):
        failed(kept, "land_batch", "one/000000", **_because(reason), **{"freg/uttrekk": "one"})
    assert runs_of(kept, {"freg/uttrekk": "one"}).held == frozenset()


def _because(reason: str | None) -> dict[str, str]:
    return {"dagster/failure_reason": reason} if reason else {}


SLOW = """
import sys, time
import dagster as dg
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from freg_pipeline.orchestration import alive
from freg_pipeline.orchestration.telling import in_our_words

alive.BEAT_SECONDS = 0.1

@dg.op
@in_our_words
def bulkoppslag(context: dg.OpExecutionContext) -> None:
    time.sleep(3600)

@dg.job(executor_def=dg.in_process_executor)
def land_batch() -> None:
    bulkoppslag()

with DagsterInstance.from_ref(InstanceRef.from_dir(sys.argv[1])) as instance:
    land_batch.execute_in_process(instance=instance, tags={"freg/uttrekk": "one"})
"""


def test_a_process_that_is_killed_is_heard_of_until_then(
    kept: DagsterInstance, tmp_path: Path
) -> None:
    heard: set[float] = set()
    looks = Looks(kept)

    def beats() -> bool:
        records = kept.get_run_records(dg.RunsFilter(statuses=[DagsterRunStatus.STARTED]))
        new = {one.update_timestamp.timestamp() for one in records} - heard
        if new:  # at the slowest pace that isn't a loss
            assert looks.until(SILENT_SECONDS - LOOK_SECONDS) == []
        heard.update(new)
        return len(heard) > 3

    with started([sys.executable, "-c", SLOW, str(tmp_path)]) as process:
        wait_until(beats, process, pause=0.05)
    (run,) = looks.until(SILENT_SECONDS + 2 * LOOK_SECONDS)
    told = kept.get_run_by_id(run)
    assert told is not None
    assert told.status is DagsterRunStatus.FAILURE


def test_a_process_that_comes_back_says_in_its_log_that_others_have_taken_over(
    kept: DagsterInstance, tmp_path: Path
) -> None:
    def run() -> dg.DagsterRun | None:
        runs = kept.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.STARTED]))
        at_work = runs and kept.get_run_step_stats(runs[0].run_id)
        return runs[0] if at_work else None

    with started([sys.executable, "-c", SLOW, str(tmp_path)]) as process:
        wait_until(run, process, pause=0.05)
        found = run()
        assert found is not None
        kept.report_run_failed(found)
        wait_until(
            lambda: any(
                "ended by somebody else" in one.message for one in kept.all_logs(found.run_id)
            ),
            process,
            pause=0.05,
        )
