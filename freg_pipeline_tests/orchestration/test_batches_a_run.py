"""A command takes in several batches in one run."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration import run
from freg_pipeline.orchestration.engine import Engine
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import fetched

PERSONS, BATCH = 36, 10


@pytest.fixture
def freg(start_register: StartRegister, make_freg: Callable[..., Freg]) -> Freg:
    return make_freg(start_register(persons=PERSONS, batch_size=BATCH))


def partitions(instance: dg.DagsterInstance) -> list[str]:
    """Of the runs that took batches in, the newest last."""
    runs = instance.get_runs(dg.RunsFilter(job_name="land_batch"))
    return [run.tags["dagster/partition"] for run in runs][::-1]


def test_batches_that_follow_each_other_share_a_run(
    freg: Freg, instance: dg.DagsterInstance
) -> None:
    with freg:
        fetched(freg.settings, name="all")
        Engine(freg, instance).land("all", [0, 2, 3])
    assert Uttrekk(freg.store, "all").landed() == {0, 2, 3}
    assert partitions(instance) == ["all/000000", "all/000002-000003"]


def test_what_is_ready_is_taken_in_together(
    freg: Freg, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed: list[tuple[str, list[int]]] = []
    land = Engine.land

    def noted(self: Engine, name: str, batches: list[int]) -> None:
        landed.append((name, list(batches)))
        land(self, name, batches)

    monkeypatch.setattr(Engine, "land", noted)
    monkeypatch.setattr(run, "MOST_IDENTIFIERS", 2 * BATCH)
    with freg:
        manifest = run.run_uttrekk(freg, name="all")
    assert manifest.accounting.delivered >= PERSONS
    ends = Uttrekk(freg.store, "all").end
    assert [batch for _, batches in landed for batch in batches] == list(range(ends or 0))
    assert all(len(batches) <= 2 for _, batches in landed)
    assert len(landed) < len(range(ends or 0))
