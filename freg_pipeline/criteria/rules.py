"""What the criteria of several services have in common: how they are written, and sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from freg_pipeline.errors import ConfigurationError

KJOENN = ("kvinne", "mann")
OPPLYSNINGSGRUNNLAG = ("gjeldende", "historisk")
SHORTEST_STREET = 3

_NUMBERS = {"postnummer": 4, "kommunenummer": 4, "fylkesnummer": 2}
_HUSNUMMER = re.compile(r"\d{1,4} ?[^\W\d_]?")
_YEAR = re.compile(r"(18|19|20|21)\d\d")


def given(kriterier: msgspec.Struct) -> dict[str, Any]:
    """The criteria that are given, under the register's names."""
    fields: dict[str, Any] = msgspec.to_builtins(kriterier)
    return {name: value for name, value in fields.items() if value not in (None, False)}


def query(criteria: dict[str, Any]) -> list[tuple[str, str]]:
    """Criteria as a request carries them."""
    return [(name, "true" if value is True else str(value)) for name, value in criteria.items()]


def check_common(given: dict[str, Any]) -> None:
    """See that criteria which both searches know are written as the register wants them.

    Raises:
        ConfigurationError: one isn't; says which and what it may be.
    """
    for name, value in given.items():
        if isinstance(value, str) and not value.strip():
            raise ConfigurationError(f"{name} is empty", "Give it a value, or leave it out")
    for name, length in _NUMBERS.items():
        if name in given and not _is_number(given[name], length):
            raise ConfigurationError(f"a {name} has {length} digits", "Write it with leading zeros")
    if "foedselsdato" in given and not _is_date(given["foedselsdato"]):
        raise ConfigurationError(
            "foedselsdato is not a date", "Write it as YYYYMMDD, such as 19850131"
        )
    if "adressenavn" in given and len(given["adressenavn"].strip()) < SHORTEST_STREET:
        raise ConfigurationError(
            f"adressenavn has fewer than {SHORTEST_STREET} letters",
            "Give more of the street's name",
        )
    if "husnummer" in given and not _HUSNUMMER.fullmatch(given["husnummer"]):
        raise ConfigurationError("that is not a husnummer", "Write it as 7 or 7B")
    check_listed("opplysningsgrunnlag", given.get("opplysningsgrunnlag"), OPPLYSNINGSGRUNNLAG)


def _is_number(value: str, length: int) -> bool:
    return len(value) == length and value.isascii() and value.isdigit()


def _is_date(value: str) -> bool:
    try:
        datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007  a date has no zone
    except ValueError:
        return False
    return _is_number(value, 8)


def check_years(name: str, first: str | None, last: str | None) -> None:
    """See that both are years, and in order. Raises ConfigurationError."""
    for year in (first, last):
        if year is not None and not matches(_YEAR, year):
            raise ConfigurationError(
                f"{name} is not a year", "Write it with four digits, such as 1985"
            )
    if first is not None and last is not None and first > last:
        raise ConfigurationError(
            f"{name}: the first year is after the last", "Swap fra og med and til og med"
        )


def check_listed(name: str, value: str | None, allowed: Sequence[str]) -> None:
    """See that a code is one of those allowed. Raises ConfigurationError."""
    if value is not None and value not in allowed:
        raise ConfigurationError(f"that is not a valid {name}", f"Use one of {', '.join(allowed)}")


def matches(pattern: re.Pattern[str], value: object) -> bool:
    """Whether a value is a text of this form."""
    return isinstance(value, str) and bool(pattern.fullmatch(value))
