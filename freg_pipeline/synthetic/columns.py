"""A population in columns.

An object a person is too much for a whole country. In columns a person takes some 130 bytes, which
lie in files that are mapped, not read.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from freg_pipeline.synthetic.people import Home, Person
from freg_pipeline.synthetic.words import KOMMUNER

Column = npt.NDArray[Any]

NOBODY = -1
_KINDS = ("vegadresse", "matrikkeladresse", "ukjentBosted")
_CODED = ("status", "fornavn", "etternavn", "sivilstand", "protection", "citizenship", "origin")
_DAYS = ("born", "since", "came", "left", "numbered", "died")
_PEOPLE = ("spouse", "mother", "father", "medmor", "merged_into")
_PERSON = np.dtype(
    [
        ("number", "<i8"), *((name, "<i4") for name in _DAYS), *((name, "<i4") for name in _PEOPLE),
        ("home", "<i4"), ("other_home", "<i4"),
        ("children", "<i4"), ("earlier", "<i4"), ("earlier_homes", "<i4"),
        ("children_count", "u1"), ("earlier_count", "u1"), ("earlier_homes_count", "u1"),
        ("woman", "?"), ("is_d_nummer", "?"), ("ended", "?"), *((name, "u1") for name in _CODED),
    ]
)  # fmt: skip
_HOME = np.dtype([("number", "<i4"), ("since", "<i4"), ("kommune", "u1"), ("kind", "u1")])
ARRAYS = ("people", "homes", "children", "earlier", "earlier_homes")
_KOMMUNE = {kommune.number: place for place, kommune in enumerate(KOMMUNER)}


class Columns:
    """Columns of a population that no longer change.

    Attributes:
        arrays: by name: people, homes, and what people have several of.
        values: what the codes of a column stand for, by the column's name.
    """

    def __init__(self, arrays: Mapping[str, Column], values: Mapping[str, Sequence[Any]]) -> None:
        self.arrays = arrays
        self.values = values
        # As plain arrays: to take one element out of a memmap takes longer.
        self._people, self._homes, self._children, self._earlier, self._earlier_homes = (
            np.asarray(arrays[name]).view(np.ndarray) for name in ARRAYS
        )
        self._coded = [values[name] for name in _CODED]

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, name: str) -> Column:
        """A column of the people."""
        column: Column = self._people[name]
        return column

    def person(self, index: int) -> Person:
        """A person, as an object of its own."""
        (
            number, born, since, came, left, numbered, died,
            spouse, mother, father, medmor, merged_into, home, other_home,
            children, earlier, earlier_homes, children_count, earlier_count, homes_count,
            woman, is_d_nummer, ended, *codes,
        ) = self._people[index].item()  # fmt: skip
        status, fornavn, etternavn, sivilstand, protection, citizenship, origin = (
            values[code] for values, code in zip(self._coded, codes, strict=True)
        )
        return Person(
            index, number_text(number), woman, _birthday(born), status, fornavn, etternavn,
            is_d_nummer, self._home(home), sivilstand, _day(since),
            _known(spouse), _known(mother), _known(father), _known(medmor),
            tuple(self._children[children : children + children_count].tolist())
            if children_count else (),
            self._home(other_home), protection, citizenship, origin,
            _day(came), _day(left), _day(numbered), _day(died),
            self.earlier(earlier, earlier_count) if earlier_count else (),
            self._homes_before(earlier_homes, homes_count),
            _known(merged_into), ended,
        )  # fmt: skip

    def earlier(self, start: int, count: int) -> tuple[str, ...]:
        """Earlier numbers, as they lie one after the other."""
        return tuple(map(number_text, self._earlier[start : start + count].tolist()))

    def _homes_before(self, start: int, count: int) -> tuple[Home, ...]:
        if not count:
            return ()
        places = self._earlier_homes[start : start + count].tolist()
        return tuple(home for place in places if (home := self._home(place)) is not None)

    def _home(self, place: int) -> Home | None:
        if place == NOBODY:
            return None
        number, since, kommune, kind = self._homes[place].item()
        return Home(KOMMUNER[kommune], _KINDS[kind], number, _day(since))

    def moved(self, movers: Column, moved: Mapping[str, Column]) -> Columns:
        """The same population after some have moved.

        Args:
            movers: who, by index.
            moved: columns of them alone, in that order, that their homes are taken from.
        """
        people, to = self._people.copy(), moved["people"]
        people["home"][movers] = to["home"] + len(self._homes)
        people["earlier_homes"][movers] = to["earlier_homes"] + len(self._earlier_homes)
        people["earlier_homes_count"][movers] = to["earlier_homes_count"]
        before = moved["earlier_homes"] + np.int32(len(self._homes))
        arrays = {
            **self.arrays,
            "people": people,
            "homes": np.concatenate([self._homes, moved["homes"]]),
            "earlier_homes": np.concatenate([self._earlier_homes, before]),
        }
        return Columns(arrays, self.values)


def _birthday(ordinal: int) -> date:
    day = _day(ordinal)
    assert day is not None  # noqa: S101  everybody was born some day
    return day


def joined(parts: Sequence[Columns]) -> Columns:
    """Populations that know nothing of each other as one: the people of each after those before."""
    arrays: dict[str, list[Column]] = {name: [] for name in parts[0].arrays}
    codes: dict[str, dict[Any, int]] = {name: {} for name in _CODED}
    size = dict.fromkeys(arrays, 0)
    last_home = 0
    for part in parts:
        own = {name: column.copy() for name, column in part.arrays.items()}
        people, homes = own["people"], own["homes"]
        for name in _CODED:
            ours = [codes[name].setdefault(one, len(codes[name])) for one in part.values[name]]
            people[name] = np.array(ours, dtype=np.uint8)[people[name]]
        for name in _PEOPLE:
            people[name] += np.where(people[name] == NOBODY, 0, size["people"])
        for name in ("home", "other_home"):
            people[name] += np.where(people[name] == NOBODY, 0, size["homes"])
        for name in ("children", "earlier", "earlier_homes"):
            people[name] += size[name]
        own["children"] += size["people"]
        own["earlier_homes"] += size["homes"]
        homes["number"] += last_home
        last_home = int(homes["number"].max(initial=last_home))
        for name, column in own.items():
            arrays[name].append(column)
            size[name] += len(column)
    whole = {name: np.concatenate(columns) for name, columns in arrays.items()}
    return Columns(whole, {name: list(values) for name, values in codes.items()})


def number_text(number: int) -> str:
    """An identity number as it is written."""
    return f"{number:011d}"


def _known(index: int) -> int | None:
    return None if index == NOBODY else index


@lru_cache(maxsize=1 << 16)  # the days that people remember are not that many
def _day(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal else None


class Encoder:
    """Puts people into columns."""

    def __init__(self) -> None:
        self._codes: dict[str, dict[Any, int]] = {name: {} for name in _CODED}
        self._flat = {name: array("i") for name in ("children", "earlier_homes")}
        self._earlier = array("q")
        self._homes: list[tuple[int, int, int, int]] = []
        self._place: dict[int, int] = {}  # by the object, which those who share a home share

    def columns(self, people: Sequence[Person]) -> Columns:
        """A whole population."""
        rows = np.fromiter(map(self._row, people), dtype=_PERSON, count=len(people))
        arrays = {
            "people": rows,
            "homes": np.array(self._homes, dtype=_HOME),
            "earlier": np.array(self._earlier, dtype=np.int64),
            **{name: np.array(flat, dtype=np.int32) for name, flat in self._flat.items()},
        }
        return Columns(arrays, {name: list(codes) for name, codes in self._codes.items()})

    def _row(self, person: Person) -> tuple[Any, ...]:
        def flat(into: array[int], values: Iterable[int]) -> int:
            start = len(into)
            into.extend(values)
            return start

        homes = [self._home(home) for home in person.earlier_homes]
        return (
            int(person.number),
            *(0 if day is None else day.toordinal()
              for day in (person.born, person.since, person.came, person.left, person.numbered,
                          person.died)),
            *(NOBODY if one is None else one
              for one in (person.spouse, person.mother, person.father, person.medmor,
                          person.merged_into)),
            self._home(person.home), self._home(person.other_home),
            flat(self._flat["children"], person.children),
            flat(self._earlier, map(int, person.earlier)),
            flat(self._flat["earlier_homes"], homes),
            len(person.children), len(person.earlier), len(homes),
            person.woman, person.is_d_nummer, person.ended,
            *(self._code(name, getattr(person, name)) for name in _CODED),
        )  # fmt: skip

    def _code(self, name: str, value: Any) -> int:
        codes = self._codes[name]
        return codes.setdefault(value, len(codes))

    def _home(self, home: Home | None) -> int:
        if home is None:
            return NOBODY
        place = self._place.get(id(home))
        if place is None:
            place = self._place[id(home)] = len(self._homes)
            since = 0 if home.since is None else home.since.toordinal()
            row = (home.number, since, _KOMMUNE[home.kommune.number], _KINDS.index(home.kind))
            self._homes.append(row)
        return place
