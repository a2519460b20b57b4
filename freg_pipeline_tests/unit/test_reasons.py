"""Which reasons for having no document mean that there is none."""

from __future__ import annotations

import pytest

from freg_pipeline.reasons import means_gone

GONE = [
    "Fant ikke personen", "Fant ikke dokumentet", "Finner ikkje person", "Ikke funnet.",
    "UKJENT PERSON.", "Ukjent  dokumentid.", "Dokumentet er slettet", "Personen finnes ikke",
    "Utgått identifikator", "Identifikatoren er utgått", "Personen er opphørt", "Ingen treff",
    "Dokument eldre enn 36 måneder", "Ugyldig personidentifikator", "Person not found", "slettet",
    "Personen finnes ikke lenger", "Ingen person funnet", "Unknown person",
]  # fmt: skip
NOT_GONE = [
    "Teknisk feil, prøv igjen senere", "Ukjent feil", "Uventet feil: fant ikke tjenesten", "",
    "uten forklaring", "Intern feil", "Tidsavbrudd", "Internal server error", "En feil oppsto",
    "Ukjent part: opphold", "Du har ikke lenger tilgang", "For mange spørsmål", "Nei", "FREG-7",
    "Tjenesten er midlertidig utilgjengelig, dokumentet ble ikke funnet",
]  # fmt: skip


@pytest.mark.parametrize("reason", GONE)
def test_the_person_or_document_is_not_there(reason: str) -> None:
    assert means_gone(reason)


@pytest.mark.parametrize("reason", NOT_GONE)
def test_what_says_something_else_or_sounds_like_a_fault_is_no_word_of_it(reason: str) -> None:
    assert not means_gone(reason)
