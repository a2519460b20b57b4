"""Which row counts when several hold, on rows that no register would give, but may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from freg_pipeline.lake.people import People
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import PERSON_KEY
from freg_pipeline_tests import slow_views

DAY = date(2020, 6, 30)
NOON = datetime(2020, 6, 30, 12, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
# One row a person is the exception here: moments are few, so that many hold, and many tie.
moments = st.sampled_from([None, *(NOON + timedelta(days=days) for days in (-2, -1, 0, 1))])
values = st.sampled_from([None, "0301", "1103"])
row = st.fixed_dictionaries(
    {
        "person": st.integers(1, 20),
        "gyldighetstidspunkt": moments,
        "opphoerstidspunkt": moments,
        "ajourholdstidspunkt": moments,
        "er_gjeldende": st.sampled_from([True, False, None]),
        "verdi": values,
        "flyttedato": st.sampled_from([None, DAY, DAY - timedelta(days=1)]),
    }
)
tables = st.lists(row, min_size=40, max_size=60)  # of many persons, as examples cost
TABLES = ("bostedsadresse", "status", "navn", "utflytting", "innflytting")
# What each table calls its value.
VALUES = {
    "bostedsadresse": ("kommunenummer", "vegadresse_kommunenummer"),
    "status": ("status",),
    "navn": ("etternavn",),
    "utflytting": ("tilflyttingsland",),
    "innflytting": ("fraflyttingsland",),
}
NAMES = {
    "personidentifikator": "VARCHAR",
    "etternavn": "VARCHAR",
    "rad_nr": "INTEGER",
    "gyldighetstidspunkt": "TIMESTAMP WITH TIME ZONE",
    "opphoerstidspunkt": "TIMESTAMP WITH TIME ZONE",
    "ajourholdstidspunkt": "TIMESTAMP WITH TIME ZONE",
    "er_gjeldende": "BOOLEAN",
}


def there(rows: Mapping[str, list[dict[str, Any]]]) -> duckdb.DuckDBPyConnection:
    """A connection with the tables, and everyone's number."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Europe/Oslo'")
    connection.execute(
        "CREATE VIEW person AS SELECT unnest(range(1, 21))::VARCHAR AS personidentifikator"
    )
    for name in TABLES:
        told = rows.get(name, [])
        columns: dict[str, pa.Array] = {
            PERSON_KEY: pa.array([one["person"] for one in told], pa.int64()),
            "personidentifikator": pa.array([str(one["person"]) for one in told], pa.string()),
            "rad_nr": pa.array(range(len(told))[::-1], pa.int32()),
            "er_gjeldende": pa.array([one["er_gjeldende"] for one in told], pa.bool_()),
        }
        for moment in ("gyldighetstidspunkt", "opphoerstidspunkt", "ajourholdstidspunkt"):
            columns[moment] = pa.array([one[moment] for one in told], MOMENT)
        for day in ("flyttedato", "utflyttingsdato"):
            columns[day] = pa.array([one["flyttedato"] for one in told], pa.date32())
        for value in VALUES[name]:
            columns[value] = pa.array([one["verdi"] for one in told], pa.string())
        connection.register(f"{name}_rader", pa.table(columns))
        connection.execute(f"CREATE TEMP VIEW {name} AS FROM {name}_rader")
    return connection


def keyed(name: str, columns: Mapping[str, str]) -> str:
    return f"(SELECT {', '.join((PERSON_KEY, 'personidentifikator', *columns))} FROM {name})"


OURS = People(identifier, keyed, status_is_told=True)


@settings(max_examples=8, deadline=None)
@given(homes=tables, statuses=tables, known=st.sampled_from([None, DAY, DAY - timedelta(days=1)]))
def test_one_home_of_several_counts_and_one_status(
    homes: list[dict[str, Any]], statuses: list[dict[str, Any]], known: date | None
) -> None:
    statuses = [{**one, "verdi": "bosatt" if one["verdi"] else None} for one in statuses]
    with there({"bostedsadresse": homes, "status": statuses}) as connection:
        sql = OURS.befolkning(f"'{DAY}'", "NULL" if known is None else f"DATE '{known}'")
        found = connection.execute(sql).fetchall()
        people = slow_views.People(connection, slow_views.PEOPLE_TABLES)
        assert len(found) == len(dict(found))
        assert dict(found) == slow_views.befolkning(people, DAY, known)


@settings(max_examples=8, deadline=None)
@given(tables)
def test_one_name_of_several_counts(names: list[dict[str, Any]]) -> None:
    with there({"navn": names}) as connection:
        found = connection.sql(OURS.navn(NAMES, f"'{DAY}'")).to_arrow_table().to_pylist()
        people = slow_views.People(connection, slow_views.PEOPLE_TABLES)
        expected = [{name: one[name] for name in NAMES} for one in slow_views.navn(people, DAY)]
        assert sorted(found, key=repr) == sorted(expected, key=repr)


@settings(max_examples=8, deadline=None)
@given(homes=tables, left=tables)
def test_of_homes_that_began_at_once_one_is_moved_to(
    homes: list[dict[str, Any]], left: list[dict[str, Any]]
) -> None:
    homes = [{**one, "gyldighetstidspunkt": one["gyldighetstidspunkt"] or NOON} for one in homes]
    left = [{**one, "gyldighetstidspunkt": one["gyldighetstidspunkt"] or NOON} for one in left]
    with there({"bostedsadresse": homes, "utflytting": left}) as connection:
        found = connection.sql(OURS.flytting()).to_arrow_table().to_pylist()
        people = slow_views.People(connection, slow_views.PEOPLE_TABLES)
        assert sorted(found, key=repr) == sorted(slow_views.flytting(people), key=repr)
