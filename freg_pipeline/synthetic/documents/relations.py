"""Whom a person is related to and answers for. A relation is told in both persons' documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from freg_pipeline.synthetic.documents.particulars import LONG_AGO
from freg_pipeline.synthetic.people import LAST_SETTLED, TODAY, Person
from freg_pipeline.synthetic.rows import Row, Rows


def somebody(people: Sequence[Person], person: Person) -> Person:
    """Another person, one in force; the same one each time."""
    for step in range(1, len(people)):
        other = people[(person.index + step * 7) % len(people)]
        if other.merged_into is None and not other.ended and other.died is None:
            return other
    return person


class Relations:
    """Writes a person's family, parental responsibility and estate."""

    def __init__(self, rows: Rows, people: Sequence[Person]) -> None:
        self._rows = rows
        self._people = people

    def of(self, person: Person) -> Iterator[tuple[str, Any]]:
        """The entities that name others; without rows where the person has none."""
        yield "familierelasjon", self._familierelasjon(person)
        yield "foreldreansvar", self._foreldreansvar(person)
        if person.died is not None:
            yield "doedsfall", self._rows.row(person.died, {"doedsdato": person.died.isoformat()})
            yield "kontaktinformasjonForDoedsbo", self._doedsbo(person, person.died)

    def _familierelasjon(self, person: Person) -> list[Row]:
        mine = "far" if not person.woman else "mor"
        rows = [
            self._relation(person, self._people[parent].number, role, "barn")
            for parent, role in (
                (person.mother, "mor"),
                (person.father, "far"),
                (person.medmor, "medmor"),
            )
            if parent is not None
        ]
        for index in person.children:
            child = self._people[index]
            role = "medmor" if child.medmor == person.index else mine
            rows.append(self._relation(child, child.number, "barn", role))
        if person.spouse is not None:
            role = "ektefelleEllerPartner"
            number = self._people[person.spouse].number
            own: Row = {
                "relatertPerson": number,
                "relatertPersonsRolle": role,
                "minRolleForPerson": role,
            }
            rows.append(self._rows.row(person.since or person.born, own))
        if person.mother is None and person.index % 7 == 2:
            own = {
                "relatertPersonUtenFolkeregisteridentifikator": self._rows.someone(),
                "relatertPersonsRolle": ("mor", "far", "soesken", "doedfoedtBarn")[
                    person.index % 4
                ],
            }
            rows.append(self._rows.row(person.born, own))
        return rows

    def _relation(self, child: Person, number: str, role: str, mine: str) -> Row:
        own = {"relatertPerson": number, "relatertPersonsRolle": role, "minRolleForPerson": mine}
        return self._rows.row(child.born, own)

    def _foreldreansvar(self, person: Person) -> list[Row]:
        rows = []
        for index in person.children:
            child = self._people[index]
            if TODAY.year - child.born.year < 18:
                own: Row = {"ansvar": "felles", "ansvarssubjekt": child.number}
                rows.append(self._rows.row(child.born, own))
        if person.mother is not None and TODAY.year - person.born.year < 18:
            for parent in person.parents:
                own = {"ansvar": "felles", "ansvarlig": self._people[parent].number}
                rows.append(self._rows.row(person.born, own))
        if person.index % 90 == 13:
            own = {"ansvar": ("andre", "ukjent", "mor", "far", "medmor")[person.index // 90 % 5]}
            own |= self._odd_ansvar(person)
            rows.append(self._rows.row(person.within(LONG_AGO), own))
        return rows

    def _odd_ansvar(self, person: Person) -> Row:
        kind = person.index // 90 % 3
        if kind == 0:
            return {"ansvarligOrganisasjon": "974760673"}
        if kind == 1:
            return {"ansvarligUtenIdentifikator": self._rows.someone()}
        return {"ansvarssubjektUtenIdentifikator": self._rows.someone()}

    def _doedsbo(self, person: Person, died: date) -> list[Row]:
        since = min(died + timedelta(days=30), LAST_SETTLED)
        own: Row = {
            "skifteform": "offentlig" if person.index % 3 else "annet",
            "attestutstedelsesdato": since.isoformat(),
            "adresse": {
                "adresselinje": ["Postboks 12", "v/ boet"][: person.index % 2 + 1],
                "postnummer": "0101",
                "poststedsnavn": "OSLO",
                "landkode": self._rows.landkode("NOR"),
            },
        }
        kind = person.index % 4
        if kind == 0:
            firm = {"organisasjonsnavn": "ADVOKATENE AS", "organisasjonsnummer": "987654325"}
            own["advokat"] = {"personnavn": self._rows.personnavn(), **firm}
        elif kind == 1:
            firm = {"organisasjonsnavn": "BANKEN ASA", "organisasjonsnummer": "912345674"}
            own["organisasjon"] = {"kontaktpersonnavn": self._rows.personnavn(), **firm}
        elif kind == 2:
            heir = {"personnavn": self._rows.personnavn(), "foedselsdato": "1971-04-05"}
            own["person"] = heir
        else:
            own["person"] = {"foedselsEllerDNummer": somebody(self._people, person).number}
        return [self._rows.row(since, own)]
