"""Dataminimering: which entities and rows the ``part``s of a question give.

Source: the register's documentation of ``part``. What a package may not see is left out, silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from freg_pipeline.synthetic.packages import NumbersGiven, Package
from freg_pipeline.synthetic.withheld import withhold
from freg_pipeline.synthetic.writing import ENTITIES, entities_of

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
NUMBER = "identifikasjonsnummer"
# The page on dataminimering spells it so, and a client in production sends it so.
_ALSO_SPELT = {"RettsligHandleevne": "rettsligHandleevne"}


class PartError(ValueError):
    """A part that the register doesn't know."""


@dataclass(frozen=True)
class Minimum:
    """What may be given.

    Attributes:
        entities: by name.
        past: those of which rows that are no longer current are given too.
        whole: those of which nothing is left out, as :func:`entities_of` tells them.
        package: who asks.
    """

    entities: frozenset[str]
    past: frozenset[str]
    whole: int
    package: Package

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
        return withhold(kept, self.package)


def _is_current(row: dict[str, Any]) -> bool:
    return bool(row.get("erGjeldende", True))


def minimum(
    parts: Iterable[str],
    known: frozenset[str],
    package: Package,
    refused: frozenset[str] = frozenset(),
) -> Minimum:
    """Read the ``part``s of a question.

    Args:
        parts: as asked; none means person-basis.
        known: every entity of the contract.
        package: who asks.
        refused: parts that the register doesn't take, whatever the contract says.

    Raises:
        PartError: one is unknown, or refused.
    """
    asked = list(parts) or ["person-basis"]
    if not refused.isdisjoint(asked):
        raise PartError("Ugyldig verdi for part")
    entities: set[str] = set()
    for part in asked:
        entities |= _entities_of(part, known)
    if asked == ["historikk"]:
        entities |= BASIS
    if package.numbers is NumbersGiven.ALWAYS:
        entities.add(NUMBER)
    elif package.numbers is NumbersGiven.NEVER or NUMBER not in asked:
        entities.discard(NUMBER)
    entities -= package.unseen
    past = frozenset[str]()
    if "historikk" in asked:
        past = frozenset(entities if package.past is None else entities & package.past)
    whole = past.intersection(ENTITIES) if package.has_hjemmel else ()
    return Minimum(frozenset(entities), past, entities_of(whole), package)


def not_held(parts: Iterable[str], known: frozenset[str], package: Package) -> bool:
    """Whether something is asked for by name that the package doesn't hold."""
    return any(_entities_of(part, known) & package.unseen for part in parts)


def _entities_of(part: str, known: frozenset[str]) -> frozenset[str]:
    if part in COMPOSITES:
        return COMPOSITES[part]
    entity = _ALSO_SPELT.get(part, part)
    if entity not in known:
        raise PartError("Ukjent part")
    return frozenset({entity})
