"""What of an entity a package may not see, although it sees the entity.

Sources: the register's pages on what is secret (taushetsbelagte opplysninger), and its news of
2022-01-11 about kontaktinformasjonForDoedsbo.
"""

from __future__ import annotations

from typing import Any

from freg_pipeline.synthetic.packages import NumbersGiven, Package
from freg_pipeline.synthetic.people import UNDER_AKTIV


def withhold(document: dict[str, Any], package: Package) -> dict[str, Any]:
    """The document as the package sees it; the one given stays as it is."""
    seen = dict(document)
    if not package.has_hjemmel and "status" in seen:
        seen["status"] = [_without_secret_status(row) for row in seen["status"]]
    if package.numbers is NumbersGiven.NEVER:
        for entity, path in _NUMBERS.items():
            if entity in seen:
                seen[entity] = [_without(row, path) for row in seen[entity]]
    return seen


_NUMBERS = {
    "kontaktinformasjonForDoedsbo": ("person", "foedselsEllerDNummer"),
    "sivilstand": ("relatertVedSivilstand",),
    "vergemaalEllerFremtidsfullmakt": ("verge", "foedselsEllerDNummer"),
}


def _without_secret_status(row: dict[str, Any]) -> dict[str, Any]:
    """What uttrekk/tilpasset finds under aktiv is told as aktiv."""
    return row | {"status": "aktiv"} if row["status"] in UNDER_AKTIV else row


def _without(row: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    name, *further = path
    if name not in row:
        return row
    if not further:
        return {field: value for field, value in row.items() if field != name}
    return row | {name: _without(row[name], tuple(further))}
