"""uttrekk/tilpasset: criteria, evaluated on what each person's document in force says.

What a document says of a field is a code in a column, and few different things are said: a
criterion judges each of these once, whatever the number of persons.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from freg_pipeline.synthetic.columns import Column
from freg_pipeline.synthetic.living_people import Mask
from freg_pipeline.synthetic.people import UNDER_AKTIV

Check = tuple[str, Callable[[Any], bool]]  # a field of Selection, and whether a value of it fits

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
# bosted and opphold are the kommunenummer of these addresses; statsborgerskap is all of them.
_FIELDS = (
    "status", "bosted", "opphold", "foedselsaar", "doedsaar", "kjoenn", "sivilstand",
    "statsborgerskap",
)  # fmt: skip


class Selection:
    """What criteria look at: the current rows of each person's document, by registration."""

    def __init__(self) -> None:
        self._values: list[dict[Any, int]] = [{} for _ in _FIELDS]
        self._codes = array("H")

    def __len__(self) -> int:
        return len(self._codes) // len(_FIELDS)

    def add(self, document: dict[str, Any]) -> None:
        """Take in the document of one more registration."""
        self._codes.extend(self._coded(document))

    def put(self, index: int, document: dict[str, Any]) -> None:
        """Look at another document of a registration, known or the next."""
        if index == len(self):
            self.add(document)
            return
        start = index * len(_FIELDS)
        self._codes[start : start + len(_FIELDS)] = array("H", self._coded(document))

    def _coded(self, document: dict[str, Any]) -> list[int]:
        return [
            values.setdefault(value, len(values))
            for values, value in zip(self._values, _said(document), strict=True)
        ]

    def fitting(self, checks: Iterable[Check]) -> Mask:
        """By registration: whether it passes all checks."""
        rows = self.rows
        found = np.ones(len(rows), dtype=bool)
        for field, fits in checks:
            place = _FIELDS.index(field)
            judged = np.array([fits(value) for value in self._values[place]], dtype=bool)
            found &= judged[rows[:, place]]
        return found

    # -- kept apart and put together -------------------------------------------------------

    @property
    def rows(self) -> Column:
        """A row of codes a registration."""
        return np.array(self._codes, dtype=np.uint16).reshape(-1, len(_FIELDS))

    @property
    def values(self) -> list[list[Any]]:
        """What the codes stand for, by field."""
        return [list(values) for values in self._values]

    def extend(self, rows: Column, values: Sequence[Sequence[Any]]) -> None:
        """Take in what another one looks at, after what is here."""
        new = np.empty(rows.shape, dtype=np.uint16)
        for place, (known, said) in enumerate(zip(self._values, values, strict=True)):
            codes = [
                known.setdefault(tuple(value) if isinstance(value, list) else value, len(known))
                for value in said
            ]
            new[:, place] = np.array(codes, dtype=np.uint16)[rows[:, place]]
        self._codes.frombytes(new.tobytes())


def _said(document: dict[str, Any]) -> tuple[Any, ...]:
    """What a document says of each field."""
    death = document.get("doedsfall")
    return (
        _current(document, "status")["status"],
        _kommune(document, "bostedsadresse"),
        _kommune(document, "oppholdsadresse"),
        int(_current(document, "foedsel")["foedselsaar"]),
        int(death["doedsdato"][:4]) if death else None,
        _current(document, "kjoenn")["kjoenn"],
        _current(document, "sivilstand")["sivilstand"],
        tuple(
            row["statsborgerskap"]
            for row in document.get("statsborgerskap", ())
            if row["erGjeldende"]
        ),
    )


class CriteriaError(ValueError):
    """The criteria are wrong; the text is what the register answers."""


def criteria(body: Any, *, strict: bool = True) -> list[Check]:
    """Return the checks that a body of uttrekk/tilpasset asks for, all of which must pass.

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
    return checks


def _status(statuses: Any) -> Check:
    if not isinstance(statuses, list) or not statuses:
        raise CriteriaError("personstatustyper mangler")
    for status in statuses:
        if status not in _STATUSES:
            raise CriteriaError("Ugyldig personstatustype")
    wanted = set(statuses)
    if "aktiv" in wanted:
        wanted |= set(UNDER_AKTIV)
    return "status", lambda status: status in wanted


def _kommune_of(given: Any) -> Check:
    if not isinstance(given, dict):
        raise CriteriaError("Ugyldig kommunenummer")
    chosen = [(name, number) for name, number in given.items() if number is not None]
    if len(chosen) != 1:
        raise CriteriaError("Oppgi enten bostedskommunenummer eller oppholdskommunenummer")
    ((name, number),) = chosen
    fields = {"bostedskommunenummer": "bosted", "oppholdskommunenummer": "opphold"}
    if name not in fields or not isinstance(number, str) or not re.fullmatch("[0-9]{4}", number):
        raise CriteriaError("Ugyldig kommunenummer")
    return fields[name], lambda kommune: kommune == number


def _year(name: str, given: Any) -> Check:
    if isinstance(given, bool) or not re.fullmatch("[0-9]{4}", str(given)):
        raise CriteriaError(f"Ugyldig {name}")
    field, is_last = _YEARS[name]
    year = int(given)

    def fits(found: int | None) -> bool:
        return found is not None and (found <= year if is_last else found >= year)

    return field, fits


def _equal(name: str, given: Any, allowed: tuple[str, ...]) -> Check:
    if given not in allowed:
        raise CriteriaError(f"Ugyldig {name}")
    return name, lambda value: value == given


def _land(given: Any) -> Check:
    if not isinstance(given, str) or not re.fullmatch(r"[A-Z]{3}", given):
        raise CriteriaError("Ugyldig statsborgerskap")
    return "statsborgerskap", lambda states: given in states


def _current(document: dict[str, Any], entity: str) -> dict[str, Any]:
    for row in document[entity]:
        if row["erGjeldende"]:
            return row  # type: ignore[no-any-return]
    raise LookupError(entity)


def _kommune(document: dict[str, Any], entity: str) -> str | None:
    for row in document.get(entity, ()):
        if row["erGjeldende"]:
            found = _kommune_in(row)
            if found is not None:
                return found
    return None


def _kommune_in(row: dict[str, Any]) -> str | None:
    if "vegadresse" in row:
        return str(row["vegadresse"]["kommunenummer"])
    if "matrikkeladresse" in row:
        return str(row["matrikkeladresse"]["matrikkelnummer"]["kommunenummer"])
    return str(row["ukjentBosted"]["bostedskommune"]) if "ukjentBosted" in row else None
