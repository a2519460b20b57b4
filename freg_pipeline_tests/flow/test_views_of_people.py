"""The tables, views and macros that analysts ask for most, on a population that lives.

Each is held against a slow and obvious version, now and as of earlier states.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from freg_pipeline.lake.query import connect, release_at
from freg_pipeline_tests import slow_views
from freg_pipeline_tests.living import Living
from freg_pipeline_tests.slow_views import PEOPLE_TABLES, People

DAYS = [date(year, month, 12) for year in (1999, 2012, 2019, 2024) for month in (1, 7)]


@pytest.fixture(scope="module")
def now(lived: Living) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(lived.store) as connection:
        yield connection


@pytest.fixture(scope="module")
def people(now: duckdb.DuckDBPyConnection) -> People:
    return People(now, PEOPLE_TABLES)


@pytest.fixture(scope="module")
def today(now: duckdb.DuckDBPyConnection) -> date:
    ((day,),) = now.sql("SELECT max(ajourholdstidspunkt)::DATE FROM navn").fetchall()
    assert isinstance(day, date)
    return day


def rows_of(connection: duckdb.DuckDBPyConnection, source: str) -> list[dict[str, Any]]:
    rows = connection.sql(f"FROM {source}").to_arrow_table().to_pylist()
    return in_order(rows)


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=repr)


def test_person_naa_is_what_a_person_s_current_rows_tell(
    now: duckdb.DuckDBPyConnection, people: People
) -> None:
    expected = [slow_views.person_naa(people, one) for one in people.numbers]
    found = rows_of(now, "person_naa")
    assert found == in_order(expected)
    for column in found[0]:
        assert any(row[column] is not None for row in found), f"{column} is never told"
    assert {row["beskyttet"] for row in found} == {True, False}


def test_person_naa_as_of_earlier_is_what_rows_told_then(lived: Living) -> None:
    positions = release_at(lived.store, None).positions()
    assert len(positions) > 1
    with connect(lived.store, release_at(lived.store, positions[0])) as then:
        people = People(then, PEOPLE_TABLES)  # their homes are marked by today's protection
        expected = [slow_views.person_naa(people, one) for one in people.numbers]
        assert rows_of(then, "person_naa") == in_order(expected)
    with connect(lived.store) as now:
        assert rows_of(now, f"person_naa_per({positions[0]})") == in_order(expected)


def test_moves_are_from_one_home_to_the_next(
    now: duckdb.DuckDBPyConnection, people: People
) -> None:
    found = rows_of(now, "flytting")
    assert found == in_order(slow_views.flytting(people))
    kinds = {row["type"] for row in found}
    assert kinds == {"innenKommune", "mellomKommuner", "innvandring", "utvandring"}


def test_families_tell_everyone_s_parents(now: duckdb.DuckDBPyConnection, people: People) -> None:
    numbers = dict(now.sql("FROM tidligere_identifikator").fetchall())
    assert rows_of(now, "familie") == in_order(slow_views.familie(people, numbers))


def test_households_are_residents_of_one_dwelling(
    now: duckdb.DuckDBPyConnection, people: People
) -> None:
    found = rows_of(now, "husstand")
    assert found == in_order(slow_views.husstand(people))
    assert max(row["antall"] for row in found) > 3


@pytest.mark.parametrize("back", [None, 0, 1, 40])
def test_who_lived_where_at_a_day_as_known_now_or_then(
    back: int | None, now: duckdb.DuckDBPyConnection, people: People, today: date
) -> None:
    for day in (*DAYS, today):
        known = None if back is None else date.fromordinal(day.toordinal() + back)
        argument = "" if known is None else f", kjent := DATE '{known}'"
        found = now.sql(f"FROM befolkning_per(DATE '{day}'{argument})").fetchall()
        assert len(found) == len(dict(found)), "one row a person"
        assert dict(found) == slow_views.befolkning(people, day, known)


@pytest.mark.parametrize("written", ["DATE '{}'", "'{}'"])
def test_what_people_were_called_at_a_day(
    written: str, now: duckdb.DuckDBPyConnection, people: People, today: date
) -> None:
    for day in (*DAYS, today):
        found = rows_of(now, f"navn_per({written.format(day)})")
        assert found == in_order(slow_views.navn(people, day))


def test_age_is_in_whole_years_from_birthday_to_birthday(now: duckdb.DuckDBPyConnection) -> None:
    born = "range(DATE '2000-02-25', DATE '2000-03-05', INTERVAL 1 DAY)"
    day = "range(DATE '2002-12-25', DATE '2005-03-05', INTERVAL 1 DAY)"
    asked = f"SELECT b::DATE, d::DATE, alder(b, dato := d) FROM {born} AS r(b), {day} AS s(d)"
    found = now.sql(asked).fetchall()
    assert {age for _, _, age in found} == {2, 3, 4, 5}
    for birth, on, age in found:
        assert age == slow_views.alder(birth, on), (birth, on)


def test_age_without_a_day_is_today_s_and_none_without_a_birth(
    now: duckdb.DuckDBPyConnection,
) -> None:
    before = datetime.now(slow_views.OSLO).date()
    asked = "SELECT b::DATE, alder(b), alder(b::DATE::VARCHAR) FROM range(current_date - 800,"
    found = now.sql(f"{asked} current_date - 300, INTERVAL 1 DAY) AS r(b)").fetchall()
    days = before, datetime.now(slow_views.OSLO).date()
    assert [row[1:] for row in found] in [
        [(slow_views.alder(birth, day),) * 2 for birth, *_ in found] for day in days
    ]
    ((nothing,),) = now.sql("SELECT alder(NULL)").fetchall()
    assert nothing is None


def test_a_day_ends_in_norway_whatever_the_session_s_time_zone(
    now: duckdb.DuckDBPyConnection, today: date
) -> None:
    asked = f"befolkning_per('{today}')", "flytting", f"navn_per('{today}')"
    in_norway = [rows_of(now, source) for source in asked]
    now.execute("SET TimeZone = 'Pacific/Auckland'")
    elsewhere = [len(rows_of(now, source)) for source in asked]
    days = [row["dato"] for row in rows_of(now, "flytting")]
    now.execute("SET TimeZone = 'Europe/Oslo'")
    assert elsewhere == [len(rows) for rows in in_norway]
    assert sorted(days) == sorted(row["dato"] for row in in_norway[1])


def test_views_of_people_as_of_earlier_are_those_of_the_tables_then(lived: Living) -> None:
    position = release_at(lived.store, None).positions()[0]
    with (
        connect(lived.store) as now,
        connect(lived.store, release_at(lived.store, position)) as then,
    ):
        people = People(then, PEOPLE_TABLES)
        for name in ("flytting", "familie", "husstand"):
            assert rows_of(now, f"{name}_per({position})") == rows_of(then, name)
        assert rows_of(then, "flytting") == in_order(slow_views.flytting(people))
        assert rows_of(now, f"navn_per({position})") == rows_of(then, "navn")


@pytest.mark.parametrize("table", ["bostedsadresse", "delt_bosted", "oppholdsadresse"])
def test_every_address_tells_its_kommune(table: str, lived: Living) -> None:
    position = release_at(lived.store, None).positions()[0]
    with connect(lived.store) as now:
        for source in (table, f"{table}_per({position})"):
            rows = rows_of(now, source)
            assert rows
            assert [row["kommunenummer"] for row in rows] == [*map(slow_views.kommune, rows)]
            assert list(rows[0])[-1] == "kommunenummer"


def test_events_tell_whom_they_concern_today(now: duckdb.DuckDBPyConnection) -> None:
    numbers = dict(now.sql("FROM tidligere_identifikator").fetchall())
    rows = rows_of(now, "hendelse")
    told = {row["folkeregisteridentifikator"] for row in rows}
    assert told & set(numbers), "an event of somebody who has another number now"
    for row in rows:
        number = row["folkeregisteridentifikator"]
        assert row["personidentifikator"] == numbers.get(number, number)
