"""Documents as odd as real ones can be, and some that no contract allows."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def make_odd(document: Document, kinds: set[str]) -> None:
    """Change a document in place."""
    if "ukjentfelt" in kinds:
        document["navn"][0]["tilnavn"] = "GJENTAGENDE"
        document["nyOpplysning"] = [{"verdi": "NY"}]
    if "ukjentkode" in kinds:
        document["identitetsgrunnlag"][0]["identitetsgrunnlagstatus"] = "unik"
    if "enkeltobjekt" in kinds:
        for entity in ("navn", "kjoenn", "bostedsadresse"):
            rows = document.get(entity)
            if isinstance(rows, list) and len(rows) == 1:
                document[entity] = rows[0]
    if "talltekst" in kinds:
        _exchange_numbers_and_text(document)
    if "malformed" in kinds:
        document["foedsel"][0]["foedselsdato"] = "1999-13-45"


def _exchange_numbers_and_text(document: Document) -> None:
    for row in document.get("bostedsadresse", []):
        if "grunnkrets" in row:
            row["grunnkrets"] = str(row["grunnkrets"])
        street = row.get("vegadresse", {}).get("adressenummer", {})
        if "husnummer" in street:
            street["husnummer"] = int(street["husnummer"])
    for row in document["identitetsgrunnlag"]:
        row["erGjeldende"] = str(row["erGjeldende"]).lower()
