"""What rules make of values: any values, in lists too, and in whatever part of an array."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from freg_pipeline.identifiers import parse
from freg_pipeline.pseudonyms.key import Key
from freg_pipeline.pseudonyms.numbers_in_text import without_numbers
from freg_pipeline.pseudonyms.rules import Rule
from freg_pipeline.pseudonyms.values import ruled
from freg_pipeline.synthetic.numbers import Numbers

KEY = Key(bytes(range(32)))
_MADE = Numbers(Random(1))
NUMBERS = [
    make(date(1930 + 4 * day, 3, day), woman=day % 3 == 0)
    for day in range(1, 11)
    for make in (_MADE.foedselsnummer, _MADE.d_nummer)
]
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
MOMENTS = st.datetimes(datetime(1840, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
WORDS = st.none() | st.sampled_from(NUMBERS) | st.text("abc1 ", max_size=5)
LISTS = st.lists(st.none() | st.lists(WORDS, max_size=4), max_size=8)


def made(values: pa.Array, rule: Rule, hidden: list[str] | None = None) -> list[Any]:
    told = None if hidden is None else pa.array(hidden, pa.string())
    found: list[Any] = ruled(values, rule, KEY, told)[0].to_pylist()
    return found


@given(st.lists(st.none() | DAYS))
def test_days_to_years_and_months(days: list[date | None]) -> None:
    values = pa.array(days, pa.date32())
    assert made(values, Rule.YEAR) == [day and day.year for day in days]
    assert made(values, Rule.FIVE_YEARS) == [day and day.year // 5 * 5 for day in days]
    assert made(values, Rule.MONTH) == [day and day.replace(day=1) for day in days]


@given(st.lists(st.none() | MOMENTS))
def test_moments_to_years_and_months_of_norway(moments: list[datetime | None]) -> None:
    values = pa.array(moments, pa.timestamp("us", "UTC"))
    local = [one and one.astimezone(ZoneInfo("Europe/Oslo")).date() for one in moments]
    assert made(values, Rule.YEAR) == [day and day.year for day in local]
    assert made(values, Rule.MONTH) == [day and day.replace(day=1) for day in local]


@given(st.lists(st.none() | st.integers(0, 9999)))
def test_years_stay_or_become_coarser(years: list[int | None]) -> None:
    values = pa.array(years, pa.int16())
    assert made(values, Rule.YEAR) == years
    assert made(values, Rule.FIVE_YEARS) == [y if y is None else y // 5 * 5 for y in years]


@given(st.lists(st.none() | st.from_regex(r"[0-9]{4}", fullmatch=True) | st.text(max_size=6)))
def test_what_is_no_kommune_becomes_none(texts: list[str | None]) -> None:
    values = pa.array(texts, pa.string())
    right = [
        text if text and len(text) == 4 and text.isascii() and text.isdigit() else None
        for text in texts
    ]
    assert made(values, Rule.KOMMUNE) == right
    assert made(values, Rule.FYLKE) == [text and text[:2] for text in right]


@given(LISTS, st.integers(0, 8), st.sets(st.sampled_from(NUMBERS)))
def test_lists_of_pseudonyms_are_in_their_own_order_without_who_is_hidden(
    lists: list[list[str | None] | None], start: int, hidden: set[str]
) -> None:
    values = pa.array(lists, pa.list_(pa.string())).slice(start)
    right = [
        None
        if one is None
        else sorted(
            KEY.pseudonyms(pa.array([text], pa.string()))[0].as_py()
            for text in one
            if text and text.strip() and text not in hidden
        )
        for one in lists[start:]
    ]
    assert made(values, Rule.PSEUDONYM, [*hidden]) == right


@given(LISTS, st.integers(0, 8))
def test_lists_that_are_kept_stay_as_they_are_but_for_numbers(
    lists: list[list[str | None] | None], start: int
) -> None:
    values = pa.array(lists, pa.list_(pa.string())).slice(start)
    right = [one and [None if text in NUMBERS else text for text in one] for one in lists[start:]]
    found, count = ruled(values, Rule.KEEP, KEY)
    assert found.to_pylist() == right
    assert count == sum(text in NUMBERS for one in lists[start:] for text in one or [])


@given(
    st.sampled_from(NUMBERS),
    st.text("ab 01,.-", max_size=12),
    st.text("ab 01,.-", max_size=12),
    st.sampled_from(["", " ", "-", ".", "\u00a0", "\t", "  ", " - ", "/", "\u2013", "_", "\u200b"]),
)
def test_a_number_in_a_text_is_found_however_it_stands(
    one: str, before: str, after: str, between: str
) -> None:
    day, month, year = one[:2], one[2:4], one[4:6]
    told = [
        f"{before}{one[:6]}{between}{one[6:]}{after}",
        f"{before}{day}{between}{month}{between}{year}{between}{one[6:9]}{between}{one[9:]}{after}",
    ]
    found, count = without_numbers(pa.array(["Ola", told[0], None, told[1]]))
    assert found.to_pylist() == ["Ola", None, None, None]
    assert count == 2


def test_digits_of_other_scripts_are_digits() -> None:
    wide = NUMBERS[0].translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    assert without_numbers(pa.array([f"nr. {wide}"]))[1] == 1


def test_what_nobody_has_thought_of_is_not_let_through() -> None:
    with pytest.raises(TypeError, match="nothing looks for identity numbers in binary"):
        without_numbers(pa.array([b"1"]))


@given(st.sampled_from(NUMBERS), st.sampled_from([pa.int64(), pa.float64(), pa.decimal128(38, 10)]))
def test_who_is_hidden_is_so_in_any_form(one: str, kind: pa.DataType) -> None:
    values = pa.array([int(one), int(NUMBERS[0]), None]).cast(kind)
    told = made(values, Rule.PSEUDONYM, [one])
    other = None if one == NUMBERS[0] else KEY.pseudonyms(pa.array([NUMBERS[0]]))[0].as_py()
    assert told == [None, other, None]
    assert made(pa.array([f" {one} "]), Rule.PSEUDONYM, [one]) == [None]


@given(st.lists(st.text("0123456789 ax", max_size=16)))
def test_what_holds_none_stays(texts: list[str]) -> None:
    assume(not any(_holds(text) for text in texts))
    assert without_numbers(pa.array(texts, pa.string()))[0].to_pylist() == texts


def _holds(text: str) -> bool:
    """Slowly: any eleven digits of a text, with nothing but three spaces between two of them."""
    for first in range(len(text)):
        digits, spaces = "", 0
        for one in text[first:]:
            spaces = spaces + 1 if one == " " and digits else 0
            if one not in "0123456789 " or spaces > 3 or not digits + one.strip():
                break
            digits += one.strip()
            if len(digits) == 11:
                try:
                    parse(digits)
                except ValueError:
                    break
                return True
    return False


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.decimal128(38, 10)])
def test_a_number_as_a_whole_number_is_found(kind: pa.DataType) -> None:
    whole = [int(one) for one in NUMBERS]
    values = pa.array([*whole, 17, 10**11, None], pa.int64()).cast(kind)
    found, count = without_numbers(values)
    assert count == len(NUMBERS)
    assert found.null_count == len(NUMBERS) + 1
    assert found.type == kind
