"""What the register's reasons for having no document mean.

Published are "utgåtte identifikatorer eller identifikatorer som ikke finnes" (the API description,
bulkoppslag), "Ikke funnet", "Ukjent person" and "Ukjent dokumentid" (its 404s), and that documents
which have been history for 36 months are deleted. The wording is open, so that these are known by
their words, in Norwegian of both kinds and English. Whatever else is said, and whatever sounds like
a fault or like something else that was wrong with the question, is no word of a person being gone.
"""

from __future__ import annotations

import re

_FAULT = re.compile(
    r"teknisk|ukjent feil|uventa?et|uventa|intern feil|prøv igjen|prøv på nytt|senere|seinere|"
    r"midlertidig|utilgjengelig|tidsavbru|time.?out|exception|technical|try again|internal|"
    r"unavailable|unknown error|"
    r"\bpart\b|tilgang|rettighet|hjemmel|for mange|too many|forbidden|unauthori[sz]ed"
)
_GONE = re.compile(
    r"\b(fant|finner|finn|fann|fins|finnes|finst|eksisterer)\s+(ikke|ikkje|ingen|inga)\b|"
    r"\b(ikke|ikkje|ingen)\s+(\w+\s+){0,2}(funnet|funne|fins|finnes|finst|registrert|treff|lenger)\b|"
    r"\bukjent|\bukjend|slettet|sletta|utgått|opphørt|opphoert|36 m(åneder|nd)|\bborte\b|"
    r"\bugyldig\w*\s+\w*(identifikator|nummer|dokumentid|id)\b|"
    r"not found|unknown|deleted|expired|no longer|does not exist|no such"
)


def means_gone(reason: str) -> bool:
    """Whether a reason says that there is no such person or document (any more)."""
    text = " ".join(reason.casefold().split())
    return _GONE.search(text) is not None and _FAULT.search(text) is None
