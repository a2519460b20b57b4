"""Identity numbers for synthetic persons: month + 80, control digits computed after that."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta
from operator import mul
from random import Random

_TRIES = 4_000  # of some 200 numbers that a day has for a sex
_K1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_K2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


class Numbers:
    """Hands out valid synthetic numbers, each once."""

    def __init__(self, random: Random, known: Container[str] = ()) -> None:
        self._random = random
        self._known = known
        self._taken: set[str] = set()
        self._used_up: set[tuple[str, bool]] = set()  # days, by how their numbers begin, and sex

    def foedselsnummer(self, born: date, *, woman: bool) -> str:
        """A foedselsnummer for someone born on that day.

        Where no number of that day is left, it is of the nearest day before that has one: in a
        register of millions many were born on some days.
        """
        return self._near(born, woman=woman, is_d_nummer=False)

    def d_nummer(self, born: date, *, woman: bool) -> str:
        """A D-nummer, as :meth:`foedselsnummer`: the first digit is four more.

        For births from 2000 to 2039 more individual numbers are in use since 2021-11-16: they don't
        tell the century then.
        """
        return self._near(born, woman=woman, is_d_nummer=True)

    def _near(self, day: date, *, woman: bool, is_d_nummer: bool) -> str:
        while True:
            front = f"{day.day + 40 * is_d_nummer:02d}{day.month + 80:02d}{day.year % 100:02d}"
            is_wide = is_d_nummer and 2000 <= day.year < 2040
            of = (200, 1000) if is_wide else _individual_numbers(day.year)
            number = self._free(front, of, woman=woman)
            if number is not None:
                return number
            day -= timedelta(days=1)

    def _free(self, front: str, of: tuple[int, int], *, woman: bool) -> str | None:
        """A number that begins so and is nobody's; None: there is none, as good as surely."""
        if (front, woman) in self._used_up:
            return None
        for _ in range(_TRIES):
            individual = self._random.randrange(*of) & ~1 | (not woman)
            number = with_control_digits(f"{front}{individual:03d}")
            if number is None or number in self._taken or number in self._known:
                continue
            self._taken.add(number)
            return number
        self._used_up.add((front, woman))
        return None


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
