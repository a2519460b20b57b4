"""Compaction from Dagster: begun where it is due, a partition a piece, then published once."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.engine import Engine
from freg_pipeline.orchestration.partitions import COMPACTION_PIECE
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    navn,
    number,
)

A, B = number(0), number(1)
NAME = "one.000000000200"


@pytest.fixture
def freg(make_freg: Callable[..., Freg]) -> Freg:
    """A release of two persons, and a delta that replaces one of them."""
    freg = make_freg("http://127.0.0.1:9")
    documents = [("d-a", document(A, navn=[navn("Ada")])), ("d-b", document(B))]
    build_release(freg.store, deliver(freg.store, "one", documents))
    changed = document(A, navn=[navn("Adele")], day=5)
    build_release(freg.store, deliver_events(freg.store, 100, 200, [(A, changed)]))
    return freg


def tick(freg: Freg, instance: DagsterInstance) -> dg.SensorResult | dg.SkipReason:
    return sensed("compaction_sensor", freg, instance)


def test_pieces_are_requested_then_published_then_nothing(
    freg: Freg, instance: DagsterInstance
) -> None:
    engine = Engine(freg, instance)
    result = tick(freg, instance)
    assert isinstance(result, dg.SensorResult)
    wanted = [(one.job_name, one.partition_key) for one in result.run_requests or []]
    assert wanted == [("compact_piece", f"{NAME}/0000"), ("compact_piece", f"{NAME}/felles")]
    for _, key in wanted:
        assert key is not None
        engine.add(COMPACTION_PIECE, key)
        engine.run("compact_piece", key)

    result = tick(freg, instance)
    assert isinstance(result, dg.SensorResult)
    assert [one.job_name for one in result.run_requests or []] == ["publish_compaction"]
    engine.run("publish_compaction")

    manifest = require_current(freg.store)
    assert (manifest.number, manifest.deltas, manifest.sekvensnummer) == ("000003", (), 200)
    assert isinstance(tick(freg, instance), dg.SkipReason)


def test_a_piece_that_has_failed_is_left_alone_for_a_while(
    freg: Freg, instance: DagsterInstance
) -> None:
    result = tick(freg, instance)
    assert isinstance(result, dg.SensorResult)
    (first, *_) = result.run_requests or []
    job = make_definitions(freg).resolve_job_def("compact_piece")
    for _ in range(3):
        tags = {**first.tags, "dagster/partition": first.partition_key or ""}
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE, tags=tags)
    result = tick(freg, instance)
    assert isinstance(result, dg.SensorResult)
    assert [one.partition_key for one in result.run_requests or []] == [f"{NAME}/felles"]
