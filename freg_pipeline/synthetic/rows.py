"""The pieces that documents are made of: metadata, times, names, addresses.

Everything is drawn from a seeded generator, and varies as real documents do: times with and without
fractions of up to nine digits, empty elements, optional fields that are left out.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

from freg_pipeline.synthetic.people import Home
from freg_pipeline.synthetic.words import (
    ADJECTIVES,
    ALPHA_2,
    EMBETER,
    FARMS,
    KOMMUNER,
    NOUNS,
    ON_FORUS,
    STREETS,
)

Row = dict[str, Any]

SOURCES = ("KILDE_DSF", "Skatteetaten", "Digdir", "Statsforvalteren", "Domstolene", "NAV", "")
REASONS = ("Flytting", "Melding", "Patch", "Vedtak", "Retting", "Konvertering", "")
_TIMES = 997  # of a day: so many different ones there are
_SOON = 4  # within so many days what has happened is recorded
BRUKSENHETSTYPER = ("bolig", "bolig", "bolig", "annetEnnBolig", "fritidsbolig",
                    "ikkeGodkjentBolig", "unummerertBruksenhet")  # fmt: skip


class Times(NamedTuple):
    """Times of day that rows are given.

    Attributes:
        clock: all there are.
        validity: the moment of a day at which one row ends and the next begins.
    """

    clock: list[str]
    validity: dict[date, str]


class Rows:
    """Makes rows and their parts.

    Args:
        random: what they are drawn from.
        like: other rows, which these agree with on the times of days.
    """

    def __init__(self, random: Random, like: Times | None = None) -> None:
        self.random = random
        self._draw = random.random
        if like is None:
            like = Times([f"{self._time()}+02:00" for _ in range(_TIMES)], {})
        self.times = like
        self._clock, self._validity = like
        self._days: dict[date, tuple[str, ...]] = {}

    def _time(self) -> str:
        hour, minute, second = (self.random.randrange(n) for n in (24, 60, 60))
        digits = self.random.choice((0, 0, 3, 6, 9))
        fraction = f".{self.random.randrange(10**digits):0{digits}d}" if digits else ""
        return f"T{hour:02d}:{minute:02d}:{second:02d}{fraction}"

    def chance(self, share: float) -> bool:
        """True in so large a share of the calls."""
        return self._draw() < share

    def pick(self, choices: Any) -> Any:
        """One of the choices."""
        return choices[int(self._draw() * len(choices))]

    def stamp(self, day: date) -> str:
        """A moment of that day; the register's answers carry +02:00 in winter, too."""
        return day.isoformat() + self._clock[int(self._draw() * _TIMES)]

    def validity(self, day: date) -> str:
        """The moment of that day at which one row ends and the next begins: the same for both."""
        moment = self._validity.get(day)
        if moment is None:
            moment = self._validity[day] = self.stamp(day)
        return moment

    def row(self, since: date, own: Row, *, until: date | None = None) -> Row:
        """A row of an entity: the register's metadata, and its own fields."""
        draw = self._draw
        recorded = (self._days.get(since) or self._from(since))[int(draw() * _SOON)]
        recorded += self._clock[int(draw() * _TIMES)]
        share = draw()
        if until is None and 0.1 < share < 0.95:  # most rows are such, and made at once
            return {
                "ajourholdstidspunkt": recorded,
                "erGjeldende": True,
                "kilde": SOURCES[int(share * 7)],
                "aarsak": REASONS[int(share * 100) % 7],
                "gyldighetstidspunkt": self._validity.get(since) or self.validity(since),
                **own,
            }
        row: Row = {"ajourholdstidspunkt": recorded, "erGjeldende": until is None}
        if share < 0.95:
            row["kilde"] = SOURCES[int(share * 7)]
        if share > 0.1:
            row["aarsak"] = REASONS[int(share * 100) % 7]
        row["gyldighetstidspunkt"] = self._validity.get(since) or self.validity(since)
        if until is not None:
            row["opphoerstidspunkt"] = self.validity(until)
        row.update(own)
        return row

    def _from(self, day: date) -> tuple[str, ...]:
        """That day and those soon after it, as they are written."""
        days = self._days[day] = tuple(
            (day + timedelta(days=more)).isoformat() for more in range(_SOON)
        )
        return days

    # -- names -----------------------------------------------------------------------------

    def personnavn(self) -> Row:
        """Someone's name."""
        name: Row = {"fornavn": self.pick(ADJECTIVES), "etternavn": self.pick(NOUNS)}
        if self.chance(0.3):
            name["mellomnavn"] = self.pick(NOUNS)
        return name

    def someone(self) -> Row:
        """A related person without a number, described in place."""
        return {
            "navn": self.personnavn(),
            "foedselsdato": f"19{self.random.randrange(40, 99)}-0{self.random.randrange(1, 10)}-17",
            "kjoenn": self.pick(("kvinne", "mann")),
            "statsborgerskap": self.pick(("SWE", "SOM", "POL")),
        }

    def someone_with_states(self) -> Row:
        """A guardian without a number, in the form of real answers since 2023-11."""
        return {
            "personnavn": self.personnavn(),
            "foedselsdato": f"19{self.random.randrange(40, 99)}-0{self.random.randrange(1, 10)}-17",
            "statsborgerskap": ["SWE", "SOM"][: 1 + self.chance(0.3)],
        }

    def vergemaal(self, kind: str, verge: Row) -> Row:
        """A guardianship and the office that supervises it."""
        return {"vergemaaltype": kind, "embete": self.pick(EMBETER), "verge": verge}

    def landkode(self, land: str) -> str:
        """A state as addresses abroad have it: in three letters or, as often, in two."""
        return ALPHA_2[land] if self.chance(0.5) else land

    # -- addresses -------------------------------------------------------------------------

    def home(self, home: Home) -> Row:
        """A home as bostedsadresse and deltBosted hold it; the same for all who live there."""
        key = f"{home.number:08d}"
        if home.kind == "ukjentBosted":
            return {"ukjentBosted": {"bostedskommune": home.kommune.number}}
        matrikkel = {"adresseIdentifikatorFraMatrikkelen": f"15{key}"}
        if home.number % 19 == 3:
            matrikkel = {"naerAdresseIdentifikatorFraMatrikkelen": f"16{key}"}
        if home.kind == "matrikkeladresse":
            return {**matrikkel, "matrikkeladresse": self.matrikkeladresse(home)}
        return {**matrikkel, "vegadresse": self.vegadresse(home)}

    def vegadresse(self, home: Home, *, for_post: bool = False) -> Row:
        """An address by street and number."""
        n = home.number
        number: Row = {"husnummer": str(n % 97 + 1)}
        if n % 5 == 0:
            number["husbokstav"] = "ABCD"[n % 4]
        address: Row = {
            "adressekode": f"{n % 20_000:05d}",
            "adressenavn": STREETS[n % len(STREETS)],
            "adressenummer": number,
            "bruksenhetsnummer": f"H0{n % 6 + 1}0{n % 4 + 1}",
            "poststed": _poststed(home),
        }
        if not for_post:
            address["kommunenummer"] = home.kommune.number
            address["bruksenhetstype"] = BRUKSENHETSTYPER[n % 7]
        if n % 23 == 1:
            address["adressetilleggsnavn"] = FARMS[n % len(FARMS)]
        if n % 29 == 2:
            address["coAdressenavn"] = f"{NOUNS[n % 50]} {ADJECTIVES[n % 49]}"
        return address

    def matrikkeladresse(self, home: Home) -> Row:
        """An address by gaard, bruk and feste."""
        n = home.number
        address: Row = {
            "matrikkelnummer": {
                "kommunenummer": home.kommune.number,
                "gaardsnummer": n % 230 + 1,
                "bruksnummer": n % 71 + 1,
                **({"festenummer": n % 9 + 1} if n % 3 == 0 else {}),
            },
            "poststed": _poststed(home),
        }
        if n % 2:
            address["bruksenhetsnummer"] = f"H010{n % 4 + 1}"
            address["bruksenhetstype"] = BRUKSENHETSTYPER[n % 7]
            address["adressetilleggsnavn"] = FARMS[n % len(FARMS)]
        if n % 4 == 0:
            address["undernummer"] = n % 5 + 1
            address["coAdressenavn"] = f"{NOUNS[n % 50]} {ADJECTIVES[n % 49]}"
        return address

    def abroad(self, origin: tuple[str, str]) -> Row:
        """An address abroad in its parts."""
        n = self.random.randrange(1_000)
        address: Row = {"landkode": self.landkode(origin[0]), "byEllerStedsnavn": origin[1]}
        optional = {
            "adressenavn": f"Main Street {n}",
            "boenhet": f"Flat {n % 40}",
            "bygning": f"Block {'ABC'[n % 3]}",
            "coAdressenavn": f"{self.pick(NOUNS)} {self.pick(ADJECTIVES)}",
            "distriktsnavn": "North",
            "etasjenummer": str(n % 9),
            "postboks": f"PO Box {n}",
            "postkode": f"{n:05d}",
            "region": "Region 4",
        }
        address.update({name: text for name, text in optional.items() if self.chance(0.5)})
        return address

    def lines_abroad(self, origin: tuple[str, str]) -> Row:
        """An address abroad in lines."""
        n = self.random.randrange(1_000)
        lines = [f"{n} Hill Road", f"{origin[1]} {n:04d}", "3rd floor"][: n % 3 + 1]
        return {
            "adresselinje": lines,
            "byEllerStedsnavn": origin[1],
            "landkode": self.landkode(origin[0]),
            "postkode": f"{n:04d}",
        }

    def post_in_norway(self, home: Home) -> Row:
        """A postadresse: one of three kinds."""
        kind = home.number % 3
        if kind == 0:
            lines = [f"Postuttak {home.number % 50}", "v/ naboen"][: home.number % 2 + 1]
            own: Row = {"adresselinje": lines, "poststed": _poststed(home)}
            return {"postadresseIFrittFormat": own}
        if kind == 1:
            box = {"postboks": f"Postboks {home.number % 900 + 1}", "poststed": _poststed(home)}
            if home.number % 2:
                box["postbokseier"] = f"{NOUNS[home.number % 50]} AS"
            return {"postboksadresse": box}
        own = {"adresseIdentifikatorFraMatrikkelen": f"15{home.number:08d}"}
        return {**own, "vegadresse": self.vegadresse(home, for_post=True)}

    def some_home(self) -> Home:
        """A place that nobody in the population lives at."""
        return Home(self.pick(KOMMUNER), "vegadresse", self.random.randrange(10**7, 10**8))


def _poststed(home: Home) -> Row:
    quarter = home.number // len(STREETS)
    if home.kommune.number in ON_FORUS and quarter % 9 == 0:
        return {"postnummer": "4033", "poststedsnavn": "STAVANGER"}
    of_kommune = home.kommune.postnummer
    postnummer = of_kommune[quarter % len(of_kommune)]
    return {"postnummer": postnummer, "poststedsnavn": home.kommune.poststed}
