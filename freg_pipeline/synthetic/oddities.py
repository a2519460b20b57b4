"""Documents as odd as real ones can be, and some that no contract allows."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def make_odd(document: Document, kinds: set[str]) -> None:
    """Change a document in place, as far as it holds what the kinds are about.

    A question's parts decide what that is.
    """
    if "ukjentfelt" in kinds:
        for row in _rows(document, "navn")[:1]:
            row["tilnavn"] = "GJENTAGENDE"
        document["nyOpplysning"] = [{"verdi": "NY"}]
    if "ukjentkode" in kinds:
        for row in _rows(document, "identitetsgrunnlag")[:1]:
            row["identitetsgrunnlagstatus"] = "unik"
    if "talltekst" in kinds:
        _exchange_numbers_and_text(document)
    if "malformed" in kinds:
        for row in _rows(document, "foedsel")[:1]:
            row["foedselsdato"] = "1999-13-45"
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
