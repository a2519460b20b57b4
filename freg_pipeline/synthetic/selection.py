"""uttrekk/tilpasset: criteria, evaluated on what each person's document in force says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from freg_pipeline.synthetic.people import UNDER_AKTIV, Person

Check = Callable[["Selectable"], bool]

_STATUSES = ("aktiv", "bosatt", "utflyttet", "doed", "inaktiv")
_SIVILSTANDSTYPER = (
    "uoppgitt", "ugift", "gift", "enkeEllerEnkemann", "skilt", "separert", "registrertPartner",
    "separertPartner", "skiltPartner", "gjenlevendePartner",
)  # fmt: skip
_YEARS = {
    "foedselsaarFraOgMed": ("foedselsaar", False),
    "foedselsaarTilOgMed": ("foedselsaar", True),
    "doedsaarFraOgMed": ("doedsaar", False),
    "doedsaarTilOgMed": ("doedsaar", True),
}
_NAMES = {
    "personstatustyper", "kommunenummer", "kjoenn", "statsborgerskap", "sivilstandstype", *_YEARS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selectable:
    """What criteria look at: the current rows of one document.

    Attributes:
        numbers: the current number last.
        status: personstatus.
        bosted, opphold: kommunenummer of the addresses.
        foedselsaar, doedsaar: years.
        kjoenn, sivilstand: codes.
        statsborgerskap: states.
    """

    numbers: tuple[str, ...]
    status: str
    bosted: str | None
    opphold: str | None
    foedselsaar: int
    doedsaar: int | None
    kjoenn: str
    sivilstand: str
    statsborgerskap: tuple[str, ...]

    @classmethod
    def of(cls, person: Person, document: dict[str, Any]) -> Selectable | None:
        """What to look at; None for a registration that is no person any more."""
        if person.merged_into is not None:
            return None
        return cls(
            numbers=(*person.earlier, person.number),
            status=_current(document, "status")[0]["status"],
            bosted=_kommune(document, "bostedsadresse"),
            opphold=_kommune(document, "oppholdsadresse"),
            foedselsaar=int(_current(document, "foedsel")[0]["foedselsaar"]),
            doedsaar=_doedsaar(document),
            kjoenn=_current(document, "kjoenn")[0]["kjoenn"],
            sivilstand=_current(document, "sivilstand")[0]["sivilstand"],
            statsborgerskap=tuple(
                row["statsborgerskap"] for row in _current(document, "statsborgerskap")
            ),
        )


class CriteriaError(ValueError):
    """The criteria are wrong; the text is what the register answers."""


def criteria(body: Any, *, strict: bool = True) -> Check:
    """Return the test that a body of uttrekk/tilpasset asks for.

    A client in production sends null for every criterion that it doesn't set, and years as numbers.

    Args:
        body: as it came.
        strict: refuse criteria that no description names; else pass over them.

    Raises:
        CriteriaError: it is no such body.
    """
    if not isinstance(body, dict):
        raise CriteriaError("Kriteriene mangler")
    body = {name: given for name, given in body.items() if given is not None}
    unknown = set(body) - _NAMES
    if unknown and strict:
        raise CriteriaError(f"Ukjent kriterium: {min(unknown)}")
    checks = [_status(body.get("personstatustyper"))]
    if "kommunenummer" in body:
        checks.append(_kommune_of(body["kommunenummer"]))
    checks += [_year(name, body[name]) for name in _YEARS if name in body]
    if "kjoenn" in body:
        checks.append(_equal("kjoenn", body["kjoenn"], ("kvinne", "mann")))
    if "sivilstandstype" in body:
        checks.append(_equal("sivilstand", body["sivilstandstype"], _SIVILSTANDSTYPER))
    if "statsborgerskap" in body:
        checks.append(_land(body["statsborgerskap"]))
    return lambda person: all(check(person) for check in checks)


def _status(statuses: Any) -> Check:
    if not isinstance(statuses, list) or not statuses:
        raise CriteriaError("personstatustyper mangler")
    for status in statuses:
        if status not in _STATUSES:
            raise CriteriaError("Ugyldig personstatustype")
    wanted = set(statuses)
    if "aktiv" in wanted:
        wanted |= set(UNDER_AKTIV)
    return lambda person: person.status in wanted


def _kommune_of(given: Any) -> Check:
    if not isinstance(given, dict):
        raise CriteriaError("Ugyldig kommunenummer")
    chosen = [(name, number) for name, number in given.items() if number is not None]
    if len(chosen) != 1:
        raise CriteriaError("Oppgi enten bostedskommunenummer eller oppholdskommunenummer")
    ((name, number),) = chosen
    places: dict[str, Callable[[Selectable], str | None]] = {
        "bostedskommunenummer": lambda person: person.bosted,
        "oppholdskommunenummer": lambda person: person.opphold,
    }
    if name not in places or not isinstance(number, str) or not re.fullmatch("[0-9]{4}", number):
        raise CriteriaError("Ugyldig kommunenummer")
    return lambda person: places[name](person) == number


def _year(name: str, given: Any) -> Check:
    if isinstance(given, bool) or not re.fullmatch("[0-9]{4}", str(given)):
        raise CriteriaError(f"Ugyldig {name}")
    attribute, is_last = _YEARS[name]
    year = int(given)

    def check(person: Selectable) -> bool:
        found = person.foedselsaar if attribute == "foedselsaar" else person.doedsaar
        return found is not None and (found <= year if is_last else found >= year)

    return check


def _equal(name: str, given: Any, allowed: tuple[str, ...]) -> Check:
    if given not in allowed:
        raise CriteriaError(f"Ugyldig {name}")
    if name == "kjoenn":
        return lambda person: person.kjoenn == given
    return lambda person: person.sivilstand == given


def _land(given: Any) -> Check:
    if not isinstance(given, str) or not re.fullmatch(r"[A-Z]{3}", given):
        raise CriteriaError("Ugyldig statsborgerskap")
    return lambda person: given in person.statsborgerskap


def _current(document: dict[str, Any], entity: str) -> list[dict[str, Any]]:
    return [row for row in document.get(entity, []) if row["erGjeldende"]]


def _kommune(document: dict[str, Any], entity: str) -> str | None:
    for row in _current(document, entity):
        if "vegadresse" in row:
            return str(row["vegadresse"]["kommunenummer"])
        if "matrikkeladresse" in row:
            return str(row["matrikkeladresse"]["matrikkelnummer"]["kommunenummer"])
        if "ukjentBosted" in row:
            return str(row["ukjentBosted"]["bostedskommune"])
    return None


def _doedsaar(document: dict[str, Any]) -> int | None:
    death = document.get("doedsfall")
    return int(death["doedsdato"][:4]) if death else None
