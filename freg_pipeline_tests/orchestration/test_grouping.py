"""Small batches share a run, large ones have their own, and what shares one stays together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.errors import DamagedError
from freg_pipeline.failure import Trouble
from freg_pipeline.orchestration.grouping import (
    BATCHES_A_RUN,
    IDENTIFIERS_A_RUN,
    batches_to_request,
    grouped,
)
from freg_pipeline.orchestration.partitions import batches_of, batches_partition, each_batch
from freg_pipeline.orchestration.runs import Runs

JOB = "land_batch"
NUMBERS = st.sets(st.integers(0, 400), max_size=80)


class OfSize:
    """An uttrekk whose batches are of one size."""

    name = "alle"

    def __init__(self, identifiers: int | None) -> None:
        self._identifiers = identifiers

    def identifiers(self, batch: int) -> list[str]:
        if self._identifiers is None:
            raise DamagedError("alle/batches", "data")
        return ["x"] * self._identifiers


def requested(
    size: int | None,
    batches: Iterable[int],
    under_way: Iterable[str] = (),
    troubles: dict[str, Trouble] | None = None,
    held: Iterable[str] = (),
) -> list[str]:
    runs = Runs(
        frozenset((JOB, key) for key in under_way),
        {(JOB, key): trouble for key, trouble in (troubles or {}).items()},
        frozenset((JOB, key) for key in held),
    )
    return list(batches_to_request(OfSize(size), [*batches], runs, JOB))  # type: ignore[arg-type]


@given(NUMBERS, st.integers(1, 30))
def test_each_batch_is_in_one_group_of_those_that_follow_each_other(
    numbers: set[int], most: int
) -> None:
    groups = [*grouped(sorted(numbers), most)]
    assert [one for group in groups for one in group] == sorted(numbers)
    assert all(len(group) <= most for group in groups)
    for group, after in pairwise(groups):
        assert len(group) == most or group.stop < after.start, "they could share a run"


@given(st.integers(0, 999_000), st.integers(1, 100))
def test_a_partition_names_its_batches(first: int, count: int) -> None:
    batches = range(first, first + count)
    key = batches_partition("alle", batches)
    assert batches_of(key) == batches
    assert each_batch([key]) == [batches_partition("alle", range(one, one + 1)) for one in batches]


def test_small_batches_share_a_run_and_large_ones_do_not() -> None:
    assert len(requested(1, range(2_000))) == 2_000 / BATCHES_A_RUN
    assert requested(IDENTIFIERS_A_RUN // 4, range(6)) == [
        "alle/000000-000003",
        "alle/000004-000005",
    ]
    assert requested(IDENTIFIERS_A_RUN, range(2)) == ["alle/000000", "alle/000001"]
    assert requested(None, range(2)) == ["alle/000000", "alle/000001"]
    assert requested(0, range(2)) == ["alle/000000-000001"]


def test_what_is_under_way_or_has_failed_stays_together() -> None:
    failed = Trouble(2, datetime.now(UTC))
    over = Trouble(2, datetime.now(UTC) - timedelta(hours=2))
    left = [3, 4, 7, 8, 9]  # of the two groups some have landed
    assert requested(1, left, under_way=["alle/000000-000004"]) == ["alle/000007-000009"]
    assert requested(1, left, troubles={"alle/000000-000004": failed}) == ["alle/000007-000009"]
    assert requested(1, left, troubles={"alle/000000-000004": over}) == [
        "alle/000000-000004",
        "alle/000007-000009",
    ]
    held = ["alle/000000-000004"]
    assert requested(1, left, troubles={held[0]: over}, held=held) == ["alle/000007-000009"]
    alone = {"under_way": ["alle/000003"], "troubles": {"alle/000000-000004": over}}
    assert requested(1, [3], **alone) == []  # type: ignore[arg-type]


def test_keys_that_name_no_batches_are_left_to_whoever_reads_them() -> None:
    for key in ("alle", "alle/", "alle/x", "alle/000001-", "alle/000002-000001", "alle/-1"):
        assert each_batch([key]) == [key]
