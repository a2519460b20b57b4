"""Which parts a register takes, found out with few questions, whatever a refusal says."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.errors import RefusedError
from freg_pipeline.extract.probe import NOBODY, Taken, find_taken
from freg_pipeline.identifiers import parse

PARTS = tuple(f"part{number}" for number in range(45))


def search(parts: tuple[str, ...], refused: set[str]) -> tuple[Taken, int]:
    asked = 0

    async def ask(parts: Sequence[str]) -> RefusedError | None:
        nonlocal asked
        asked += 1
        return None if refused.isdisjoint(parts) else RefusedError("no", status=400)

    return asyncio.run(find_taken(ask, parts)), asked


@given(st.sets(st.sampled_from(PARTS), max_size=8))
def test_exactly_the_refused_parts_are_left_out_and_few_questions_are_asked(
    refused: set[str],
) -> None:
    taken, asked = search(PARTS, refused)
    assert set(taken.refused) == refused
    assert taken.parts == tuple(part for part in PARTS if part not in refused)
    assert asked <= 3 + 2 * len(refused) * math.ceil(math.log2(len(PARTS)))


def test_a_register_that_takes_all_is_asked_once() -> None:
    assert search(PARTS, set()) == (Taken(PARTS), 1)


def test_another_spelling_is_tried_before_a_part_is_left_out() -> None:
    parts = ("navn", "rettsligHandleevne", "opphold")
    taken, _ = search(parts, {"rettsligHandleevne"})
    assert taken == Taken(("navn", "RettsligHandleevne", "opphold"))
    taken, _ = search(parts, {"rettsligHandleevne", "RettsligHandleevne"})
    assert taken == Taken(("navn", "opphold"), ("rettsligHandleevne",))


def test_a_question_that_is_refused_whatever_its_parts_is_told_as_that() -> None:
    asked = 0

    async def refuse(parts: Sequence[str]) -> RefusedError:
        nonlocal asked
        asked += 1
        return RefusedError("no access", status=403)

    with pytest.raises(RefusedError, match="no access"):
        asyncio.run(find_taken(refuse, PARTS))
    assert asked == 2


def test_parts_that_are_refused_together_only_are_told_as_refused() -> None:
    async def ask(parts: Sequence[str]) -> RefusedError | None:
        return RefusedError("too many", status=400) if len(parts) > 20 else None

    with pytest.raises(RefusedError, match="too many"):
        asyncio.run(find_taken(ask, PARTS))


def test_the_questions_have_a_bound() -> None:
    asked = 0

    async def ask(parts: Sequence[str]) -> RefusedError | None:
        nonlocal asked
        asked += 1
        return RefusedError("no", status=400) if parts else None

    with pytest.raises(RefusedError):
        asyncio.run(find_taken(ask, tuple(f"p{number}" for number in range(1_000))))
    assert asked < 100


def test_nobody_has_a_valid_number() -> None:
    assert parse(NOBODY).number == NOBODY
