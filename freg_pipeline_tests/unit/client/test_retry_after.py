"""How long an answer asks us to wait, and how long that makes us wait at least."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.client.patience import FIRST_WAIT, LONGEST_WAIT, Outage, Patience
from freg_pipeline.client.retry_after import LONGEST_SECONDS, retry_after
from freg_pipeline.errors import AwayError, PassingError, ThrottledError

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def asked(value: str, status: int = 503, **headers: str) -> float | None:
    raw = [(b"retry-after", value.encode("utf-8"))]
    raw += [(name.encode(), text.encode()) for name, text in headers.items()]
    return retry_after(httpx.Response(status, headers=raw))


@pytest.mark.parametrize(
    ("value", "status", "seconds"),
    [
        ("300", 429, 0.3),  # milliseconds, as the register says
        ("20", 429, 0.02),
        ("0", 429, 0.0),
        ("60000", 503, 60.0),
        ("2", 503, 2.0),  # a gateway's seconds: nobody asks for 2 ms
        ("30", 502, 30.0),
        ("99999999999", 429, LONGEST_SECONDS),
        ("9" * 13, 429, LONGEST_SECONDS),
        ("9" * 400, 429, LONGEST_SECONDS),
        ("9" * 5_000, 503, LONGEST_SECONDS),
        ("-5", 503, None),
        ("1500.5", 429, 1.5005),  # whoever computes it may forget to round it
        ("37.25", 429, 0.03725),
        ("1.5", 503, 1.5),
        ("9999999999999.9", 429, LONGEST_SECONDS),
        ("1.", 429, None),
        (".5", 429, None),
        ("1e3", 429, None),
        ("²", 503, None),
        ("٣", 429, None),
        ("", 429, None),
        ("soon", 503, None),
    ],
)
def test_what_a_value_means(value: str, status: int, seconds: float | None) -> None:
    assert asked(value, status) == seconds


def test_a_date_is_read_by_the_clock_of_whoever_wrote_it() -> None:
    later = format_datetime(NOON + timedelta(seconds=90), usegmt=True)
    assert asked(later, date=format_datetime(NOON, usegmt=True)) == 90
    assert asked(format_datetime(NOON, usegmt=True), date=later) == 0
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert asked(soon) == pytest.approx(90, abs=60)
    assert asked("Fri, 31 Dec 9999 23:59:59 GMT") == LONGEST_SECONDS


@given(st.text(max_size=30), st.sampled_from([408, 429, 500, 502, 503, 504]))
def test_whatever_it_holds_the_wait_is_bounded(value: str, status: int) -> None:
    seconds = asked(value, status)
    assert seconds is None or 0 <= seconds <= LONGEST_SECONDS


@given(
    st.lists(
        st.sampled_from([PassingError, ThrottledError, AwayError]).flatmap(
            lambda kind: st.sampled_from([None, 0.0, 0.001, 2.0]).map(
                lambda wait: kind("so", retry_after=wait)
            )
        ),
        max_size=12,
    )
)
def test_no_wait_is_shorter_than_the_usual_one(errors: list[PassingError]) -> None:
    decide = Patience(faults=100).start(lambda: True, Outage(1.0))
    for number, error in enumerate(errors):
        wait = decide(error)
        least = min(LONGEST_WAIT, FIRST_WAIT * 2**number)
        assert wait is not True
        assert wait >= max(least, error.retry_after or 0.0)


def test_a_register_that_is_away_and_one_that_fails_by_turns_are_not_asked_for_ever() -> None:
    decide = Patience().start(lambda: True, Outage(1.0))
    tries = 0
    while decide(AwayError("502") if tries % 2 else PassingError("500")):
        tries += 1
    assert tries < 20


def test_what_comes_after_an_outage_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    decide = Patience().start(lambda: True, Outage(12.0))
    assert decide(AwayError("502"))
    now += 11 * 3600
    assert decide(AwayError("502"))
    assert decide(PassingError("500")), "the hours of the outage are not this fault's"
    now += 2 * 3600
    assert not decide(AwayError("502"))
