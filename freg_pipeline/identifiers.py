"""Identity numbers: parse, check digits, and a repr that never discloses them.

Source of the rules: ``persondokument.md`` and the register's documentation on
"fødselsnummer og D-nummer, fra 2032". A number tells neither sex nor birth date for certain: take
them from their own elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_WEIGHTS_K1 = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
_WEIGHTS_K2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)


class NumberKind(StrEnum):
    """Which of the two number series a number is of."""

    FOEDSELSNUMMER = "foedselsnummer"
    D_NUMMER = "dNummer"


@dataclass(frozen=True, repr=False)
class Identifier:
    """A valid identity number.

    Attributes:
        number: the eleven digits.
        kind: foedselsnummer or D-nummer.
        synthetic: a test person's number (month + 80).
        rule_2032: valid only under the control digits that are in force from 2032-01-01.
    """

    number: str
    kind: NumberKind
    synthetic: bool
    rule_2032: bool

    def __repr__(self) -> str:
        return f"Identifier({mask(self.number)})"

    __str__ = __repr__


def mask(identifier: str) -> str:
    """Return ``identifier`` so that it can stand in a log: its length only, no digit of it."""
    return "*" * min(len(identifier), 11)


def as_told(value: str | int) -> str:
    """An identity number as an answer tells it: as a JSON number, it has lost its leading zero."""
    return f"{value:011d}" if isinstance(value, int) else value


def parse(text: str) -> Identifier:
    """Return the identity number that ``text`` holds.

    Raises:
        ValueError: it isn't one; the message says why and holds no digit of it.
    """
    number = text.strip()
    if len(number) != 11 or not (number.isascii() and number.isdigit()):
        msg = f"an identity number has 11 digits, this has {len(number)} characters"
        raise ValueError(msg)
    digits = [int(char) for char in number]
    remainder_k1 = sum(w * d for w, d in zip(_WEIGHTS_K1, digits, strict=False)) % 11
    remainder_k2 = sum(w * d for w, d in zip(_WEIGHTS_K2, digits, strict=True)) % 11
    if remainder_k2 or remainder_k1 > 3:
        msg = "the control digits are wrong"
        raise ValueError(msg)
    is_d, synthetic = digits[0] >= 4, digits[2] >= 8
    _check_date(number, is_d=is_d, synthetic=synthetic)
    return Identifier(
        number,
        NumberKind.D_NUMMER if is_d else NumberKind.FOEDSELSNUMMER,
        synthetic,
        remainder_k1 != 0,
    )


def _check_date(number: str, *, is_d: bool, synthetic: bool) -> None:
    """Refuse a date that is in no century.

    Digits 7 to 9 don't tell the century for certain: D-numbers of the years 2000 to 2039 use 200 to
    999 too (``persondokument.md``), and numbers of 2032 use any. A year's two digits are a leap
    year's in 2000 to 2099 if they are in any century that a number can mean.
    """
    day = int(number[0:2]) - (40 if is_d else 0)
    month = int(number[2:4]) - (80 if synthetic else 0)
    try:
        date(2000 + int(number[4:6]), month, day)
    except ValueError:
        msg = "its first six digits are no date"
        raise ValueError(msg) from None
