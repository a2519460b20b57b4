"""What the tables and views for convenience are made of, column by column.

Told are the columns whose values are taken over, or reckoned with. Not those that decide which row
of several counts (``er_gjeldende`` and the times), nor those that decide who is protected, of whom
no address is shown: they concern all columns alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from freg_pipeline.lake import naa
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.kommune import COLUMNS as KOMMUNE
from freg_pipeline.lake.owntable_naa import NAA_PROTECTED, PERSON_NAA
from freg_pipeline.lake.people_described import OVERVIEW, OVERVIEW_COLUMNS
from freg_pipeline.lake.protection import GRADE, HOME, LEVEL, PROTECTION
from freg_pipeline.lake.tables import PERSON, TIDLIGERE_IDENTIFIKATOR

Sources = tuple[tuple[str, str], ...]  # tables, each with a column of it
Lineage = Mapping[str, Sources]  # by the column that is made of them

_NAA, _PERSON = PERSON_NAA.name, "personidentifikator"
_MOVED = "gyldighetstidspunkt"


def _of(table: str, *columns: str) -> Sources:
    return tuple((table, column) for column in columns)


_STREET = _of(
    HOME,
    "vegadresse_adressenavn",
    "vegadresse_adressenummer_husnummer",
    "vegadresse_adressenummer_husbokstav",
)
_CADASTRE = _of(HOME, *naa.MATRIKKEL)


def _either(column: str) -> Sources:
    return _of(HOME, f"vegadresse_{column}", f"matrikkeladresse_{column}")


def _person_naa() -> Lineage:
    parent = _of("familierelasjon", "relatert_person", "relatert_persons_rolle")
    return {
        _PERSON: _of(PERSON.name, _PERSON),
        **{name: _of(table, name) for table, names in naa.PLAIN.items() for name in names},
        "statsborgerskap": _of("statsborgerskap", "statsborgerskap"),
        **dict.fromkeys(naa.PARENTS, parent),
        "kommunenummer": _of(HOME, *KOMMUNE),
        **{name: _of(HOME, name) for name in naa.CIRCUITS},
        "bolig": (
            *_of(HOME, naa.CADASTRE_KEY, *KOMMUNE, "vegadresse_adressekode"),
            *_STREET,
            *_CADASTRE,
            *_either("bruksenhetsnummer"),
        ),
        "adresselinje": (
            *_STREET,
            *_of(HOME, "matrikkeladresse_adressetilleggsnavn"),
            *_CADASTRE,
        ),
        "adressenavn": _STREET[:1],
        "husnummer": _STREET[1:2],
        "husbokstav": _STREET[2:],
        "postnummer": _either("poststed_postnummer"),
        "poststed": _either("poststed_poststedsnavn"),
        NAA_PROTECTED: (*_of(PROTECTION, LEVEL), *_of(HOME, GRADE)),
    }


def _familie() -> Lineage:
    numbers = _of(TIDLIGERE_IDENTIFIKATOR.name, "identifikator", _PERSON)
    return {
        "barn": _of(_NAA, _PERSON),
        **{parent: (*_of(_NAA, parent), *numbers) for parent in naa.PARENTS},
    }


def _flytting() -> Lineage:
    place, left = _of(HOME, "kommunenummer"), "utflytting"
    to, came_from = _of(left, "tilflyttingsland"), _of("innflytting", "fraflyttingsland")
    days = (*_of(HOME, "flyttedato", _MOVED), *_of(left, "utflyttingsdato", _MOVED))
    return {
        _PERSON: (*_of(HOME, _PERSON), *_of(left, _PERSON)),
        "dato": days,
        "type": (*place, *days),
        "fra_kommunenummer": place,
        "til_kommunenummer": place,
        "fra_land": came_from,
        "til_land": to,
    }


_LINEAGE: Mapping[str, Lineage] = {
    _NAA: _person_naa(),
    OVERVIEW: {name: _of(_NAA, name) for name in OVERVIEW_COLUMNS},
    "familie": _familie(),
    "husstand": {
        "bolig": _of(_NAA, "bolig"),
        "kommunenummer": _of(_NAA, "kommunenummer"),
        "antall": _of(_NAA, _PERSON),
        "medlemmer": _of(_NAA, _PERSON),
    },
    "flytting": _flytting(),
}
# What decides which rows there are, and is no source of a column.
_ALSO_READ: Mapping[str, tuple[str, ...]] = {"flytting": ("innflytting",)}


def lineage(tables: Iterable[Described]) -> dict[str, Lineage]:
    """What the columns of each table or view for convenience are made of.

    Args:
        tables: those of the contract and ours: what the contract lacks is no source.
    """
    there = {(table.name, name) for table in tables for name, _, _ in table.columns}
    return {
        name: {
            column: tuple(source for source in sources if source in there)
            for column, sources in columns.items()
        }
        for name, columns in _LINEAGE.items()
    }


def made_of(tables: Iterable[Described]) -> dict[str, frozenset[str]]:
    """The tables that each table or view for convenience is made of."""
    tables = [*tables]
    names = {table.name for table in tables}
    return {
        name: frozenset(table for sources in columns.values() for table, _ in sources)
        | names.intersection(_ALSO_READ.get(name, ()))
        for name, columns in lineage(tables).items()
    }
