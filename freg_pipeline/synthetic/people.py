"""The population: households of persons who know each other, before any document is written.

A person's record is some 1 kB of Python objects; the documents, some 6 kB each, lie in a temporary
file (:mod:`freg_pipeline.synthetic.archive`). A million persons take 1 to 2 GB and a few minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from freg_pipeline.synthetic.numbers import Numbers
from freg_pipeline.synthetic.words import ADJECTIVES, COUNTRIES, KOMMUNER, NOUNS, Kommune

TODAY = date(2026, 6, 1)  # the register's own day, so that a seed means the same for ever
SETTLED = TODAY - timedelta(days=120)  # everything but late changes was recorded before this

# Statuses that tilpasset finds under aktiv.
UNDER_AKTIV = ("aktiv", "midlertidig", "ikkeBosatt", "forsvunnet", "foedselsregistrert")


@dataclass(slots=True)
class Home:
    """A place where a household lives.

    Attributes:
        kommune: where.
        kind: vegadresse, matrikkeladresse or ukjentBosted.
        number: tells one home from another; streets and house numbers follow from it.
    """

    kommune: Kommune
    kind: str
    number: int


@dataclass(slots=True)
class Person:
    """One registration.

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
    children: list[int] = field(default_factory=list)
    other_home: Home | None = None
    protection: str | None = None
    citizenship: list[str] = field(default_factory=lambda: ["NOR"])
    origin: tuple[str, str] | None = None
    died: date | None = None
    earlier: list[str] = field(default_factory=list)
    earlier_homes: list[Home] = field(default_factory=list)
    merged_into: int | None = None
    ended: bool = False


def make_people(random: Random, registrations: int) -> list[Person]:
    """Return so many registrations; relations point to indices in the list, both ways."""
    maker = _Maker(random)
    while len(maker.people) < registrations:
        left = registrations - len(maker.people)
        draw = random.random()
        if draw < 0.45 and left >= 5:
            maker.family()
        elif draw < 0.60 and left >= 5:
            maker.parents_apart()
        elif draw < 0.68 and left >= 2:
            maker.old_couple()
        elif draw < 0.80:
            maker.d_nummer_person()
        else:
            maker.single()
    _merge(maker.people, random)
    return maker.people


