"""What Dagster's runs tell: what may be requested now, and what not yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from freg_pipeline.failure import FIRST_PAUSE, Trouble
from freg_pipeline.orchestration.runs import Runs

FIRST, SECOND = ("land_batch", "one/000000"), ("land_batch", "one/000001")


def test_what_failed_is_left_alone_for_a_while_and_the_others_go_on() -> None:
    now = datetime.now(UTC)
    trouble = Trouble(1, now)
    assert trouble.until == now + FIRST_PAUSE
    runs = Runs(frozenset(), {FIRST: trouble}, frozenset())
    assert (runs.may_begin(*FIRST), runs.may_begin(*SECOND)) == (False, True)
    long_ago = Runs(frozenset(), {FIRST: Trouble(5, now - timedelta(hours=2))}, frozenset())
    assert (long_ago.may_begin(*FIRST), long_ago.may_begin(*SECOND)) == (True, True)


def test_what_is_under_way_or_waits_for_a_person_is_not_requested() -> None:
    runs = Runs(frozenset({FIRST}), {}, frozenset({SECOND}))
    assert (runs.may_begin(*FIRST), runs.may_begin(*SECOND)) == (False, False)
