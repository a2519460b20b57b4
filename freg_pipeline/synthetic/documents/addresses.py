"""Where a person lives, stays and gets post, and how their addresses are protected.

One current row of each address kind, a home for everyone with a foedselsnummer, graded addresses
for protected persons.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from freg_pipeline.synthetic.documents.particulars import LONG_AGO
from freg_pipeline.synthetic.documents.versions import Version, replaced
from freg_pipeline.synthetic.people import TODAY, Person
from freg_pipeline.synthetic.rows import Row, Rows
from freg_pipeline.synthetic.words import COUNTRIES


class Addresses:
    """Writes a person's addresses."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of(self, person: Person) -> Iterator[tuple[str, Any]]:
        """The address entities; without rows where the person has none of the kind."""
        yield "adressebeskyttelse", self._adressebeskyttelse(person)
        yield "bostedsadresse", self._bostedsadresse(person)
        yield "oppholdsadresse", self._oppholdsadresse(person)
        yield "deltBosted", self._delt_bosted(person)
        yield "postadresse", self._postadresse(person)
        yield "postadresseIUtlandet", self._postadresse_i_utlandet(person)

    def _grade(self, person: Person) -> str:
        return person.protection or "ugradert"

    def _adressebeskyttelse(self, person: Person) -> list[Row]:
        if person.protection is None:
            if person.index % 50 != 9:
                return []
            return [self._rows.row(person.within(LONG_AGO), {"graderingsnivaa": "ugradert"})]
        return [self._rows.row(person.some_day(2019), {"graderingsnivaa": person.protection})]

    def _bostedsadresse(self, person: Person) -> list[Row]:
        if person.home is None or person.protection == "strengtFortrolig":
            return []
        rows = []
        until = person.left
        for home in (person.home, *person.earlier_homes):
            since = max(person.known_since, home.since or LONG_AGO)
            grade = self._grade(person)
            if until is None and grade == "ugradert" and person.index % 120 == 11:
                grade = "klientadresse"
            if until is None or since < until:
                own = self._bosted(home, since, grade)
                rows.append(self._rows.row(since, own, until=until))
            until = since
        return rows

    def _bosted(self, home: Any, moved: date, grade: str) -> Row:
        own: Row = {"adressegradering": grade, "flyttedato": moved.isoformat()}
        if home.number % 8:
            own |= {
                "grunnkrets": home.number % 9_000 + 100,
                "kirkekrets": home.number % 90 + 1,
                "skolekrets": home.number % 60 + 1,
                "stemmekrets": home.number % 40 + 1,
            }
        return {**own, **self._rows.home(home)}

    def moved(self, person: Person, document: Row) -> Version:
        """The version after a move on a late day."""
        day = TODAY - timedelta(days=4 + person.index // 33 % 70)
        if person.home is not None:
            person.earlier_homes = (person.home, *person.earlier_homes)
        person.home = self._rows.some_home()
        own = self._bosted(person.home, day, "ugradert")
        return replaced(self._rows, document, "bostedsadresse", day, own)

    def _oppholdsadresse(self, person: Person) -> list[Row]:
        if person.protection is not None or (person.home is not None and person.index % 17):
            return []
        since = person.some_day(2022)
        own: Row = {"adressegradering": "ugradert", "oppholdsadressedato": since.isoformat()}
        place = self._rows.some_home()
        kind = person.index % 5
        if kind == 0:
            place.kind = "matrikkeladresse"
        if kind == 1:
            own["utenlandskAdresse"] = self._rows.abroad(self._rows.pick(COUNTRIES))
        elif kind == 2:
            own["adressenErUkjent"] = True
        else:
            own |= self._rows.home(place)
            own.pop("naerAdresseIdentifikatorFraMatrikkelen", None)
        if person.index % 2:
            codes = ("militaer", "utenriks", "paaSvalbard", "pendler")
            own["oppholdAnnetSted"] = codes[person.index // 2 % 4]
        return [self._rows.row(since, own)]

    def _delt_bosted(self, person: Person) -> list[Row]:
        if person.other_home is None or person.protection is not None:
            return []
        since = person.some_day(2021)
        own: Row = {"adressegradering": "ugradert", "startdatoForKontrakt": since.isoformat()}
        if person.index % 3 == 0:
            own["sluttdatoForKontrakt"] = "2031-12-31"
        return [self._rows.row(since, {**own, **self._rows.home(person.other_home)})]

    def _postadresse(self, person: Person) -> list[Row]:
        if person.protection != "strengtFortrolig" and person.index % 9 != 4:
            return []
        own = {"adressegradering": self._grade(person)}
        own |= self._rows.post_in_norway(self._rows.some_home())
        return [self._rows.row(person.some_day(2018), own)]

    def _postadresse_i_utlandet(self, person: Person) -> list[Row]:
        if person.protection is not None or (
            person.status != "utflyttet" and not person.is_d_nummer
        ):
            return []
        origin = person.origin or self._rows.pick(COUNTRIES)
        own: Row = {"adressegradering": "ugradert"}
        if person.index % 2:
            own["utenlandskAdresse"] = self._rows.abroad(origin)
        else:
            own["utenlandskAdresseIFrittFormat"] = self._rows.lines_abroad(origin)
        return [self._rows.row(person.left or person.some_day(2020), own)]


def may_move(person: Person) -> bool:
    """Whether someone is grown and open enough for a late move of their own."""
    return TODAY.year - person.born.year > 18 and person.protection is None and not person.left
