"""Dataminimering: which entities and rows the ``part``s of a question give.

Source: the register's documentation of ``part``, for "offentlig med hjemmel".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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
        history: rows that are no longer current too.
        is_everything: nothing is left out of any document.
    """

    entities: frozenset[str]
    history: bool
    is_everything: bool

    def of(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document without what may not be given."""
        kept: dict[str, Any] = {}
        for entity, rows in document.items():
            if entity not in self.entities:
                continue
            if isinstance(rows, list):
                given: Any = [row for row in rows if self._may_give(row)]
            else:
                given = rows if self._may_give(rows) else None
            if given:
                kept[entity] = given
        return kept

    def _may_give(self, row: dict[str, Any]) -> bool:
        return self.history or row.get("erGjeldende", True)


def minimum(parts: Iterable[str], known: frozenset[str]) -> Minimum:
    """Read the ``part``s of a question.

    Args:
        parts: as asked; none means person-basis.
        known: every entity of the contract.

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
    history = "historikk" in asked
    return Minimum(frozenset(entities), history, history and entities >= known)
