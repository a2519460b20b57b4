"""What is known of the people of the population, before any document is written.

Each is some 0.7 kB of Python objects, which is too much for a whole country: a register that is
served keeps them in columns (:mod:`freg_pipeline.synthetic.columns`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from freg_pipeline.synthetic.words import Kommune

TODAY = date(2026, 6, 1)  # the register's own day, so that a seed means the same for ever
SETTLED = TODAY - timedelta(days=120)  # everything but late changes was recorded before this

LAST_SETTLED = SETTLED - timedelta(days=1)

# Statuses that tilpasset finds under aktiv.
UNDER_AKTIV = ("aktiv", "midlertidig", "ikkeBosatt", "forsvunnet", "foedselsregistrert")


@dataclass(slots=True)
class Home:
    """A place where a household lives.

    Attributes:
        kommune: where.
        kind: vegadresse, matrikkeladresse or ukjentBosted.
        number: tells one home from another; streets and house numbers follow from it.
        since: when the household moved in; None where its documents tell.
    """

    kommune: Kommune
    kind: str
    number: int
    since: date | None = None


@dataclass(slots=True)
class Person:
    """One registration; what there can be several of is replaced, never changed in place.

    Attributes:
        index: place in the population.
        number: the current identity number, or the only one.
        earlier: replaced numbers.
        is_d_nummer: whether ``number`` is a D-nummer.
        woman: registered sex.
        born: birth date.
        status: the register's personstatus.
        fornavn, etternavn: the name.
        home: where; None for persons with a D-nummer.
        earlier_homes: where before, the last one first.
        sivilstand: the current one.
        since: when sivilstand began.
        spouse: who it is shared with.
        mother, father: parents in the population; two mothers share ``mother`` and ``medmor``.
        children: in the population.
        other_home: the other parent's home, for children of parents who live apart.
        protection: graderingsnivaa, where the person is protected.
        citizenship: states.
        origin: country and place that the person came from.
        came: when, if it wasn't at birth.
        left: when the person moved abroad.
        numbered: when a foedselsnummer took the place of the D-nummer.
        died: death date.
        merged_into: index of the person who goes on.
        ended: the only number is opphoert, and nobody goes on.
    """

    index: int
    number: str
    woman: bool
    born: date
    status: str
    fornavn: str
    etternavn: str
    is_d_nummer: bool = False
    home: Home | None = None
    sivilstand: str = "ugift"
    since: date | None = None
    spouse: int | None = None
    mother: int | None = None
    father: int | None = None
    medmor: int | None = None
    children: tuple[int, ...] = ()
    other_home: Home | None = None
    protection: str | None = None
    citizenship: tuple[str, ...] = ("NOR",)
    origin: tuple[str, str] | None = None
    came: date | None = None
    left: date | None = None
    numbered: date | None = None
    died: date | None = None
    earlier: tuple[str, ...] = ()
    earlier_homes: tuple[Home, ...] = ()
    merged_into: int | None = None
    ended: bool = False

    @property
    def parents(self) -> tuple[int, ...]:
        """Those who are in the population, by index."""
        return tuple(one for one in (self.mother, self.father, self.medmor) if one is not None)

    @property
    def known_since(self) -> date:
        """The first day that the register can tell something of."""
        return self.came or self.born

    def within(self, day: date) -> date:
        """That day, or the nearest one on which the person lived and was known."""
        return max(self.known_since, min(day, self.died or LAST_SETTLED, LAST_SETTLED))

    def some_day(self, year: int) -> date:
        """A day in that year or in one of the three after it; another one for others."""
        return self.within(date(year, 1, 1) + timedelta(days=self.index * 397 % 1_461))
