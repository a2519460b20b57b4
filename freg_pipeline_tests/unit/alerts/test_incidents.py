"""One message for each trouble: when it begins, when it is over, seldom in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.alerts.incidents import Incident, Incidents, Sign, Telling, compared, line

NOW = datetime(2026, 11, 26, 8, 15, tzinfo=UTC)
DAY = timedelta(hours=24)


def sign(key: str = "run/land_batch", at: datetime = NOW, times: int = 1, **others: object) -> Sign:
    told = {"what": "land_batch failed", "remedy": "Run it again", **others}
    return Sign(key=key, at=at, times=times, **told)  # type: ignore[arg-type]


def look(
    before: Incidents, *signs: Sign, now: datetime, again: timedelta | None = DAY
) -> tuple[dict[str, Incident], list[str]]:
    after, tellings = compared(before, signs, now, again)
    return after, [line(one, "http://dagster/") for one in tellings]


def test_a_trouble_is_told_when_it_begins_and_when_it_is_over_and_not_at_each_retry() -> None:
    open_, told = look({}, sign(link="runs/1"), now=NOW)
    assert told == [
        "land_batch failed (since 2026-11-26 08:15 UTC). Run it again. http://dagster/runs/1"
    ]
    for minute in range(1, 6):
        now = NOW + timedelta(minutes=minute)
        open_, told = look(open_, sign(at=now), now=now)
        assert told == []
    open_, told = look(open_, sign(times=0), now=NOW + timedelta(minutes=7))
    assert told == []
    open_, told = look(open_, now=NOW + timedelta(minutes=8))
    assert told == ["Over: land_batch failed (since 2026-11-26 08:15 UTC, 6 times)"]
    assert open_ == {}


def test_what_lasts_is_told_again_a_day_later_and_never_where_nobody_wants_that() -> None:
    open_, _ = look({}, sign(), now=NOW)
    assert look(open_, sign(), now=NOW + DAY - timedelta(seconds=1))[1] == []
    assert look(open_, sign(), now=NOW + DAY)[1][0].startswith("Still: land_batch failed (since")
    assert look(open_, sign(), now=NOW + 10 * DAY, again=None)[1] == []


def test_what_may_be_over_in_a_moment_is_told_only_if_it_lasts() -> None:
    order = sign(patience=timedelta(minutes=15))
    open_, told = look({}, order, now=NOW)
    assert told == []
    assert look(open_, now=NOW + timedelta(minutes=1)) == ({}, []), "nor is its end"
    open_, told = look(open_, order, now=NOW + timedelta(minutes=15))
    assert len(told) == 1


def test_no_number_of_a_person_and_no_second_line_gets_into_a_message() -> None:
    _, (told,) = look({}, sign(what="failed for 01017012345\nand more"), now=NOW)
    assert "01017012345" not in told
    assert "\n" not in told


_keys = st.lists(st.sets(st.sampled_from("abc")), max_size=12)


@given(_keys)
def test_each_trouble_that_was_told_is_told_to_be_over_once(looks: list[set[str]]) -> None:
    open_: dict[str, Incident] = {}
    tellings: list[Telling] = []
    for minute, keys in enumerate([*looks, set[str]()]):
        now = NOW + timedelta(minutes=minute)
        signs = [sign(key, at=now, what=key) for key in sorted(keys)]
        open_, told = compared(open_, signs, now, None)
        open_ = msgspec.json.decode(msgspec.json.encode(open_), type=dict[str, Incident])
        tellings += told
    for key in "abc":
        kinds = [one.kind for one in tellings if one.incident.what == key]
        assert kinds == ["began", "over"] * (len(kinds) // 2)
        began = sum(
            key in now and key not in before
            for before, now in zip([set[str](), *looks], looks, strict=False)
        )
        assert len(kinds) == 2 * began
