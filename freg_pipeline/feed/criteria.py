"""Whether a person belongs to a selection, by what the current rows of the document say.

Source: the register's documentation, uttrekk/tilpasset. The register selects by its own copy of the
same rows; a criterion that isn't known here fits nobody, so that nobody enters a release by guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from freg_pipeline.criteria.tilpasset import UNDER_AKTIV

Document = dict[str, Any]


def fits(document: Document, kriterier: dict[str, Any]) -> bool:
    """Whether a document fits the criteria of a tilpasset uttrekk, in the register's own form."""
    return all(
        name in _CRITERIA and _CRITERIA[name](document, value) for name, value in kriterier.items()
    )


def entities_of(kriterier: dict[str, Any]) -> tuple[str, ...]:
    """The entities that tell whether a document fits: nothing else of it has to be asked for."""
    places = kriterier.get("kommunenummer")
    names = [*kriterier, *(places if isinstance(places, dict) else ())]
    found = (_ENTITIES.get(name) or _PLACES.get(name) for name in names)
    return tuple(dict.fromkeys(entity for entity in found if entity is not None))


def _status(document: Document, wanted: list[str]) -> bool:
    allowed = {*wanted, *(UNDER_AKTIV if "aktiv" in wanted else ())}
    return any(row.get("status") in allowed for row in _current(document, "status"))


def _kommune(document: Document, wanted: dict[str, str]) -> bool:
    return all(
        name in _PLACES and number in _kommuner(document, _PLACES[name])
        for name, number in wanted.items()
    )


def _kommuner(document: Document, entity: str) -> set[str]:
    places = (
        ("vegadresse", "kommunenummer"),
        ("matrikkeladresse", "matrikkelnummer", "kommunenummer"),
        ("ukjentBosted", "bostedskommune"),
    )
    found = (_inside(row, place) for row in _current(document, entity) for place in places)
    return {str(number) for number in found if number is not None}


def _inside(row: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _years(document: Document, entity: str, year: str, date: str) -> list[int]:
    told = (str(row.get(year) or row.get(date) or "")[:4] for row in _current(document, entity))
    return [int(text) for text in told if text.isdigit()]


def _foedt(document: Document) -> list[int]:
    return _years(document, "foedsel", "foedselsaar", "foedselsdato")


def _doed(document: Document) -> list[int]:
    return _years(document, "doedsfall", "doedsaar", "doedsdato")


def _code(entity: str) -> Callable[[Document, str], bool]:
    return lambda document, wanted: any(
        row.get(entity) == wanted for row in _current(document, entity)
    )


# What each criterion looks at; that of kommunenummer, by the name within it.
_PLACES = {"bostedskommunenummer": "bostedsadresse", "oppholdskommunenummer": "oppholdsadresse"}
_ENTITIES = {
    "personstatustyper": "status",
    "foedselsaarFraOgMed": "foedsel",
    "foedselsaarTilOgMed": "foedsel",
    "doedsaarFraOgMed": "doedsfall",
    "doedsaarTilOgMed": "doedsfall",
    "kjoenn": "kjoenn",
    "statsborgerskap": "statsborgerskap",
    "sivilstandstype": "sivilstand",
}
_CRITERIA: dict[str, Callable[[Document, Any], bool]] = {
    "personstatustyper": _status,
    "kommunenummer": _kommune,
    "foedselsaarFraOgMed": lambda document, year: any(y >= int(year) for y in _foedt(document)),
    "foedselsaarTilOgMed": lambda document, year: any(y <= int(year) for y in _foedt(document)),
    "doedsaarFraOgMed": lambda document, year: any(y >= int(year) for y in _doed(document)),
    "doedsaarTilOgMed": lambda document, year: any(y <= int(year) for y in _doed(document)),
    "kjoenn": _code("kjoenn"),
    "statsborgerskap": _code("statsborgerskap"),
    "sivilstandstype": _code("sivilstand"),
}


def _current(document: Document, entity: str) -> Iterator[Document]:
    """An entity's current rows; a single one may stand without its list."""
    rows = document.get(entity)
    for row in [rows] if isinstance(rows, dict) else rows or ():
        if isinstance(row, dict) and row.get("erGjeldende") not in {False, "false"}:
            yield row
