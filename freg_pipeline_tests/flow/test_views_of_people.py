"""The tables and views that analysts ask for most, on a population that lives.

Each is held against a slow and obvious version, after a full load, syncs, merged deltas and a
compaction; then as of earlier.
"""

from __future__ import annotations

from typing import Any

import duckdb

from freg_pipeline.lake.query import connect
from freg_pipeline_tests import slow_views
from freg_pipeline_tests.living import Living
from freg_pipeline_tests.slow_views import People


def rows_of(connection: duckdb.DuckDBPyConnection, source: str) -> list[dict[str, Any]]:
    rows = connection.sql(f"FROM {source}").to_arrow_table().to_pylist()
    return sorted(rows, key=repr)


def test_person_naa_is_what_a_person_s_current_rows_tell(lived: Living) -> None:
    with connect(lived.store) as connection:
        people = People(connection, slow_views.NAA_TABLES)
        expected = [slow_views.person_naa(people, one) for one in people.numbers]
        found = rows_of(connection, "person_naa")
    assert found == sorted(expected, key=repr)
    for column in found[0]:
        assert any(row[column] is not None for row in found), f"{column} is never told"
    assert {row["beskyttet"] for row in found} == {True, False}
