"""Times as Norway had them, whatever zone the reader's session is in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.lake.norwegian import LOCAL_TIMES

_YEARS = [datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1970, 2038)]
_MOMENTS = st.datetimes(*_YEARS, timezones=st.just(UTC))


@pytest.fixture(scope="module", params=["UTC", "Europe/Oslo", "America/New_York"])
def connection(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{request.param}'")
    for statement in LOCAL_TIMES:
        connection.execute(statement)
    return connection


@given(moment=_MOMENTS)
def test_dates_and_times_are_norwegian(
    connection: duckdb.DuckDBPyConnection, moment: datetime
) -> None:
    local = moment.astimezone(ZoneInfo("Europe/Oslo")).replace(tzinfo=None)
    (found,) = connection.execute("SELECT norsk_tid($1), norsk_dato($1)", [moment]).fetchall()
    assert found == (local, local.date())


def test_no_time_has_no_date(connection: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT norsk_dato(NULL), norsk_dato('2020-06-30 22:30:00+00')"
    assert connection.execute(asked).fetchall() == [(None, date(2020, 7, 1))]
