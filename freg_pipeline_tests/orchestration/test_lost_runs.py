"""A run that was lost with all of Dagster, of which no process is left that could tell."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path
from unittest import mock

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord
from dagster._core.instance.ref import InstanceRef
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from freg_pipeline.orchestration.runs import runs_of
from freg_pipeline_tests.deployment import ROOT

TAGS = {"freg/uttrekk": "one"}
HOUR = 3600.0


@pytest.mark.parametrize(("hours", "is_lost"), [(13, False), (25, True)])
def test_with_our_dagster_yaml_it_fails_after_a_day_and_is_requested_again(
    hours: float, is_lost: bool, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as instance:
        run = DagsterRun(job_name="land_batch", tags=TAGS, status=DagsterRunStatus.STARTED)
        instance.add_run(run)
        record = instance.get_run_record_by_id(run.run_id)
        assert record is not None
        began = record._replace(start_time=time.time() - hours * HOUR)
        _monitor(instance, began)
        runs = runs_of(instance, TAGS)
        assert (("land_batch", "") in runs.under_way) is not is_lost
        assert runs.held == frozenset()  # waits for no person
        assert bool(runs.troubles) is is_lost


def _monitor(instance: DagsterInstance, record: RunRecord) -> None:
    """What Dagster's daemon does every two minutes."""
    monitor_started_run(instance, mock.Mock(), record, logging.getLogger(__name__))
