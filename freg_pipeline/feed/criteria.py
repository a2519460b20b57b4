"""Whether a person belongs to a selection, by what the current rows of the document say.

Source: the register's documentation, uttrekk/tilpasset. The register selects by its own copy of the
same rows; a criterion that isn't known here fits nobody, so that nobody enters a release by guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from freg_pipeline.criteria.tilpasset import UNDER_AKTIV, TilpassetKriterier

Document = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class _Rule:
    """How a criterion is judged.

    Attributes:
        entity: whose current rows tell.
        holds: whether a row of it does, given what is wanted.
    """

    entity: str
    holds: Callable[[Row, Any], bool]


def fits(document: Document, kriterier: TilpassetKriterier) -> bool:
    """Whether a document fits the criteria of a tilpasset uttrekk: one row at least for each."""
    return all(
        name in RULES and _is_met(document, RULES[name], wanted)
        for name, wanted in _given(kriterier).items()
    )


def entities_of(kriterier: TilpassetKriterier) -> tuple[str, ...]:
    """The entities that tell whether a document fits: nothing else of it has to be asked for."""
    return tuple(dict.fromkeys(RULES[name].entity for name in _given(kriterier) if name in RULES))


def _given(kriterier: TilpassetKriterier) -> dict[str, Any]:
    fields = msgspec.structs.asdict(kriterier)
    return {name: value for name, value in fields.items() if value is not None}


def _is_met(document: Document, rule: _Rule, wanted: Any) -> bool:
    return any(rule.holds(row, wanted) for row in _current(document, rule.entity))


def _status(row: Row, wanted: tuple[str, ...]) -> bool:
    return row.get("status") in (*wanted, *(UNDER_AKTIV if "aktiv" in wanted else ()))


def _kommune(row: Row, wanted: str) -> bool:
    places = (
        ("vegadresse", "kommunenummer"),
        ("matrikkeladresse", "matrikkelnummer", "kommunenummer"),
        ("ukjentBosted", "bostedskommune"),
    )
    found = (_inside(row, place) for place in places)
    return wanted in {str(number) for number in found if number is not None}


def _inside(row: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _year(row: Row, year: str, date: str) -> int | None:
    told = str(row.get(year) or row.get(date) or "")[:4]
    return int(told) if told.isdigit() else None


def _from(year: str, date: str) -> Callable[[Row, str], bool]:
    def holds(row: Row, wanted: str) -> bool:
        told = _year(row, year, date)
        return told is not None and told >= int(wanted)

    return holds


def _until(year: str, date: str) -> Callable[[Row, str], bool]:
    def holds(row: Row, wanted: str) -> bool:
        told = _year(row, year, date)
        return told is not None and told <= int(wanted)

    return holds


def _code(entity: str) -> _Rule:
    return _Rule(entity, lambda row, wanted: row.get(entity) == wanted)


RULES = {  # by the criterion's name; a test holds them against TilpassetKriterier
    "personstatustyper": _Rule("status", _status),
    "bostedskommunenummer": _Rule("bostedsadresse", _kommune),
    "oppholdskommunenummer": _Rule("oppholdsadresse", _kommune),
    "foedselsaar_fra_og_med": _Rule("foedsel", _from("foedselsaar", "foedselsdato")),
    "foedselsaar_til_og_med": _Rule("foedsel", _until("foedselsaar", "foedselsdato")),
    "doedsaar_fra_og_med": _Rule("doedsfall", _from("doedsaar", "doedsdato")),
    "doedsaar_til_og_med": _Rule("doedsfall", _until("doedsaar", "doedsdato")),
    "kjoenn": _code("kjoenn"),
    "statsborgerskap": _code("statsborgerskap"),
    "sivilstandstype": _code("sivilstand"),
}


def _current(document: Document, entity: str) -> Iterator[Row]:
    """An entity's current rows; a single one may stand without its list."""
    rows = document.get(entity)
    for row in [rows] if isinstance(rows, dict) else rows or ():
        if isinstance(row, dict) and row.get("erGjeldende") not in {False, "false"}:
            yield row
