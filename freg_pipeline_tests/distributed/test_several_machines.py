"""A load, a sync and a compaction on several machines, one of which is lost in the middle."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.partitions import batches_of
from freg_pipeline.orchestration.runs import PARTITION_TAG, was_lost
from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline_tests.cluster import Cluster, Machine, cluster
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.radosgw import Radosgw
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.services import missing
from freg_pipeline_tests.tables import difference
from freg_pipeline_tests.waiting import wait_until

BATCHES = 12
REGISTER = ("--persons", "1200", "--batch-size", "110", "--latency-ms", "150")
LOOKED = "freg_pipeline_tests.distributed.location"


@dataclass(frozen=True)
class Course:
    """What happened.

    Attributes:
        lost: the runs that were under way on the machine that was lost.
        again: by partition, seconds until it was requested again.
        differences: after the load, the sync and the compaction: what differs from one process.
        by: machines that have done runs of a job, by the job.
        instance: Dagster's records.
    """

    lost: list[dg.DagsterRun]
    again: dict[str, float]
    differences: list[dict[str, tuple[int, int]]]
    by: dict[str, set[str]]
    cluster: Cluster


@pytest.fixture(scope="module")
def course(radosgw: Radosgw, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    if packages := missing():
        pytest.skip(f"needs services: apt-get install {' '.join(packages)}")
    folder = tmp_path_factory.mktemp("several")
    store = f"s3://{radosgw.bucket()}/freg"
    settings = {
        **radosgw.environment(),
        "FREG_STORE": store,
        "FREG_COMPACT_SHARE": "0.0001",
        "FREG_SHARE_RELEASE": "true",
    }
    with cluster(folder, LOOKED, *REGISTER, **settings) as several, _as(settings):
        alone = load(base_url=several.register.base_url, store=str(folder / "alone"))
        yield _run(several, Course([], {}, [], {}, several), open_store(load()), open_store(alone))


@contextmanager
def _as(settings: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield


def _run(several: Cluster, course: Course, store: Store, alone: Store) -> Course:
    settings = load(base_url=several.register.base_url, store=alone.location, poll_seconds=0.05)
    first, second = several.worker("first"), several.worker("second")
    _order(several)
    lost = _lose_in_the_middle(several, first, store)
    course.lost.extend(lost)
    began = time.monotonic()
    third = several.worker("third")  # another takes its place
    full_load(settings)
    for run in lost:
        wait_until(lambda run=run: _again(several, run), pause=0.2)  # type: ignore[misc]
        course.again[run.tags[PARTITION_TAG]] = time.monotonic() - began
    several.wait_for("publish_release")
    course.differences.append(difference(store, alone))
    happen(several.register.base_url, 60)
    sync(settings)
    several.wait_for("sync_hendelser")
    course.differences.append(difference(store, alone))
    several.wait_for("publish_compaction")
    assert not require_current(store).deltas
    course.differences.append(difference(store, alone))
    for run in several.runs(statuses=[DagsterRunStatus.SUCCESS]):
        pid = several.pid_of(run)
        there = {n for n in ("second", "third") if pid and several.machines[n].has(pid)}
        course.by.setdefault(run.job_name, set()).update(there)
    del second, third
    return course


def _order(several: Cluster) -> None:
    several.instance.add_dynamic_partitions("uttrekk", ["alle"])
    config = {"ops": {"uttrekk": {"config": {"kind": "komplett"}}}}
    several.launch("full_load", config, dagster__partition="alle", freg__uttrekk="alle")
    several.wait_for("full_load")


def _lose_in_the_middle(several: Cluster, machine: Machine, store: Store) -> list[dg.DagsterRun]:
    """Lose a machine while it takes batches in and others have landed; the runs that it was at.

    It stands still while that is looked at: a run may land its last batch, or end, between a look
    and the next, and of what has landed nothing is requested again.
    """
    begun = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]

    def at_work() -> list[dg.DagsterRun]:
        runs = several.runs("land_batch", begun)
        there = [run for run in runs if (pid := several.pid_of(run)) and machine.has(pid)]
        return [run for run in there if _is_to_land(store, run)]

    def stands_still_at_work() -> bool:
        if not (several.runs("land_batch", [DagsterRunStatus.SUCCESS]) and at_work()):
            return False
        machine.signal(signal.SIGSTOP)
        found[:] = at_work()
        if not found:
            machine.signal(signal.SIGCONT)
        return bool(found)

    found: list[dg.DagsterRun] = []
    wait_until(stands_still_at_work, pause=0.05)
    machine.lose()
    return found


def _is_to_land(store: Store, run: dg.DagsterRun) -> bool:
    """Whether a run takes a batch in that hasn't landed yet."""
    partition = run.tags[PARTITION_TAG]
    uttrekk = Uttrekk(store, partition.partition("/")[0])
    return not all(map(uttrekk.has_landed, batches_of(partition)))


def _again(several: Cluster, lost: dg.DagsterRun) -> bool:
    tags = {PARTITION_TAG: lost.tags[PARTITION_TAG]}
    newest = several.instance.get_runs(dg.RunsFilter(tags=tags), limit=1)
    return newest[0].run_id != lost.run_id


def test_what_the_lost_machine_was_at_is_requested_again_within_two_minutes(
    course: Course,
) -> None:
    assert course.lost
    assert course.again.keys() == {run.tags[PARTITION_TAG] for run in course.lost}
    for run in course.lost:
        told = course.cluster.instance.get_run_by_id(run.run_id)
        assert told is not None
        assert was_lost(told)


def test_the_release_is_that_of_one_process_table_for_table(course: Course) -> None:
    """That of the load, of a sync, and of a compaction."""
    assert course.differences == [{}, {}, {}]


def test_runs_were_done_by_all_machines(course: Course) -> None:
    """Which of them takes which run is the queue's own business."""
    assert all(course.by[job] for job in ("land_batch", "release_piece", "compact_piece"))
    assert set().union(*course.by.values()) == {"second", "third"}
