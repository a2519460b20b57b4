"""The tables and views that analysts ask for most, on a population that lives.

Each is held against a slow and obvious version, after a full load, syncs, merged deltas and a
compaction; then as of earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from freg_pipeline.lake.query import connect
from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests import slow_views
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.slow_views import People

OPTIONS = RegisterOptions(persons=400, batch_size=150, ready_after_seconds=0.02)


@dataclass(frozen=True)
class Living:
    """A store that was kept current with a living register, and where it stood."""

    store: Store
    positions: list[int]


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """A full load, and then syncs."""
    folder = tmp_path_factory.mktemp("living")
    with running(OPTIONS) as url:
        settings = load(base_url=url, store=str(folder / "store"), poll_seconds=0.02)
        positions = [full_load(settings).sekvensnummer]
        for events in (400, 200, 100):
            positions.append(happen(url, events))
            sync(settings)
        yield Living(open_store(settings), positions)


def rows_of(connection: duckdb.DuckDBPyConnection, source: str) -> list[dict[str, Any]]:
    rows = connection.sql(f"FROM {source}").to_arrow_table().to_pylist()
    return sorted(rows, key=repr)


def test_person_naa_is_what_a_person_s_current_rows_tell(living: Living) -> None:
    with connect(living.store) as connection:
        people = People(connection, slow_views.NAA_TABLES)
        expected = [slow_views.person_naa(people, one) for one in people.numbers]
        found = rows_of(connection, "person_naa")
    assert found == sorted(expected, key=repr)
    for column in found[0]:
        assert any(row[column] is not None for row in found), f"{column} is never told"
    assert {row["beskyttet"] for row in found} == {True, False}
