"""Where households live, and where their people lived before: mostly near by."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from freg_pipeline.synthetic.people import Home, Person
from freg_pipeline.synthetic.words import CITIES, KOMMUNER, Kommune

_SAME, _NEAR = 0.55, 0.8  # so large a share of moves stays within the kommune, or the city


class Homes:
    """Makes homes, each with a number of its own."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0

    def one(self, since: date, *, near: Kommune | None = None) -> Home:
        """A home somewhere, or not far from a kommune."""
        self._count += 1
        draw = self._random.random()
        kind = (
            "vegadresse" if draw < 0.85 else "matrikkeladresse" if draw < 0.97 else "ukjentBosted"
        )
        return Home(self._kommune(near), kind, self._count, since)

    def _kommune(self, near: Kommune | None) -> Kommune:
        draw = self._random.random()
        if near is not None and draw < _SAME:
            return near
        city = CITIES.get(near.number) if near is not None and draw < _NEAR else None
        if city:
            return city[int(self._random.random() * len(city))]
        large = self._random.random() < 0.45  # nearly half live in the four largest
        return KOMMUNER[int(self._random.random() * (4 if large else len(KOMMUNER)))]

    def settle(self, person: Person, home: Home) -> None:
        """Let an adult live there, after some years in each of other homes."""
        person.home = home
        moves = self._random.choice((0, 1, 1, 2, 3, 5))
        until = home.since or person.known_since
        first = person.known_since
        kommune = home.kommune
        while moves and until > first:
            moves -= 1
            days = round(self._random.expovariate(1 / 1_400)) + 30
            since = max(first, until - timedelta(days=days)) if moves else first
            before = self.one(since, near=kommune)
            person.earlier_homes += (before,)
            until, kommune = since, before.kommune

    def follow(self, child: Person, home: Home, mother: Person) -> None:
        """Let a child live there, and before that where its mother did."""
        child.home = home
        until = home.since or child.born
        for before in mother.earlier_homes:
            if until <= child.born:
                break
            child.earlier_homes += (before,)
            until = before.since or child.born
