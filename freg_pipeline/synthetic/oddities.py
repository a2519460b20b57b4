"""Documents as odd as real ones can be, and some that no contract allows."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
_IN_THE_FIRST_ROW = {
    "ukjentfelt": ("navn", "tilnavn", "GJENTAGENDE"),
    "ukjentkode": ("identitetsgrunnlag", "identitetsgrunnlagstatus", "unik"),
    "malformed": ("foedsel", "foedselsdato", "1999-13-45"),
}


def make_odd(document: Document, kinds: set[str]) -> None:
    """Change a document in place, as far as it holds what the kinds are about.

    A question's parts decide what that is.
    """
    for kind, (entity, field, value) in _IN_THE_FIRST_ROW.items():
        if kind in kinds:
            for row in _rows(document, entity)[:1]:
                row[field] = value
    if "ukjentfelt" in kinds:
        document["nyOpplysning"] = [{"verdi": "NY"}]
    if "talltekst" in kinds:
        _exchange_numbers_and_text(document)
    if "enkeltobjekt" in kinds:
        for entity in ("navn", "kjoenn", "bostedsadresse"):
            rows = _rows(document, entity)
            if len(rows) == 1:
                document[entity] = rows[0]


def _rows(document: Document, entity: str) -> list[Document]:
    rows: list[Document] = document.get(entity, [])
    return rows


def _exchange_numbers_and_text(document: Document) -> None:
    for row in _rows(document, "bostedsadresse"):
        if "grunnkrets" in row:
            row["grunnkrets"] = str(row["grunnkrets"])
        street = row.get("vegadresse", {}).get("adressenummer", {})
        if "husnummer" in street:
            street["husnummer"] = int(street["husnummer"])
    for row in _rows(document, "identitetsgrunnlag"):
        row["erGjeldende"] = str(row["erGjeldende"]).lower()
