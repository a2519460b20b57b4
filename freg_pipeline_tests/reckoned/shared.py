"""What several questions need, of the register's documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from freg_pipeline_tests.living import Living, Row, moment

Rows = list[tuple[Any, ...]]
Answer = Callable[[Living], Rows]
ANSWERS: dict[str, Answer] = {}

OPEN = "ugradert"


def answers(title: str) -> Callable[[Answer], Answer]:
    """Says which question a function answers."""

    def note(answer: Answer) -> Answer:
        assert title not in ANSWERS
        ANSWERS[title] = answer
        return answer

    return note


def kommune(address: Row | None) -> str | None:
    """The kommune of an address of whichever kind."""
    if address is None:
        return None
    vegadresse, matrikkel = address.get("vegadresse", {}), address.get("matrikkeladresse", {})
    found: str | None = (
        vegadresse.get("kommunenummer")
        or matrikkel.get("matrikkelnummer", {}).get("kommunenummer")
        or address.get("ukjentBosted", {}).get("bostedskommune")
    )
    return found


def homes(lived: Living) -> dict[str, Row]:
    """The current address of everyone who has one."""
    return dict(lived.current("bostedsadresse"))


def residents(lived: Living) -> set[str]:
    """Those who live in Norway."""
    return {
        number for number, status in lived.one("status", "status").items() if status == "bosatt"
    }


def protected(lived: Living) -> set[str]:
    """Those whose home isn't to be seen."""
    levels = (
        number
        for number, row in lived.current("adressebeskyttelse")
        if row["graderingsnivaa"] != OPEN
    )
    return {
        *levels,
        *(n for n, row in homes(lived).items() if row.get("adressegradering") != OPEN),
    }


def born(lived: Living) -> dict[str, date]:
    """The birth date of everyone of whom it is known."""
    told = lived.one("foedsel", "foedselsdato")
    return {number: date.fromisoformat(day) for number, day in told.items() if day}


def years(since: date, until: date) -> int:
    """Whole years between two dates."""
    return until.year - since.year - ((until.month, until.day) < (since.month, since.day))


def local(row: Row, name: str = "gyldighetstidspunkt") -> date:
    """The Norwegian date of a time."""
    return moment(row, name).astimezone(ZoneInfo("Europe/Oslo")).date()


def counted(values: Iterable[Any]) -> Rows:
    """How often there is each; a tuple is several columns."""
    counts = Counter(value if isinstance(value, tuple) else (value,) for value in values)
    return [(*value, count) for value, count in counts.items()]


def parents(lived: Living, role: str) -> dict[str, str]:
    """Everyone's mother or father, by the parent's number of today."""
    told = (
        (number, row.get("relatertPerson"))
        for number, row in lived.current("familierelasjon")
        if row["relatertPersonsRolle"] == role
    )
    return {child: lived.numbers[parent] for child, parent in told if parent}


def text_of(texts: dict[str, str], code: str | None) -> str | None:
    """A code's text, if there is one."""
    return texts.get(code) if code else None


SIVILSTAND = {
    "uoppgitt": "Ikke oppgitt.", "ugift": "Har aldri vært gift eller partner.", "gift": "Gift.",
    "enkeEllerEnkemann": "Enke eller enkemann.", "skilt": "Skilt.", "separert": "Separert.",
    "registrertPartner": "Registrert partner.", "separertPartner": "Separert partner.",
    "skiltPartner": "Skilt partner.", "gjenlevendePartner": "Gjenlevende partner.",
}  # fmt: skip
VERGEMAAL = {
    "ensligMindreaarigAsylsoeker": "Enslig mindreårig asylsøker.",
    "ensligMindreaarigFlyktning": "Enslig mindreårig flyktning.",
    "voksen": "Voksen.", "midlertidigForVoksen": "Midlertidig for voksen.",
    "mindreaarig": "Mindreårig.", "midlertidigForMindreaarig": "Midlertidig for mindreårig.",
    "forvaltningUtenforVergemaal": "Forvaltning utenfor vergemål.",
    "stadfestetFremtidsfullmakt": "Stadfestet fremtidsfullmakt.",
}  # fmt: skip
