"""What few persons have, given by their index so that all of it occurs in a thousand persons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from freg_pipeline.synthetic.documents.relations import somebody
from freg_pipeline.synthetic.people import Person
from freg_pipeline.synthetic.rows import Row, Rows
from freg_pipeline.synthetic.words import VIRKSOMHETER


class Rarities:
    """Writes the entities that few persons have."""

    def __init__(self, rows: Rows, people: Sequence[Person]) -> None:
        self._rows = rows
        self._people = people

    def of(self, person: Person) -> Iterator[tuple[str, Any]]:
        """Those that this person has."""
        n = person.index
        if n % 211 == 17:
            yield "falskIdentitet", self._falsk_identitet(person)
        if n % 67 == 21 and person.origin is None:
            kinds = ("harBibehold", "harIkkeLengerBibehold", "norskStatsborgerTrengerIkkeBibehold")
            since = person.some_day(2017)
            own: Row = {"bibeholdstatus": kinds[n // 67 % 3], "datoForBibehold": since.isoformat()}
            yield "bibehold", [self._rows.row(since, own)]
        if n % 71 == 12:
            languages = ("nordsamisk", "soersamisk", "lulesamisk")
            own = {"spraak": [languages[n // 71 % 3], *(languages[:1] if n // 71 % 3 else [])]}
            since = person.some_day(2021)
            yield "brukAvSamiskSpraak", [self._rows.row(since, own)]
            kinds = ("innmeldt", "utmeldt", "aldriInnmeldt")
            own = {"forhold": kinds[n // 71 % 3], "vedtaksdato": since.isoformat()}
            yield "forholdTilSametingetsValgmanntall", [self._rows.row(since, own)]
        if n % 83 == 33:
            since = person.some_day(2016)
            over = person.within(since + timedelta(days=300 + n % 600))
            yield "oppholdPaaSvalbard", [self._rows.row(since, self._svalbard(n, since, over))]
        if n % 59 == 8:
            yield "vergemaalEllerFremtidsfullmakt", [self._vergemaal(person)]
        if n % 97 == 8:
            kinds = ("personligOmraade", "oekonomiskOmraade", "personligOgOekonomiskOmraade")
            own = {"rettsligHandleevneomfang": kinds[n // 97 % 3]}
            yield "rettsligHandleevne", [self._rows.row(person.some_day(2023), own)]

    def _falsk_identitet(self, person: Person) -> Row:
        own: Row = {"erFalsk": True}
        kind = person.index // 211 % 3
        if kind == 0:
            own["rettIdentitetErUkjent"] = True
        elif kind == 1:
            own["rettIdentitetVedIdentifikasjonsnummer"] = somebody(self._people, person).number
        else:
            own["rettIdentitetVedOpplysninger"] = {
                "personnavn": self._rows.personnavn(),
                "foedselsdato": "1980-12-24",
                "kjoenn": "mann",
                "statsborgerskap": ["SWE", "FIN"],
            }
        return self._rows.row(person.some_day(2022), own)

    def _svalbard(self, n: int, since: date, until: date) -> Row:
        kinds = ("underSeksMaaneder", "overSeksMaaneder", "overTolvMaaneder", "ukjent")
        own: Row = {
            "startdato": since.isoformat(),
            "sluttdato": until.isoformat(),
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
            "foedselsEllerDNummer": somebody(self._people, person).number,
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
        own = self._rows.vergemaal(kinds[n % 8], guardian)
        return self._rows.row(person.some_day(2023), own)
