"""What views and derived tables must give, computed slowly and obviously from the entities' rows.

Rows are those of the tables, as dictionaries; persons are taken one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

Row = dict[str, Any]
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class People:
    """The rows of some tables by person, in the documents' order.

    Args:
        connection: to a release.
        tables: those that are read; one that isn't there has no rows.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
        there = {
            name for (name,) in connection.sql("SELECT view_name FROM duckdb_views()").fetchall()
        }
        self.numbers = [
            number
            for (number,) in connection.sql("SELECT personidentifikator FROM person").fetchall()
        ]
        self._rows: dict[str, dict[str, list[Row]]] = {}
        for table in tables:
            found = defaultdict(list)
            if table in there:
                read = connection.sql(f'FROM "{table}" ORDER BY personidentifikator, rad_nr')
                for row in read.to_arrow_table().to_pylist():
                    found[row["personidentifikator"]].append(row)
            self._rows[table] = found

    def rows(self, person: str, table: str) -> list[Row]:
        return self._rows[table][person]

    def current(self, person: str, table: str) -> list[Row]:
        """A person's current rows, the one that counts first."""
        rows = [row for row in self.rows(person, table) if _is_current(row)]
        return sorted(rows, key=_weight, reverse=True)


def _is_current(row: Row) -> bool:
    told = row.get("er_gjeldende")
    return row.get("opphoerstidspunkt") is None if told is None else told


def _weight(row: Row) -> tuple[Any, ...]:
    return (
        row.get("er_gjeldende") is True,
        row.get("gyldighetstidspunkt") or _LONG_AGO,
        row.get("ajourholdstidspunkt") or _LONG_AGO,
        -row["rad_nr"],
    )


NAA_TABLES = (
    "navn", "foedsel", "kjoenn", "status", "sivilstand", "statsborgerskap", "familierelasjon",
    "bostedsadresse", "adressebeskyttelse",
)  # fmt: skip


def person_naa(people: People, person: str, *, told: bool = True) -> Row:
    """A person's row of person_naa; told: whether the register was asked who is protected."""
    first = {table: next(iter(people.current(person, table)), {}) for table in NAA_TABLES}
    states: list[str] = []
    for row in sorted(people.current(person, "statsborgerskap"), key=lambda row: row["rad_nr"]):
        if row["statsborgerskap"] is not None and row["statsborgerskap"] not in states:
            states.append(row["statsborgerskap"])
    home = first["bostedsadresse"]
    protected = _protected(people, person, home, told)
    address = dict.fromkeys(ADDRESS) if protected is not False else _address(home)
    return {
        "personidentifikator": person,
        **{name: first["navn"].get(name) for name in ("fornavn", "mellomnavn", "etternavn")},
        **{name: first["foedsel"].get(name) for name in ("foedselsdato", "foedselsaar")},
        **{name: first[name].get(name) for name in ("kjoenn", "status", "sivilstand")},
        "statsborgerskap": states or None,
        **{role: _parent(people, person, role) for role in ("mor", "far", "medmor")},
        "kommunenummer": kommune(home),
        **address,
        "beskyttet": protected,
    }


def _parent(people: People, person: str, role: str) -> str | None:
    for row in people.current(person, "familierelasjon"):
        if row.get("relatert_persons_rolle") == role and row["relatert_person"] is not None:
            return str(row["relatert_person"])
    return None


def _protected(people: People, person: str, home: Row, told: bool) -> bool | None:
    graded = bool(home) and home.get("adressegradering") != "ugradert"
    if not told:
        return True if graded else None
    levels = [
        row["graderingsnivaa"]
        for row in people.rows(person, "adressebeskyttelse")
        if row.get("er_gjeldende") is not False
    ]
    return graded or any(level != "ugradert" for level in levels)


def kommune(row: Row) -> str | None:
    """The kommune of an address of whatever kind."""
    return (
        row.get("vegadresse_kommunenummer")
        or row.get("matrikkeladresse_matrikkelnummer_kommunenummer")
        or row.get("ukjent_bosted_bostedskommune")
        or None
    )


CIRCUITS = ("grunnkrets", "kirkekrets", "skolekrets", "stemmekrets")
ADDRESS = (
    *CIRCUITS, "bolig", "adresselinje", "adressenavn", "husnummer", "husbokstav", "postnummer",
    "poststed",
)  # fmt: skip


def _address(home: Row) -> Row:
    def of(name: str) -> Any:
        return home.get(name) or None

    def either(name: str) -> Any:
        return of(f"vegadresse_{name}") or of(f"matrikkeladresse_{name}")

    street, number = of("vegadresse_adressenavn"), of("vegadresse_adressenummer_husnummer")
    letter = of("vegadresse_adressenummer_husbokstav")
    house = None if number is None else number + (letter or "")
    plot = _plot(home)
    line = street if house is None or street is None else f"{street} {house}"
    key = of("adresse_identifikator_fra_matrikkelen")
    code = of("vegadresse_adressekode") or street
    if key is None and None not in (kommune(home), code, house):
        key = f"{kommune(home)}/{code}/{house}"
    if key is None and None not in (kommune(home), plot):
        key = f"{kommune(home)}-{plot}"
    if key is not None and either("bruksenhetsnummer"):
        key += "/" + either("bruksenhetsnummer")
    return {
        **{name: home.get(name) for name in CIRCUITS},
        "bolig": key,
        "adresselinje": line or of("matrikkeladresse_adressetilleggsnavn") or plot,
        "adressenavn": street,
        "husnummer": number,
        "husbokstav": letter,
        "postnummer": either("poststed_postnummer"),
        "poststed": either("poststed_poststedsnavn"),
    }


