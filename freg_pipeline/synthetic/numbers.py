"""Identity numbers for synthetic persons: month + 80, control digits computed after that."""

from __future__ import annotations

from collections.abc import Container
from datetime import date
from operator import mul
from random import Random

_K1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_K2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


class Numbers:
    """Hands out valid synthetic numbers, each once."""

    def __init__(self, random: Random, known: Container[str] = ()) -> None:
        self._random = random
        self._known = known
        self._taken: set[str] = set()

    def foedselsnummer(self, born: date, *, woman: bool) -> str:
        """A foedselsnummer for someone born on that day."""
        day, century = f"{born.day:02d}", _individual_numbers(born.year)
        return self._free(day, born, century, woman=woman)

    def d_nummer(self, born: date, *, woman: bool) -> str:
        """A D-nummer: the first digit is four more.

        For births from 2000 to 2039 more individual numbers are in use since 2021-11-16: they don't
        tell the century then.
        """
        is_wide = 2000 <= born.year < 2040
        day, century = f"{born.day + 40:02d}", _individual_numbers(born.year)
        return self._free(day, born, (200, 1000) if is_wide else century, woman=woman)

    def _free(self, day: str, born: date, of: tuple[int, int], *, woman: bool) -> str:
        front = f"{day}{born.month + 80:02d}{born.year % 100:02d}"
        while True:
            individual = self._random.randrange(*of) & ~1 | (not woman)
            number = with_control_digits(f"{front}{individual:03d}")
            if number is None or number in self._taken or number in self._known:
                continue
            self._taken.add(number)
            return number


def with_control_digits(nine: str) -> str | None:
    """The number that begins with these nine digits; None where a control digit would be 10.

    The rule of 1964: weighted sums modulo 11, as the register's documentation gives them.
    """
    digits = list(map(int, nine))
    k1 = -sum(map(mul, _K1, digits)) % 11
    if k1 == 10:
        return None
    digits.append(k1)
    k2 = -sum(map(mul, _K2, digits)) % 11
    return None if k2 == 10 else f"{nine}{k1}{k2}"


def _individual_numbers(year: int) -> tuple[int, int]:
    """The range of the three digits after the birth date, which tell the century (1964)."""
    if year < 1900:
        return 500, 750
    return (0, 500) if year < 2000 else (500, 1000)
