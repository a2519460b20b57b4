"""A release that several machines make: its plan, a run a piece, then published once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.errors import ConfigurationError, FregError, IncompleteError
from freg_pipeline.journal.releases import current_release, require_current
from freg_pipeline.lake import keys
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.verify import verify
from freg_pipeline.orchestration.engine import Engine
from freg_pipeline.orchestration.partitions import RELEASE_PIECE, read_piece_partition
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.sensed import sensed
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, navn, number


@pytest.fixture
def freg(make_freg: Callable[..., Freg], monkeypatch: pytest.MonkeyPatch) -> Freg:
    """An uttrekk whose batches have landed, of more persons than one bucket holds."""
    monkeypatch.setattr(keys, "PERSONS_A_BUCKET", 2)
    freg = make_freg("http://127.0.0.1:9", share_release=True)
    landed(freg.store)  # type: ignore[arg-type]
    return freg


def landed(store: LocalStore) -> Any:
    people = [(f"d-{one}", document(number(one), navn=[navn(f"N{one}")])) for one in range(4)]
    return deliver(store, "one", people[:1], people[1:])


def wanted(freg: Freg, instance: DagsterInstance) -> list[tuple[str | None, str | None]]:
    result = sensed("uttrekk_sensor", freg, instance)
    assert isinstance(result, dg.SensorResult)
    return [(one.job_name, one.partition_key) for one in result.run_requests or []]


def test_the_plan_then_its_pieces_then_it_is_published(
    freg: Freg, instance: DagsterInstance, tmp_path: Any
) -> None:
    engine = Engine(freg, instance)

    def run(*requests: tuple[str | None, str | None]) -> None:
        for job, key in requests:
            assert job is not None
            assert key is not None
            engine.add(RELEASE_PIECE, key)
            engine.run(job, key)

    plan = [("release_piece", "one/plan")]
    assert wanted(freg, instance) == plan
    run(*plan)
    pieces = [("release_piece", "one/0000"), ("release_piece", "one/0001")]
    assert wanted(freg, instance) == pieces
    run(pieces[1], pieces[1])
    assert wanted(freg, instance) == pieces[:1]
    run(pieces[0])
    assert current_release(freg.store) is None
    assert wanted(freg, instance) == [("publish_release", None)]
    engine.run("publish_release", None, {"release": {"uttrekk": "one"}})

    other = local_store(tmp_path / "other")
    alone = build_release(other, landed(other))
    assert require_current(freg.store).tables == alone.tables
    assert verify(freg.store) == []
    assert wanted(freg, instance) == []


def test_one_machine_publishes_at_once(
    make_freg: Callable[..., Freg], instance: DagsterInstance
) -> None:
    freg = make_freg("http://127.0.0.1:9")
    landed(freg.store)  # type: ignore[arg-type]
    assert wanted(freg, instance) == [("publish_release", None)]


@pytest.mark.parametrize("key", ["one", "one/", "one/felles", "one/-1", "one/²"])
def test_a_key_that_is_no_piece(freg: Freg, key: str) -> None:
    with pytest.raises(ConfigurationError, match="not a piece of a release"):
        read_piece_partition(freg.store, key)


def test_a_piece_without_a_plan_is_refused(freg: Freg, instance: DagsterInstance) -> None:
    engine = Engine(freg, instance)
    engine.add(RELEASE_PIECE, "one/0000")
    with pytest.raises(FregError, match="no piece 0"):
        engine.run("release_piece", "one/0000")


def test_a_plan_that_is_refused_waits_for_a_person(
    make_freg: Callable[..., Freg], instance: DagsterInstance
) -> None:
    freg = make_freg("http://127.0.0.1:9", share_release=True)
    deliver(freg.store, "one", [("d", document(number(1))), ("odd", {"navn": []})])
    engine = Engine(freg, instance)
    ((job, key),) = wanted(freg, instance)
    assert (job, key) == ("release_piece", "one/plan")
    engine.add(RELEASE_PIECE, "one/plan")
    with pytest.raises(IncompleteError, match="1 failed"):
        engine.run("release_piece", "one/plan")
    assert freg.store.list("bases/") == []
    assert wanted(freg, instance) == []
