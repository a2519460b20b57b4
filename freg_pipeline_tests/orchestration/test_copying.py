"""The copy in a warehouse from Dagster: only where one is configured, and along with releases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
from dagster import DagsterInstance

from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.engine import Engine
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline_tests.unit.lake.delivered import deliver, deliver_events, document, navn, number

A, B = number(0), number(1)


def requested(freg: Freg, instance: DagsterInstance) -> bool:
    """Whether a tick requests a load."""
    sensor = make_definitions(freg).resolve_sensor_def("kopi_sensor")
    with dg.build_sensor_context(instance, resources={"freg": freg}) as context:
        return isinstance(sensor._raw_fn(context), dg.RunRequest)


def test_there_is_none_where_no_destination_is_configured(make_freg: Callable[..., Freg]) -> None:
    made = make_definitions(make_freg("http://127.0.0.1:9"))
    assert "kopi_sensor" not in {one.name for one in made.sensors or ()}
    assert dg.AssetKey("kopi") not in made.resolve_all_asset_keys()


def test_the_copy_follows_releases(
    make_freg: Callable[..., Freg], instance: DagsterInstance, tmp_path: Path
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    freg = make_freg("http://127.0.0.1:9", load_to=f"duckdb:{warehouse}")
    assert not requested(freg, instance)
    documents = [("d-a", document(A, navn=[navn("Ada")])), ("d-b", document(B))]
    build_release(freg.store, deliver(freg.store, "one", documents))
    engine = Engine(freg, instance)
    assert requested(freg, instance)
    engine.run("load_copy")
    assert not requested(freg, instance)

    changed = document(A, navn=[navn("Adele")], day=5)
    build_release(freg.store, deliver_events(freg.store, 100, 200, [(A, changed)]))
    assert requested(freg, instance)
    engine.run("load_copy")
    event = instance.get_latest_materialization_event(dg.AssetKey("kopi"))
    assert event is not None
    assert event.asset_materialization is not None
    told = {key: one.value for key, one in event.asset_materialization.metadata.items()}
    assert (told["release"], told["since"], told["sekvensnummer"]) == ("000002", "000001", 200)
    with duckdb.connect(warehouse) as connection:
        assert connection.execute("SELECT fornavn FROM freg.navn").fetchall() == [("Adele",)]
