"""Who a person is: numbers, status, birth, citizenship, sivilstand, names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from freg_pipeline.synthetic.documents.versions import Version, replaced
from freg_pipeline.synthetic.people import SETTLED, TODAY, Person
from freg_pipeline.synthetic.rows import Row, Rows
from freg_pipeline.synthetic.words import ADJECTIVES, NOUNS

LONG_AGO = date(2001, 1, 1)


class Particulars:
    """Writes what tells one person from another."""

    def __init__(self, rows: Rows, people: Sequence[Person]) -> None:
        self._rows = rows
        self._people = people

    def of(self, person: Person) -> Iterator[tuple[str, Any]]:
        """The entities that every document has, but for the names."""
        yield "identifikasjonsnummer", self._identifikasjonsnummer(person)
        yield "identitetsgrunnlag", self._identitetsgrunnlag(person)
        yield "status", self._status(person)
        sex = {"kjoenn": "kvinne" if person.woman else "mann"}
        yield "kjoenn", [self._since_birth(person, sex)]
        yield "foedsel", [self._foedsel(person)]
        yield "statsborgerskap", self._statsborgerskap(person)
        yield "sivilstand", self._sivilstand(person)

    def navn(self, person: Person) -> list[Row]:
        """The person's names, the one in force first."""
        own: Row = {"fornavn": person.fornavn, "etternavn": person.etternavn}
        if person.index % 4 == 0:
            own["mellomnavn"] = NOUNS[person.index // 4 % len(NOUNS)]
        if person.index % 3 == 0:
            own["forkortetNavn"] = f"{person.etternavn} {person.fornavn}"[:25]
        if person.index % 41 == 5:
            own["originaltNavn"] = self._rows.personnavn()
        if person.index % 6 != 1:
            return [self._since_birth(person, own)]
        before = {"fornavn": person.fornavn, "etternavn": NOUNS[person.index % len(NOUNS)]}
        changed = person.within(max(person.born + timedelta(days=90), person.some_day(2012)))
        if changed == person.born:
            return [self._since_birth(person, own)]
        return [
            self._rows.row(changed, own),
            self._rows.row(person.born, before, until=changed),
        ]

    def renamed(self, person: Person, document: Row) -> Iterator[Version]:
        """One or two more versions: one more change of name, on a late day, in each."""
        for change in range(1 + (person.index % 2)):
            day = TODAY - timedelta(days=60 - 20 * change - person.index % 15)
            own = {"fornavn": self._rows.pick(ADJECTIVES), "etternavn": person.etternavn}
            version = replaced(self._rows, document, "navn", day, own)
            document = version.document
            yield version

    def foedsel_i_norge(self, person: Person) -> list[Row]:
        """Where in Norway the person was born."""
        own: Row = {"foedselsinstitusjonsnavn": f"{self._rows.pick(NOUNS)} SYKEHUS"}
        if person.index % 11 == 0:
            own["rekkefoelgenummer"] = person.index % 3 + 1
        return [self._since_birth(person, own)]

    def _since_birth(self, person: Person, own: Row) -> Row:
        return self._rows.row(person.born, own)

    def _identifikasjonsnummer(self, person: Person) -> list[Row]:
        ended = person.merged_into is not None or person.ended
        since = person.numbered or person.known_since
        own = {
            "foedselsEllerDNummer": person.number,
            "identifikatortype": "dNummer" if person.is_d_nummer else "foedselsnummer",
            "status": "opphoert" if ended else "iBruk",
        }
        rows = [self._rows.row(since, own)]
        for place, number in enumerate(person.earlier):
            own_before = place == 0 and person.numbered is not None
            until = since if own_before else SETTLED - timedelta(days=20)
            kind = "dNummer" if number[0] in "4567" else "foedselsnummer"
            replaced = {"foedselsEllerDNummer": number, "identifikatortype": kind,
                        "status": "opphoert"}  # fmt: skip
            rows.append(self._rows.row(person.within(LONG_AGO), replaced, until=until))
        return rows

    def _identitetsgrunnlag(self, person: Person) -> list[Row]:
        level = ("kontrollert", "ikkeKontrollert", "ingenStatus")[person.index % 5 % 3]
        since = person.within(LONG_AGO)
        rows = [self._rows.row(since, {"identitetsgrunnlagstatus": level})]
        if person.known_since < since:
            before = {"identitetsgrunnlagstatus": "ingenStatus"}
            rows.append(self._rows.row(person.known_since, before, until=since))
        return rows

    def _status(self, person: Person) -> list[Row]:
        first = person.known_since
        lost = person.some_day(2015) if person.status == "forsvunnet" else None
        since = person.died or person.left or lost or first
        rows = [self._rows.row(since, {"status": person.status})]
        if since > first:
            rows.append(self._rows.row(first, {"status": "bosatt"}, until=since))
        return rows

    def _foedsel(self, person: Person) -> Row:
        year: Any = person.born.year if person.index % 100 == 42 else str(person.born.year)
        own: Row = {"foedselsdato": person.born.isoformat(), "foedselsaar": year}
        if person.origin is not None:
            own |= {"foedeland": person.origin[0], "foedested": person.origin[1]}
        elif person.home is not None:
            first = (person.earlier_homes or (person.home,))[-1]
            own |= {"foedekommuneINorge": first.kommune.number, "foedeland": "NOR"}
        return self._since_birth(person, own)

    def _statsborgerskap(self, person: Person) -> list[Row]:
        rows = [self._since_birth(person, {"statsborgerskap": person.citizenship[0]})]
        given_up = person.some_day(2001)
        if person.index % 13 == 3 and person.born < given_up:
            own = {"statsborgerskap": "SWE"}
            rows.append(self._rows.row(person.born, own, until=given_up))
        for country in person.citizenship[1:]:
            since = person.some_day(2015)
            own = {"statsborgerskap": country, "ervervsdato": since.isoformat()}
            rows.append(self._rows.row(since, own))
        return rows

    def _sivilstand(self, person: Person) -> list[Row]:
        own: Row = {"sivilstand": person.sivilstand}
        since = person.since or person.born
        if person.since is not None:
            own["sivilstandsdato"] = person.since.isoformat()
            place = person.index % 4
            if place == 0:
                own |= {"utland": "DNK", "sted": "Aarhus"}
            elif place < 3 and person.home is not None:
                own |= {"kommune": person.home.kommune.number, "myndighet": "KOMMUNE"}
        if person.spouse is not None:
            own["relatertVedSivilstand"] = self._people[person.spouse].number
        rows = [self._rows.row(since, own)]
        if person.since is not None:
            rows.append(self._rows.row(person.born, {"sivilstand": "ugift"}, until=person.since))
        return rows
