"""The criteria of personer/soek, checked before anything is sent.

Source: the register's documentation, soek, and its published description (1.5).
"""

from __future__ import annotations

from typing import Any

import msgspec

from freg_pipeline.criteria.rules import (
    KJOENN,
    check_common,
    check_listed,
    check_years,
    given,
    query,
)
from freg_pipeline.errors import ConfigurationError

MAKS_TREFF = 10_000  # the register gives no more hits than this

_SWITCHES = ("inkluderOppholdsadresse", "soekFonetisk", "inkluderDoede")
# What alone finds nobody.
_MANNERS = {*_SWITCHES, "opplysningsgrunnlag", "maksTreff"}


class SoekKriterier(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What to search for; all criteria given must hold. Names and meanings are the register's.

    Attributes:
        navn: one or more whole words of the name.
        kjoenn: either kvinne or mann.
        foedselsdato: YYYYMMDD.
        foedselsaar_fra_og_med: a year.
        foedselsaar_til_og_med: a year.
        adressenavn: a street's name, or its beginning, 3 letters or more.
        husnummer: with or without its letter, as 7 or 7B.
        postnummer: four digits.
        kommunenummer: four digits.
        fylkesnummer: two digits.
        inkluder_oppholdsadresse: search by oppholdsadresse, too.
        soek_fonetisk: names that sound alike, too.
        inkluder_doede: the dead, too.
        opplysningsgrunnlag: either gjeldende, the default, or historisk: earlier names and
            addresses, too.
        maks_treff: at most so many hits, up to 10,000.

    Raises:
        ConfigurationError: a criterion is wrong, or there is none; says which and what it may be.
    """

    navn: str | None = None
    kjoenn: str | None = None
    foedselsdato: str | None = None
    foedselsaar_fra_og_med: str | None = None
    foedselsaar_til_og_med: str | None = None
    adressenavn: str | None = None
    husnummer: str | None = None
    postnummer: str | None = None
    kommunenummer: str | None = None
    fylkesnummer: str | None = None
    inkluder_oppholdsadresse: bool = False
    soek_fonetisk: bool = False
    inkluder_doede: bool = False
    opplysningsgrunnlag: str | None = None
    maks_treff: int | None = None

    def __post_init__(self) -> None:
        check_common(self.to_register())
        check_listed("kjoenn", self.kjoenn, KJOENN)
        check_years("foedselsaar", self.foedselsaar_fra_og_med, self.foedselsaar_til_og_med)
        if self.maks_treff is not None and not 1 <= self.maks_treff <= MAKS_TREFF:
            raise ConfigurationError(
                f"maksTreff is not between 1 and {MAKS_TREFF}", "Give fewer, or leave it out"
            )
        if not self.to_register().keys() - _MANNERS:
            raise ConfigurationError(
                "a search needs a criterion", "Give a name, a date, an address"
            )

    def __repr__(self) -> str:
        return f"SoekKriterier({', '.join(self.to_register())})"

    def to_register(self) -> dict[str, Any]:
        """The criteria that are given, under the register's names."""
        return given(self)

    def query(self) -> list[tuple[str, str]]:
        """As the request carries them."""
        return query(self.to_register())