class _Maker:
    def __init__(self, random: Random) -> None:
        self.people: list[Person] = []
        self._random = random
        self._numbers = Numbers(random)
        self._homes = 0

    # -- households ------------------------------------------------------------------------

    def family(self) -> None:
        """Two adults, married or not, with up to three children at home."""
        home = self._home()
        first = self._adult(home, woman=True, ages=(24, 60))
        same_sex = self._random.random() < 0.04
        second = self._adult(home, woman=same_sex, ages=(24, 60))
        if self._random.random() < 0.65:
            self._marry(first, second, "gift")
        for _ in range(self._random.choice((0, 1, 1, 2, 2, 3))):
            self._child(home, first, second)
        self._protect([first, second, *(self.people[child] for child in first.children)])

    def parents_apart(self) -> None:
        """A divorced couple, and one or two children who live with both."""
        here, there = self._home(), self._home()
        mother = self._adult(here, woman=True, ages=(26, 55))
        father = self._adult(there, woman=False, ages=(26, 55))
        mother.sivilstand = father.sivilstand = "skilt"
        mother.since = father.since = self._day(TODAY.year - 6, TODAY.year - 2)
        for _ in range(self._random.choice((1, 2))):
            child = self._child(here, mother, father)
            child.other_home = there

    def old_couple(self) -> None:
        """Two who married long ago; of some, one is dead."""
        home = self._home()
        wife = self._adult(home, woman=True, ages=(62, 96))
        husband = self._adult(home, woman=False, ages=(62, 96))
        self._marry(wife, husband, "gift")
        if self._random.random() < 0.5:
            self._die(husband)
            wife.sivilstand, wife.since, wife.spouse = "enkeEllerEnkemann", husband.died, None
            husband.spouse = None

    def single(self) -> None:
        """Someone who lives alone; some have emigrated, some are dead."""
        person = self._adult(self._home(), woman=self._random.random() < 0.5, ages=(19, 99))
        draw = self._random.random()
        if draw < 0.12:
            self._die(person)
        elif draw < 0.30:
            person.status = "utflyttet"
            person.origin = self._random.choice(COUNTRIES)
        elif draw < 0.32:
            person.status = "forsvunnet"
        elif draw < 0.45:
            person.sivilstand = self._random.choice(
                ("uoppgitt", "separert", "skilt", "enkeEllerEnkemann", "skiltPartner",
                 "separertPartner", "gjenlevendePartner")
            )  # fmt: skip
            person.since = self._day(2005, 2024)
        elif draw < 0.55:
            self._immigrate(person)
        self._protect([person])

    def d_nummer_person(self) -> None:
        """Someone who stays for a while, with a D-nummer and no bostedsadresse."""
        woman = self._random.random() < 0.45
        born = self._born((18, 70))
        person = self._add(
            self._numbers.d_nummer(born, woman=woman),
            born,
            woman=woman,
            status=self._random.choice(
                ("midlertidig", "midlertidig", "inaktiv", "ikkeBosatt", "aktiv")
            ),
        )
        person.is_d_nummer = True
        person.origin = self._random.choice(COUNTRIES)
        person.citizenship = [person.origin[0]]
        person.sivilstand = self._random.choice(("uoppgitt", "ugift", "gift"))

    # -- persons ---------------------------------------------------------------------------

    def _adult(self, home: Home, *, woman: bool, ages: tuple[int, int]) -> Person:
        born = self._born(ages)
        number = self._numbers.foedselsnummer(born, woman=woman)
        person = self._add(number, born, woman=woman, status="bosatt")
        person.home = home
        moves = self._random.choice((1, 1, 2, 3, 4, 6))
        person.earlier_homes = [self._home() for _ in range(moves)]
        return person

    def _child(self, home: Home, first: Person, second: Person) -> Person:
        youngest = max(first.born.year, second.born.year) + 19
        born = self._day(max(youngest, TODAY.year - 19), TODAY.year - 1)
        woman = self._random.random() < 0.5
        number = self._numbers.foedselsnummer(born, woman=woman)
        child = self._add(number, born, woman=woman, status="bosatt")
        child.etternavn = second.etternavn
        child.home = home
        child.earlier_homes = first.earlier_homes[: self._random.randrange(5)]
        child.mother = first.index
        if second.woman:
            child.medmor = second.index
        else:
            child.father = second.index
        first.children.append(child.index)
        second.children.append(child.index)
        if child.born > SETTLED - timedelta(days=40):
            child.status = "foedselsregistrert"
        return child

    def _add(self, number: str, born: date, *, woman: bool, status: str) -> Person:
        person = Person(
            index=len(self.people),
            number=number,
            woman=woman,
            born=born,
            status=status,
            fornavn=self._random.choice(ADJECTIVES),
            etternavn=self._random.choice(NOUNS),
        )
        self.people.append(person)
        return person

    def _marry(self, first: Person, second: Person, sivilstand: str) -> None:
        if first.woman == second.woman:
            sivilstand = self._random.choice(("gift", "registrertPartner"))
        first.sivilstand = second.sivilstand = sivilstand
        first.spouse, second.spouse = second.index, first.index
        earliest = max(first.born.year, second.born.year) + 18
        first.since = second.since = self._day(min(earliest, TODAY.year - 3), TODAY.year - 2)

    def _immigrate(self, person: Person) -> None:
        """Came as an adult: a D-nummer first for half of them, and another citizenship."""
        person.origin = self._random.choice(COUNTRIES)
        person.citizenship = [person.origin[0]]
        if self._random.random() < 0.4:
            person.citizenship.append("NOR")
        if self._random.random() < 0.5:
            person.earlier.append(self._numbers.d_nummer(person.born, woman=person.woman))

    def _die(self, person: Person) -> None:
        person.status = "doed"
        person.died = self._day(max(person.born.year + 18, 1990), TODAY.year - 1)

    def _protect(self, household: list[Person]) -> None:
        """A household is protected together."""
        draw = self._random.random()
        if draw < 0.012:
            level = "strengtFortrolig" if draw < 0.004 else "fortrolig"
            for person in household:
                person.protection = level

    # -- places and days -------------------------------------------------------------------

    def _home(self) -> Home:
        self._homes += 1
        draw = self._random.random()
        kind = (
            "vegadresse" if draw < 0.85 else "matrikkeladresse" if draw < 0.97 else "ukjentBosted"
        )
        large = self._random.random() < 0.45  # nearly half live in the four largest
        kommune = self._random.choice(KOMMUNER[:4] if large else KOMMUNER)
        return Home(kommune, kind, self._homes)

    def _born(self, ages: tuple[int, int]) -> date:
        return self._day(TODAY.year - ages[1], TODAY.year - ages[0])

    def _day(self, first_year: int, last_year: int) -> date:
        """A day in those years, and before the register's last changes."""
        first = date(first_year, 1, 1).toordinal()
        last = min(date(last_year, 12, 31), SETTLED - timedelta(days=1)).toordinal()
        return date.fromordinal(self._random.randint(min(first, last), last))


def _merge(people: list[Person], random: Random) -> None:
    """Merge some registrations into others, and end some that nobody goes on for."""
    lonely = [person for person in people if person.is_d_nummer]
    random.shuffle(lonely)
    hosts = [p for p in people if p.status == "bosatt" and not p.protection]
    random.shuffle(hosts)
    wanted = round(len(people) * 0.002) or int(len(people) >= 200)
    for number in range(min(wanted, len(lonely) // 4, len(hosts))):
        out = lonely.pop()
        if number % 4 == 3:  # a chain: merged into one that is then merged itself
            middle = lonely.pop()
            _merge_into(out, middle)
            out = middle
        _merge_into(out, hosts.pop())
    for _ in range(max(1, len(people) // 2_000) if len(lonely) > 3 else 0):
        over = lonely.pop()
        over.ended, over.status = True, "opphoert"


def _merge_into(out: Person, goes_on: Person) -> None:
    out.merged_into, out.status = goes_on.index, "opphoert"
    goes_on.earlier += [out.number, *out.earlier]
