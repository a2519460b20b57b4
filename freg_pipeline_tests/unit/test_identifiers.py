"""Identity numbers, by the vectors that the register's documentation gives."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.identifiers import NumberKind, mask, parse
from freg_pipeline.synthetic.numbers import with_control_digits

F, D = NumberKind.FOEDSELSNUMMER, NumberKind.D_NUMMER
VALID = [
    ("30108299939", False, True, F),
    ("30908299902", True, True, F),
    ("20036914700", False, False, F),
    ("03851598730", True, False, F),
    ("29020073150", False, False, F),
    ("55102499947", False, True, D),
    ("41819077906", True, True, D),
    ("41819077302", True, False, D),
    ("69020020083", False, False, D),  # the individnummer says 1900, which had no leap day
]


@pytest.mark.parametrize(("number", "synthetic", "rule_2032", "kind"), VALID)
def test_valid_numbers(number: str, synthetic: bool, rule_2032: bool, kind: NumberKind) -> None:
    found = parse(f" {number} ")
    assert (found.number, found.synthetic, found.rule_2032, found.kind) == (
        number, synthetic, rule_2032, kind,
    )  # fmt: skip


@pytest.mark.parametrize("number", ["20036914712", "29020105729", "2003691470", "2003691470x", ""])
def test_invalid_numbers_are_refused_without_being_told(number: str) -> None:
    with pytest.raises(ValueError, match=r"digit|date") as refused:
        parse(number)
    assert not number or number not in str(refused.value)


@given(st.dates(date(1854, 1, 1), date(2053, 12, 31)), st.integers(0, 999), st.booleans())
def test_no_number_is_refused_for_its_century(born: date, individual: int, is_d: bool) -> None:
    digits = f"{born.day + 40 * is_d:02d}{born.month:02d}{born.year % 100:02d}{individual:03d}"
    number = with_control_digits(digits)
    if number is not None:
        assert parse(number).number == number


def test_a_number_is_never_shown() -> None:
    found = parse("03851598730")
    assert "0385" not in f"{found!r} {found} {[found]}"
    assert mask("03851598730") == "*" * 11


@given(
    st.integers(1, 28),
    st.integers(1, 12),
    st.integers(0, 99),
    st.integers(0, 499),
    st.integers(0, 10),
    st.integers(1, 9),
)
def test_an_error_in_one_digit_of_a_1964_number_is_never_a_1964_number(
    day: int, month: int, year: int, individual: int, place: int, change: int
) -> None:
    number = with_control_digits(f"{day:02d}{month + 80:02d}{year:02d}{individual:03d}")
    if number is None:
        return
    wrong = f"{number[:place]}{(int(number[place]) + change) % 10}{number[place + 1 :]}"
    try:
        found = parse(wrong)
    except ValueError:
        return
    assert found.rule_2032, "only the rule of 2032 lets more remainders through"
