"""A person's record -> her person documents, with every entity that the register's model has.

The rules are those of the register's documentation: one current row of each address kind, a home
for everyone with a foedselsnummer, graded addresses for protected persons, relations told by both.
Rare entities come to persons by their index, so that all of them occur in a thousand persons.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from freg_pipeline.synthetic.people import SETTLED, TODAY, Person
from freg_pipeline.synthetic.rows import Row, Rows
from freg_pipeline.synthetic.words import (
    ADJECTIVES,
    COUNTRIES,
    FOREIGN_NUMBERS,
    NOUNS,
    VIRKSOMHETER,
)

LONG_AGO = date(2001, 1, 1)


class Writer:
    """Writes documents for the people of one population."""

    def __init__(self, random: Random, people: list[Person]) -> None:
        self._rows = Rows(random)
        self._people = people

    def versions(self, person: Person) -> list[Row]:
        """A person's documents, the earliest first; the last one is in force.

        Persons with late changes have several: each change of name made a new document.
        """
        document = self._document(person)
        names = self._navn(person)
        if person.merged_into is not None or person.index % 33 != 7:
            document["navn"] = names
            return [document]
        return [{**document, "navn": rows} for rows in self._renamed(person, names)]

    def _document(self, person: Person) -> Row:
        document: Row = {
            "identifikasjonsnummer": self._identifikasjonsnummer(person),
            "identitetsgrunnlag": self._identitetsgrunnlag(person),
            "status": self._status(person),
            "kjoenn": [self._since_birth(person, {"kjoenn": "kvinne" if person.woman else "mann"})],
            "foedsel": [self._foedsel(person)],
            "statsborgerskap": self._statsborgerskap(person),
            "sivilstand": self._sivilstand(person),
        }
        for entity, rows in self._others(person):
            if rows:
                document[entity] = rows
        return document

    def _others(self, person: Person) -> Iterator[tuple[str, Any]]:
        yield "adressebeskyttelse", self._adressebeskyttelse(person)
        yield "bostedsadresse", self._bostedsadresse(person)
        yield "oppholdsadresse", self._oppholdsadresse(person)
        yield "deltBosted", self._delt_bosted(person)
        yield "postadresse", self._postadresse(person)
        yield "postadresseIUtlandet", self._postadresse_i_utlandet(person)
        yield "familierelasjon", self._familierelasjon(person)
        yield "foreldreansvar", self._foreldreansvar(person)
        if person.died is not None:
            yield "doedsfall", self._rows.row(person.died, {"doedsdato": person.died.isoformat()})
            yield "kontaktinformasjonForDoedsbo", self._doedsbo(person, person.died)
        if person.origin is not None:
            yield from self._foreign(person, person.origin)
        else:
            yield "foedselINorge", self._foedsel_i_norge(person)
        yield from self._rare(person)

    # -- who -------------------------------------------------------------------------------

    def _since_birth(self, person: Person, own: Row) -> Row:
        return self._rows.row(person.born, own)

    def _identifikasjonsnummer(self, person: Person) -> list[Row]:
        ended = person.merged_into is not None or person.ended
        since = max(person.born, LONG_AGO)
        own = {
            "foedselsEllerDNummer": person.number,
            "identifikatortype": "dNummer" if person.is_d_nummer else "foedselsnummer",
            "status": "opphoert" if ended else "iBruk",
        }
        rows = [self._rows.row(since, own)]
        for number in person.earlier:
            kind = "dNummer" if number[0] in "4567" else "foedselsnummer"
            replaced = {"foedselsEllerDNummer": number, "identifikatortype": kind,
                        "status": "opphoert"}  # fmt: skip
            rows.append(self._rows.row(since, replaced, until=SETTLED - timedelta(days=20)))
        return rows

    def _identitetsgrunnlag(self, person: Person) -> list[Row]:
        level = ("kontrollert", "ikkeKontrollert", "ingenStatus")[person.index % 5 % 3]
        rows = [self._rows.row(LONG_AGO, {"identitetsgrunnlagstatus": level})]
        if person.born < LONG_AGO:
            before = {"identitetsgrunnlagstatus": "ingenStatus"}
            rows.append(self._rows.row(person.born, before, until=LONG_AGO))
        return rows

    def _status(self, person: Person) -> list[Row]:
        since = person.died or max(person.born, LONG_AGO)
        rows = [self._rows.row(since, {"status": person.status})]
        if person.status in {"doed", "utflyttet", "forsvunnet"}:
            rows.append(self._rows.row(person.born, {"status": "bosatt"}, until=since))
        return rows

    def _foedsel(self, person: Person) -> Row:
        year: Any = person.born.year if person.index % 100 == 42 else str(person.born.year)
        own: Row = {"foedselsdato": person.born.isoformat(), "foedselsaar": year}
        if person.origin is not None:
            own |= {"foedeland": person.origin[0], "foedested": person.origin[1]}
        elif person.home is not None:
            own |= {"foedekommuneINorge": person.home.kommune.number, "foedeland": "NOR"}
        return self._since_birth(person, own)

    def _foedsel_i_norge(self, person: Person) -> list[Row]:
        own: Row = {"foedselsinstitusjonsnavn": f"{self._rows.pick(NOUNS)} SYKEHUS"}
        if person.index % 11 == 0:
            own["rekkefoelgenummer"] = person.index % 3 + 1
        return [self._since_birth(person, own)]

    def _statsborgerskap(self, person: Person) -> list[Row]:
        rows = [self._since_birth(person, {"statsborgerskap": person.citizenship[0]})]
        if person.index % 13 == 3:
            own = {"statsborgerskap": "SWE"}
            rows.append(self._rows.row(person.born, own, until=max(LONG_AGO, person.born)))
        for country in person.citizenship[1:]:
            own = {"statsborgerskap": country, "ervervsdato": "2015-05-17"}
            rows.append(self._rows.row(date(2015, 5, 17), own))
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

    def _navn(self, person: Person) -> list[Row]:
        own: Row = {"fornavn": person.fornavn, "etternavn": person.etternavn}
        if person.index % 4 == 0:
            own["mellomnavn"] = NOUNS[person.index // 4 % len(NOUNS)]
        if person.index % 3 == 0:
            own["forkortetNavn"] = f"{person.etternavn} {person.fornavn}"[:25]
        if person.index % 41 == 5:
            own["originaltNavn"] = self._rows.personnavn()
        if person.index % 6 != 1:
            return [self._since_birth(person, own)]
        changed = max(person.born + timedelta(days=90), date(2012, 3, 1))
        before = {"fornavn": person.fornavn, "etternavn": NOUNS[person.index % len(NOUNS)]}
        changed = min(changed, SETTLED - timedelta(days=10))
        return [
            self._rows.row(changed, own),
            self._rows.row(person.born, before, until=changed),
        ]

    def _renamed(self, person: Person, names: list[Row]) -> Iterator[list[Row]]:
        """The names of each version: one more change, on a late day, in each."""
        yield names
        for change in range(1 + (person.index % 2)):
            day = TODAY - timedelta(days=60 - 20 * change - person.index % 15)
            own = {"fornavn": self._rows.pick(ADJECTIVES), "etternavn": person.etternavn}
            over = {"erGjeldende": False, "opphoerstidspunkt": self._rows.validity(day)}
            before = [row if "opphoerstidspunkt" in row else {**row, **over} for row in names]
            names = [self._rows.row(day, own), *before]
            yield names

    # -- where -----------------------------------------------------------------------------

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

    # -- relations -------------------------------------------------------------------------

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
            parents = (person.mother, person.father, person.medmor)
            for parent in parents:
                if parent is not None:
                    number = self._people[parent].number
                    own = {"ansvar": "felles", "ansvarlig": number}
                    rows.append(self._rows.row(person.born, own))
        if person.index % 90 == 13:
            own = {"ansvar": ("andre", "ukjent", "mor", "far", "medmor")[person.index // 90 % 5]}
            own |= self._odd_ansvar(person)
            rows.append(self._rows.row(max(person.born, LONG_AGO), own))
        return rows

    def _odd_ansvar(self, person: Person) -> Row:
        kind = person.index // 90 % 3
        if kind == 0:
            return {"ansvarligOrganisasjon": "974760673"}
        if kind == 1:
            return {"ansvarligUtenIdentifikator": self._rows.someone()}
        return {"ansvarssubjektUtenIdentifikator": self._rows.someone()}

    def _doedsbo(self, person: Person, died: date) -> list[Row]:
        own: Row = {
            "skifteform": "offentlig" if person.index % 3 else "annet",
            "attestutstedelsesdato": (died + timedelta(days=30)).isoformat(),
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
            own["person"] = {"foedselsEllerDNummer": self._somebody(person).number}
        return [self._rows.row(died + timedelta(days=30), own)]

    def _somebody(self, person: Person) -> Person:
        """A person in force, the same each time."""
        for step in range(1, len(self._people)):
            other = self._people[(person.index + step * 7) % len(self._people)]
            if other.merged_into is None and not other.ended and other.died is None:
                return other
        return person

    # -- from abroad, and what few have ----------------------------------------------------

    def _foreign(self, person: Person, origin: tuple[str, str]) -> Iterator[tuple[str, Any]]:
        came = max(person.born + timedelta(days=6_600), LONG_AGO)
        came = min(came, SETTLED - timedelta(days=30))
        place: Row = {"fraflyttingsland": origin[0], "fraflyttingsstedIUtlandet": origin[1]}
        if not person.is_d_nummer:
            yield "innflytting", [self._rows.row(came, place)]
        if person.status == "utflyttet":
            own = {
                "tilflyttingsland": origin[0],
                "tilflyttingsstedIUtlandet": origin[1],
                "utflyttingsdato": "2020-09-30",
            }
            yield "utflytting", [self._rows.row(date(2020, 9, 30), own)]
        kinds = ("midlertidig", "permanent", "opplysningMangler")
        permit: Row = {
            "oppholdFra": came.isoformat(),
            "oppholdstillatelse": kinds[person.index % 3],
        }
        if person.index % 3 == 0:
            permit["oppholdTil"] = "2029-12-31"
        yield "opphold", [self._rows.row(came, permit)]
        kind = FOREIGN_NUMBERS[person.index % len(FOREIGN_NUMBERS)]
        number = {"utstederland": origin[0], "identifikasjonsnummertype": kind}
        number["identifikasjonsnummer"] = f"X{person.index:07d}"
        yield "utenlandskPersonidentifikasjon", [self._rows.row(came, number)]
        if person.index % 2:
            number = {"utstederland": "NOR", "identifikasjonsnummertype": "duf"}
            number["identifikasjonsnummer"] = f"{person.index:012d}"
            yield "utlendingsmyndighetenesIdentifikasjonsnummer", [self._rows.row(came, number)]
        yield "legitimasjonsdokument", [self._rows.row(came, self._legitimasjon(person, origin))]

    def _legitimasjon(self, person: Person, origin: tuple[str, str]) -> Row:
        own: Row = {
            "identifikasjonsdokumenttype": self._rows.pick(("pass", "nasjonaltIdKort")),
            "utstederland": origin[0],
        }
        if person.index % 3:
            own |= {
                "gyldigFra": "2019-01-15",
                "gyldigTil": "2029-01-15",
                "identifikasjonsdokumentnummer": f"P{person.index:08d}",
                "utstedernavn": "POLICE",
                "dokumentkontroll": {
                    "dokumentkontrollstatus": "godkjent",
                    "dokumentkontrolltidspunkt": self._rows.stamp(date(2019, 3, 4)),
                },
            }
        return own

    def _rare(self, person: Person) -> Iterator[tuple[str, Any]]:
        n = person.index
        if n % 211 == 17:
            yield "falskIdentitet", self._falsk_identitet(person)
        if n % 67 == 21 and person.origin is None:
            kinds = ("harBibehold", "harIkkeLengerBibehold", "norskStatsborgerTrengerIkkeBibehold")
            own: Row = {"bibeholdstatus": kinds[n // 67 % 3], "datoForBibehold": "2017-11-02"}
            yield "bibehold", [self._rows.row(date(2017, 11, 2), own)]
        if n % 71 == 12:
            languages = ("nordsamisk", "soersamisk", "lulesamisk")
            own = {"spraak": [languages[n // 71 % 3], *(languages[:1] if n // 71 % 3 else [])]}
            yield "brukAvSamiskSpraak", [self._rows.row(date(2021, 3, 1), own)]
            kinds = ("innmeldt", "utmeldt", "aldriInnmeldt")
            own = {"forhold": kinds[n // 71 % 3], "vedtaksdato": "2020-06-30"}
            yield "forholdTilSametingetsValgmanntall", [self._rows.row(date(2020, 6, 30), own)]
        if n % 83 == 33:
            yield "oppholdPaaSvalbard", [self._rows.row(date(2016, 1, 9), self._svalbard(n))]
        if n % 59 == 8:
            yield "vergemaalEllerFremtidsfullmakt", [self._vergemaal(person)]
        if n % 97 == 8:
            kinds = ("personligOmraade", "oekonomiskOmraade", "personligOgOekonomiskOmraade")
            own = {"rettsligHandleevneomfang": kinds[n // 97 % 3]}
            yield "rettsligHandleevne", [self._rows.row(date(2024, 2, 2), own)]

    def _falsk_identitet(self, person: Person) -> Row:
        own: Row = {"erFalsk": True}
        kind = person.index // 211 % 3
        if kind == 0:
            own["rettIdentitetErUkjent"] = True
        elif kind == 1:
            own["rettIdentitetVedIdentifikasjonsnummer"] = self._somebody(person).number
        else:
            own["rettIdentitetVedOpplysninger"] = {
                "personnavn": self._rows.personnavn(),
                "foedselsdato": "1980-12-24",
                "kjoenn": "mann",
                "statsborgerskap": ["SWE", "FIN"],
            }
        return self._rows.row(date(2023, 4, 4), own)

    def _svalbard(self, n: int) -> Row:
        kinds = ("underSeksMaaneder", "overSeksMaaneder", "overTolvMaaneder", "ukjent")
        own: Row = {
            "startdato": "2016-01-09",
            "sluttdato": "2018-07-31",
            "antattOppholdsvarighet": kinds[n // 83 % 4],
            "antallTidligereOpphold": n % 4,
        }
        own |= {"fraflyttingsland": "SWE"} if n % 2 else {"fraflyttingskommunenummer": "5501"}
        return own

    def _vergemaal(self, person: Person) -> Row:
        n = person.index // 59
        kinds = (
            "ensligMindreaarigAsylsoeker", "ensligMindreaarigFlyktning", "voksen",
            "midlertidigForVoksen", "mindreaarig", "midlertidigForMindreaarig",
            "forvaltningUtenforVergemaal", "stadfestetFremtidsfullmakt",
        )  # fmt: skip
        scopes = (
            "utlendingssakerPersonligeOgOekonomiskeInteresser",
            "personligeOgOekonomiskeInteresser", "oekonomiskeInteresser", "personligeInteresser",
        )  # fmt: skip
        tasks = (
            "arv",
            "helse",
            "tvangsfullbyrdelseOgForliksraadet",
            "innkrevingOgTvangsfullbyrdelse",
        )
        guardian: Row = {
            "foedselsEllerDNummer": self._somebody(person).number,
            "omfangetErInnenPersonligOmraade": bool(n % 2),
            "tjenesteomraade": [
                {"vergeTjenesteoppgave": task, "vergeTjenestevirksomhet": firm}
                for task, firm in zip(tasks[: n % 4 + 1], VIRKSOMHETER, strict=False)
            ],
        }
        if n % 3 == 0:  # as before 2023-11
            guardian |= {"omfang": scopes[n % 4], "navn": self._rows.personnavn()}
            del guardian["tjenesteomraade"]
        if n % 3 == 1:
            guardian["navnFoedselsdato"] = self._rows.someone_with_states()
            del guardian["foedselsEllerDNummer"]
        return self._rows.row(date(2023, 12, 1), self._rows.vergemaal(kinds[n % 8], guardian))