def _plot(home: Row) -> str | None:
    number = "matrikkeladresse_matrikkelnummer_"
    text = home.get(f"{number}gaardsnummer")
    if text is None:
        return None
    text = str(text)
    for separator, name in (
        ("/", f"{number}bruksnummer"),
        ("/", f"{number}festenummer"),
        ("-", "matrikkeladresse_undernummer"),
    ):
        if home.get(name) is not None:
            text += f"{separator}{home[name]}"
    return text


# -- views of people -------------------------------------------------------------------------------

OSLO = ZoneInfo("Europe/Oslo")
PEOPLE_TABLES = (*NAA_TABLES, "innflytting", "utflytting")


def began(row: Row) -> datetime:
    return row["gyldighetstidspunkt"] or _LONG_AGO


def day_of(row: Row) -> date:
    return began(row).astimezone(OSLO).date()


def _known(row: Row, known: date | None) -> bool:
    recorded = row["ajourholdstidspunkt"]
    return known is None or recorded is None or recorded.astimezone(OSLO).date() <= known


def at_day(rows: list[Row], day: date, known: date | None = None) -> Row | None:
    """The row that held when a day ended, as it is known, or was known when another one ended."""
    begun = [row for row in rows if _known(row, known)]
    begun = [row for row in begun if row["gyldighetstidspunkt"] is None or day_of(row) <= day]
    if known is None:
        begun = [row for row in begun if not _over(row, day)]
    return max(begun, key=_weight, default=None)


def _over(row: Row, day: date) -> bool:
    ended = row["opphoerstidspunkt"]
    if ended is None:
        return row["er_gjeldende"] is False
    return bool(ended.astimezone(OSLO).date() <= day)


def befolkning(people: People, day: date, known: date | None = None) -> dict[str, str | None]:
    """Where residents lived when a day ended, by number."""
    found = {}
    for person in people.numbers:
        home = at_day(people.rows(person, "bostedsadresse"), day, known)
        status = at_day(people.rows(person, "status"), day, known)
        if home is not None and status is not None and status["status"] == "bosatt":
            found[person] = kommune(home)
    return found


def alder(born: date, day: date) -> int:
    """Whole years; whoever is born on February 29th grows a year older on a February's last day."""
    try:
        birthday = born.replace(year=day.year)
    except ValueError:
        birthday = date(day.year, 2, 28)
    return day.year - born.year - (day < birthday)


def navn(people: People, day: date) -> list[Row]:
    """Names when a day ended."""
    told = (at_day(people.rows(person, "navn"), day) for person in people.numbers)
    return [row for row in told if row is not None]


def flytting(people: People) -> list[Row]:
    """Moves, person by person, from one thing that happened to the next."""
    return [move for person in people.numbers for move in _moves(people, person)]


def _moves(people: People, person: str) -> Iterator[Row]:
    happened = [("hjem", row) for row in people.rows(person, "bostedsadresse")]
    happened += [("ut", row) for row in people.rows(person, "utflytting")]
    # Of several that began at one moment the one that counts: later ones take its place.
    steps: dict[tuple[datetime, bool], tuple[str, Row]] = {}
    for what, row in sorted(happened, key=lambda one: _weight(one[1])):
        steps[began(row), what == "ut"] = (what, row)
    before: tuple[str, Row] | None = None
    for _, (what, row) in sorted(steps.items(), key=lambda one: one[0]):
        move = _move(people, person, before, (what, row))
        if move is not None:
            names = ("type", "fra_kommunenummer", "til_kommunenummer", "fra_land", "til_land")
            own = "utflyttingsdato" if what == "ut" else "flyttedato"
            moved = row[own] or day_of(row)
            yield {
                "personidentifikator": person,
                "dato": moved,
                **dict(zip(names, move, strict=True)),
            }
        before = (what, row)


def _move(
    people: People, person: str, before: tuple[str, Row] | None, now: tuple[str, Row]
) -> tuple[str | None, ...] | None:
    what, row = now
    was = None if before is None or before[0] == "ut" else before[1]
    if what == "ut":
        left = None if was is None else kommune(was)
        return "utvandring", left, None, None, row["tilflyttingsland"]
    if was is not None:
        if row["flyttedato"] is not None and row["flyttedato"] == was["flyttedato"]:
            return None  # the same home, told anew
        kind = "innenKommune" if kommune(was) == kommune(row) else "mellomKommuner"
        return kind, kommune(was), kommune(row), None, None
    last = max(day_of(row), row["flyttedato"] or day_of(row))
    came = [one for one in people.rows(person, "innflytting") if day_of(one) <= last]
    if before is None and not came:
        return None  # born here, or there before the register tells
    land = max(came, key=began)["fraflyttingsland"] if came else None
    return "innvandring", None, kommune(row), land, None


def familie(people: People, now: dict[str, str]) -> list[Row]:
    """Children with the current numbers of their parents; now: today's number by an earlier one."""
    found = []
    for person in people.numbers:
        parents = {role: _parent(people, person, role) for role in ("mor", "far", "medmor")}
        if any(parents.values()):
            told = {role: now.get(one, one) if one else None for role, one in parents.items()}
            found.append({"barn": person, **told})
    return found


def husstand(people: People) -> list[Row]:
    """Dwellings with the residents in them."""
    there = defaultdict(list)
    for row in (person_naa(people, person) for person in people.numbers):
        if row["bolig"] is not None and row["status"] == "bosatt":
            there[row["bolig"]].append(row)
    return [
        {
            "bolig": bolig,
            "kommunenummer": max((row["kommunenummer"] for row in rows), key=lambda one: one or ""),
            "antall": len(rows),
            "medlemmer": sorted(row["personidentifikator"] for row in rows),
        }
        for bolig, rows in there.items()
    ]
