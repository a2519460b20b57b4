"""The criteria of personer/entydigsoek, checked before anything is sent.

Source: the register's documentation, entydigsoek, and its published description (1.5). The first
takes postnummer beside a name, the second only together with adressenavn; the second also takes a
date of birth without a name. What either of them allows is sent: the register has the last word.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from freg_pipeline.criteria.rules import check_common, given, query
from freg_pipeline.errors import ConfigurationError, RefusedError
from freg_pipeline.identifiers import parse

NAMES_NEEDED = 2  # first and last

# Criteria that only some packages may use.
LIMITED_CRITERIA = {
    "utenlandskpersonidentifikasjon": ("offentlig-med-hjemmel", "utsteder-eid"),
    "legitimasjonsdokument": ("offentlig-med-hjemmel", "utsteder-eid"),
    "utlendingsmyndighetenesidentifikasjonsnummer": ("offentlig-med-hjemmel",),
}

_FOREIGN = ("utenlandskpersonidentifikasjon", "legitimasjonsdokument")
_DOCUMENT = re.compile(r"[A-Z]{3}-\S.*")
# What tells one of those who bear a name from the others, alone or with its fellow.
_ALONE = {"identifikasjonsnummer", "foedselsdato", "postnummer", *LIMITED_CRITERIA}
_TOGETHER = {"adressenavn", "husnummer"}


class EntydigKriterier(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who is looked for: a name (first and last) and what tells one person from another.

    Beside the name: identifikasjonsnummer, foedselsdato, postnummer, adressenavn with husnummer, or
    one of the three that only some packages may use. The published description also takes a date of
    birth with one of two foreign identifiers, without a name.

    Attributes:
        navn: first name first and last name last, whole words.
        identifikasjonsnummer: a foedselsnummer or D-nummer, current or earlier.
        foedselsdato: YYYYMMDD.
        adressenavn: a street's name, or its beginning, 3 letters or more.
        husnummer: with its letter, if it has one.
        postnummer: four digits.
        utenlandskpersonidentifikasjon: with the country, as ARG-876.
        legitimasjonsdokument: with the country, as IRL-195509132386.
        utlendingsmyndighetenesidentifikasjonsnummer: the immigration authority's number (DUF).
        soek_fonetisk: names that sound alike, too.
        opplysningsgrunnlag: either gjeldende, the default, or historisk.

    Raises:
        ConfigurationError: a criterion is wrong, or too few are given; says what is needed.
    """

    navn: str | None = None
    identifikasjonsnummer: str | None = None
    foedselsdato: str | None = None
    adressenavn: str | None = None
    husnummer: str | None = None
    postnummer: str | None = None
    utenlandskpersonidentifikasjon: str | None = None
    legitimasjonsdokument: str | None = None
    utlendingsmyndighetenesidentifikasjonsnummer: str | None = None
    soek_fonetisk: bool = False
    opplysningsgrunnlag: str | None = None

    def __post_init__(self) -> None:
        criteria = self.to_register()
        check_common(criteria)
        _check_number(self.identifikasjonsnummer)
        _check_foreign(criteria)
        if self.navn is None:
            if "foedselsdato" not in criteria or not criteria.keys() & set(_FOREIGN):
                raise ConfigurationError(
                    "entydigsoek needs a name", "Give first and last name: --navn 'Kari Nordmann'"
                )
        elif len(self.navn.split()) < NAMES_NEEDED:
            raise ConfigurationError("entydigsoek needs first and last name", "Give both")
        elif not (criteria.keys() & _ALONE or criteria.keys() >= _TOGETHER):
            raise ConfigurationError(
                "a name alone identifies nobody",
                "Add identifikasjonsnummer, foedselsdato, postnummer, or adressenavn and husnummer",
            )

    def __repr__(self) -> str:
        return f"EntydigKriterier({', '.join(self.to_register())})"

    def require_package(self, rettighetspakke: str) -> None:
        """See that the package of rights may use the criteria.

        Raises:
            RefusedError: it may not; names the packages that may.
        """
        for name in self.to_register():
            having = LIMITED_CRITERIA.get(name, (rettighetspakke,))
            if rettighetspakke not in having:
                raise RefusedError(
                    f"the criterion {name} of personer/entydigsoek is not in the package "
                    f"{rettighetspakke}: nothing was sent",
                    f"It is in {', '.join(having)}",
                )

    def to_register(self) -> dict[str, Any]:
        """The criteria that are given, under the register's names."""
        return given(self)

    def query(self) -> list[tuple[str, str]]:
        """As the request carries them."""
        return query(self.to_register())


def _check_number(number: str | None) -> None:
    if number is None:
        return
    try:
        parse(number)
    except ValueError as error:
        raise ConfigurationError(f"identifikasjonsnummer: {error}", "Correct it") from None


def _check_foreign(criteria: dict[str, Any]) -> None:
    for name in _FOREIGN:
        if name in criteria and not _DOCUMENT.fullmatch(criteria[name]):
            raise ConfigurationError(
                f"{name} is not in the register's format",
                "Start with the country (ISO 3166-1 alpha-3) and a hyphen, as in ARG-876",
            )
