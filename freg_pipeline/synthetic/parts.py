"""Dataminimering: which entities and rows the ``part``s of a question give.

Source: the register's documentation of ``part``. What a package may not see is left out, silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from freg_pipeline.synthetic.packages import Package

BASIS = frozenset(
    {
        "identifikasjonsnummer", "identitetsgrunnlag", "status", "doedsfall", "sivilstand",
        "foedsel", "statsborgerskap", "kjoenn", "navn", "bostedsadresse", "oppholdsadresse",
        "deltBosted", "postadresse", "postadresseIUtlandet", "adressebeskyttelse",
        "kontaktinformasjonForDoedsbo",
    }
)  # fmt: skip
COMPOSITES = {
    "person-basis": BASIS,
    "historikk": frozenset[str](),
    "identitetsgrunnlag-utvidet": frozenset(
        {"falskIdentitet", "legitimasjonsdokument", "utenlandskPersonidentifikasjon"}
    ),
    "relasjon-utvidet": frozenset(
        {"familierelasjon", "foreldreansvar", "vergemaalEllerFremtidsfullmakt"}
    ),
}
ALWAYS = frozenset({"identifikasjonsnummer"})


class PartError(ValueError):
    """A part that the register doesn't know."""


@dataclass(frozen=True)
class Minimum:
    """What may be given.

    Attributes:
        entities: by name.
        past: those of which rows that are no longer current are given too.
        is_everything: nothing is left out of any document.
    """

    entities: frozenset[str]
    past: frozenset[str]
    is_everything: bool

    def of(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document without what may not be given."""
        kept: dict[str, Any] = {}
        for entity, rows in document.items():
            if entity not in self.entities:
                continue
            if entity in self.past:
                kept[entity] = rows
                continue
            if isinstance(rows, list):
                given: Any = [row for row in rows if _is_current(row)]
            else:
                given = rows if _is_current(rows) else None
            if given:
                kept[entity] = given
        return kept


def _is_current(row: dict[str, Any]) -> bool:
    return bool(row.get("erGjeldende", True))


def minimum(parts: Iterable[str], known: frozenset[str], package: Package) -> Minimum:
    """Read the ``part``s of a question.

    Args:
        parts: as asked; none means person-basis.
        known: every entity of the contract.
        package: who asks.

    Raises:
        PartError: one is unknown.
    """
    asked = list(parts) or ["person-basis"]
    entities = set(ALWAYS)
    for part in asked:
        if part in COMPOSITES:
            entities |= COMPOSITES[part]
        elif part in known:
            entities.add(part)
        else:
            raise PartError("Ukjent part")
    if asked == ["historikk"]:
        entities |= BASIS
    entities -= package.unseen
    past = frozenset[str]()
    if "historikk" in asked:
        past = frozenset(entities if package.past is None else entities & package.past)
    return Minimum(frozenset(entities), past, past >= known)
