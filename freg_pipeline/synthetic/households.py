"""The households that the population consists of, and how long they have lived where.

Generations are tied together when all of them are made (:mod:`freg_pipeline.synthetic.kin`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from freg_pipeline.synthetic.homes import Homes
from freg_pipeline.synthetic.kin import Couple, space_out, tie_generations
from freg_pipeline.synthetic.numbers import Numbers
from freg_pipeline.synthetic.people import LAST_SETTLED, SETTLED, TODAY, Home, Person
from freg_pipeline.synthetic.words import ADJECTIVES, COUNTRIES, NOUNS

YEAR = 365.25
_OLDEST_MOTHER = 44
_TOLD = 1_000
_LONG = date(1975, 1, 1)  # nobody came or went before that


def make_people(
    random: Random, registrations: int, told: Callable[[int], None] = lambda _: None
) -> list[Person]:
    """Return so many registrations; relations point to indices in the list, both ways.

    Args:
        random: what they are drawn from.
        registrations: how many.
        told: is told of how many more are made, now and then.
    """
    maker, said = _Maker(random), 0
    while len(maker.people) < registrations:
        left = registrations - len(maker.people)
        draw = random.random()
        if draw < 0.30 and left >= 5:
            maker.family()
        elif draw < 0.36 and left >= 5:
            maker.parents_apart()
        elif draw < 0.55 and left >= 2:
            maker.old_couple()
        elif draw < 0.66:
            maker.d_nummer_person()
        else:
            maker.single()
        if len(maker.people) - said >= _TOLD:
            told(len(maker.people) - said)
            said = len(maker.people)
    told(len(maker.people) - said)
    tie_generations(random, maker.people, maker.couples)
    _merge(maker.people, random)
    return maker.people


class _Maker:
    def __init__(self, random: Random) -> None:
        self.people: list[Person] = []
        self.couples: list[Couple] = []
        self._random = random
        self._numbers = Numbers(random)
        self._homes = Homes(random)

    # -- households ------------------------------------------------------------------------

    def family(self) -> None:
        """Two adults, married or not, with up to three children at home."""
        first = self._adult(woman=True, born=self._born(22, 66, 36))
        same_sex = self._random.random() < 0.04
        second = self._adult(woman=same_sex, born=self._partners_birth(first, 19))
        home = self._homes.one(since=self._moved_in(first, second))
        for one in (first, second):
            self._homes.settle(one, home)
        if self._random.random() < 0.65:
            self._marry(first, second)
        self.couples.append((first, second))
        for _ in range(self._random.choice((0, 0, 1, 1, 2, 2, 3))):
            self._child(home, first, second)
        self._protect([first, second, *(self.people[child] for child in first.children)])

    def parents_apart(self) -> None:
        """A divorced couple, and one or two children who live with both."""
        mother = self._adult(woman=True, born=self._born(25, 60, 45))
        father = self._adult(woman=False, born=self._partners_birth(mother, 25))
        mother.sivilstand = father.sivilstand = "skilt"
        mother.since = father.since = self._between(date(TODAY.year - 6, 1, 1), LAST_SETTLED)
        here, there = (self._homes.one(since=self._moved_in(one)) for one in (mother, father))
        self._homes.settle(mother, here)
        self._homes.settle(father, there)
        self.couples.append((mother, father))
        for _ in range(self._random.choice((1, 2))):
            child = self._child(here, mother, father)
            child.other_home = there

    def old_couple(self) -> None:
        """Two who married long ago; of some, one is dead."""
        wife = self._adult(woman=True, born=self._born(54, 97, 66))
        husband = self._adult(woman=False, born=self._partners_birth(wife, 50))
        self._marry(wife, husband, latest=40)
        self.couples.append((wife, husband))
        if self._random.random() < 0.3 + max(0, TODAY.year - husband.born.year - 65) / 50:
            self._die(husband, not_before=_birthday(husband, 50))
            wife.sivilstand, wife.since, wife.spouse = "enkeEllerEnkemann", husband.died, None
            husband.spouse = None
        home = self._homes.one(since=self._moved_in(wife, husband))
        for one in (wife, husband):
            self._homes.settle(one, home)

    def single(self) -> None:
        """Someone who lives alone; some have emigrated, some are dead."""
        person = self._adult(woman=self._random.random() < 0.5, born=self._born(19, 97, 20))
        draw = self._random.random()
        if draw < 0.12:
            self._die(person, not_before=_birthday(person, 18))
        elif draw < 0.30:
            self._come(person)
            person.status = "utflyttet"
            person.left = self._between(person.known_since + timedelta(days=300), LAST_SETTLED)
        elif draw < 0.32:
            person.status = "forsvunnet"
        elif draw < 0.45:
            person.sivilstand = self._random.choice(
                ("uoppgitt", "separert", "skilt", "enkeEllerEnkemann", "skiltPartner",
                 "separertPartner", "gjenlevendePartner")
            )  # fmt: skip
            person.since = self._between(_birthday(person, 18), LAST_SETTLED)
        elif draw < 0.55:
            self._immigrate(person)
        self._homes.settle(person, self._homes.one(since=self._moved_in(person)))
        self._protect([person])

    def d_nummer_person(self) -> None:
        """Someone who stays for a while, with a D-nummer and no bostedsadresse."""
        woman = self._random.random() < 0.45
        born = self._born(18, 70, 30)
        person = self._add(
            self._numbers.d_nummer(born, woman=woman),
            born,
            woman=woman,
            status=self._random.choice(
                ("midlertidig", "midlertidig", "inaktiv", "ikkeBosatt", "aktiv")
            ),
        )
        person.is_d_nummer = True
        self._come(person)
        person.citizenship = (person.origin[0],) if person.origin else ()
        person.sivilstand = self._random.choice(("uoppgitt", "ugift", "gift"))

    # -- persons ---------------------------------------------------------------------------

    def _adult(self, *, woman: bool, born: date) -> Person:
        number = self._numbers.foedselsnummer(born, woman=woman)
        return self._add(number, born, woman=woman, status="bosatt")

    def _child(self, home: Home, first: Person, second: Person) -> Person:
        begin = max(_birthday(first, 18), _birthday(second, 18), _day(TODAY, -24))
        end = min(LAST_SETTLED, _birthday(first, _OLDEST_MOTHER))
        others = [self.people[child].born for child in first.children]
        born = space_out(self._between(begin, max(begin, end)), others, LAST_SETTLED)
        woman = self._random.random() < 0.5
        number = self._numbers.foedselsnummer(born, woman=woman)
        child = self._add(number, born, woman=woman, status="bosatt")
        child.etternavn = second.etternavn
        self._homes.follow(child, home, first)
        child.mother = first.index
        if second.woman:
            child.medmor = second.index
        else:
            child.father = second.index
        first.children += (child.index,)
        second.children += (child.index,)
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

    def _marry(self, first: Person, second: Person, latest: int = 100) -> None:
        """Let two marry, at least 18 years old and no older than ``latest`` as far as can be."""
        sivilstand = "gift"
        if first.woman == second.woman:
            sivilstand = self._random.choice(("gift", "registrertPartner"))
        first.sivilstand = second.sivilstand = sivilstand
        first.spouse, second.spouse = second.index, first.index
        begin = max(_birthday(first, 18), _birthday(second, 18))
        end = max(begin, min(_birthday(first, latest), LAST_SETTLED))
        first.since = second.since = self._between(begin, end)

    def _come(self, person: Person) -> None:
        """Let someone come to Norway as an adult."""
        person.origin = self._random.choice(COUNTRIES)
        begin = min(max(_birthday(person, 18), _LONG), _day(SETTLED, -1))
        person.came = self._between(begin, LAST_SETTLED - timedelta(days=31))

    def _immigrate(self, person: Person) -> None:
        """Came as an adult: a D-nummer first for half of them, and another citizenship."""
        self._come(person)
        person.citizenship = (person.origin[0],) if person.origin else ()
        if self._random.random() < 0.4:
            person.citizenship += ("NOR",)
        if self._random.random() < 0.5:
            person.earlier += (self._numbers.d_nummer(person.born, woman=person.woman),)
            person.numbered = self._between(person.known_since, LAST_SETTLED)

    def _die(self, person: Person, not_before: date) -> None:
        """Let someone die, sooner late than early."""
        begin = max(not_before, date(1990, 1, 1))
        person.status = "doed"
        person.died = max(self._between(begin, LAST_SETTLED), self._between(begin, LAST_SETTLED))

    def _protect(self, household: list[Person]) -> None:
        """A household is protected together."""
        draw = self._random.random()
        if draw < 0.012:
            level = "strengtFortrolig" if draw < 0.004 else "fortrolig"
            for person in household:
                person.protection = level

    # -- days ------------------------------------------------------------------------------

    def _born(self, youngest: int, oldest: int, most: int) -> date:
        """The birth date of someone of an age between those, most often of that one."""
        return _day(TODAY, -self._random.triangular(youngest, oldest, most))

    def _partners_birth(self, first: Person, youngest: int) -> date:
        """The birth date of a partner: some years from the other's."""
        born = _day(first.born, self._random.gauss(-1.5, 4))
        return min(born, _day(TODAY, -youngest))

    def _moved_in(self, *people: Person) -> date:
        """When they moved to where they live now: as adults, sooner lately than long ago."""
        begin = max(max(_birthday(one, 18), one.known_since) for one in people)
        ends = [one.died or one.left or LAST_SETTLED for one in people]
        end = max(begin, min(ends) - timedelta(days=1))
        return max(begin, _day(end, -self._random.expovariate(1 / 8)))

    def _between(self, first: date, last: date) -> date:
        """A day from the first to the last; the first where that is later."""
        days = max((last - first).days, 0)
        return min(first + timedelta(days=self._random.randint(0, days)), LAST_SETTLED)


def _day(day: date, years: float) -> date:
    return day + timedelta(days=round(years * YEAR))


def _birthday(person: Person, age: int) -> date:
    """About when someone became so old."""
    return _day(person.born, age)


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
    goes_on.earlier += (out.number, *out.earlier)
