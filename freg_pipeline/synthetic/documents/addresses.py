"""Where a person lives, stays and gets post, and how their addresses are protected.

One current row of each address kind, a home for everyone with a foedselsnummer, graded addresses
for protected persons.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from freg_pipeline.synthetic.documents.particulars import LONG_AGO
from freg_pipeline.synthetic.people import Person
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
            return [self._rows.row(LONG_AGO, {"graderingsnivaa": "ugradert"})]
        return [self._rows.row(date(2019, 9, 1), {"graderingsnivaa": person.protection})]

    def _bostedsadresse(self, person: Person) -> list[Row]:
        if person.home is None or person.protection == "strengtFortrolig":
            return []
        moved = max(person.born, date(2010 + person.index % 14, 1 + person.index % 12, 12))
        rows = []
        grade = self._grade(person)
        if person.status != "utflyttet":
            if grade == "ugradert" and person.index % 120 == 11:
                grade = "klientadresse"
            rows.append(self._rows.row(moved, self._bosted(person.home, moved, grade)))
        for home in person.earlier_homes:
            since = max(person.born, moved - timedelta(days=1_100))
            if since < moved:
                own = self._bosted(home, since, self._grade(person))
                rows.append(self._rows.row(since, own, until=moved))
            moved = since
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

    def _oppholdsadresse(self, person: Person) -> list[Row]:
        if person.protection is not None or (person.home is not None and person.index % 17):
            return []
        own: Row = {"adressegradering": "ugradert", "oppholdsadressedato": "2022-08-15"}
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
        return [self._rows.row(date(2022, 8, 15), own)]

    def _delt_bosted(self, person: Person) -> list[Row]:
        if person.other_home is None or person.protection is not None:
            return []
        since = max(person.born, date(2021, 1, 1))
        own: Row = {"adressegradering": "ugradert", "startdatoForKontrakt": since.isoformat()}
        if person.index % 3 == 0:
            own["sluttdatoForKontrakt"] = "2031-12-31"
        return [self._rows.row(since, {**own, **self._rows.home(person.other_home)})]

    def _postadresse(self, person: Person) -> list[Row]:
        if person.protection != "strengtFortrolig" and person.index % 9 != 4:
            return []
        own = {"adressegradering": self._grade(person)}
        own |= self._rows.post_in_norway(self._rows.some_home())
        return [self._rows.row(date(2018, 2, 1), own)]

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
        return [self._rows.row(date(2020, 10, 1), own)]
