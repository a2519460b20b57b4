"""The criteria of personer/soek, checked before anything is sent; and what both searches share.

Source: the register's documentation, soek and entydigsoek, and its published description (1.5).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec

from freg_pipeline.client.kriterier import KJOENN, check_listed, check_years
from freg_pipeline.errors import ConfigurationError

OPPLYSNINGSGRUNNLAG = ("gjeldende", "historisk")
MAKS_TREFF = 10_000  # the register gives no more hits than this
SHORTEST_STREET = 3

_NUMBERS = {"postnummer": 4, "kommunenummer": 4, "fylkesnummer": 2}
_HUSNUMMER = re.compile(r"\d{1,4} ?[^\W\d_]?")
_SWITCHES = ("inkluderOppholdsadresse", "soekFonetisk", "inkluderDoede")
# What alone finds nobody.
_MANNERS = {*_SWITCHES, "opplysningsgrunnlag", "maksTreff"}


class SoekKriterier(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What to search for; all criteria given must hold. Names and meanings are the register's.

    Attributes:
        navn: one or more whole words of the name.
        kjoenn: one of KJOENN.
        foedselsdato: YYYYMMDD.
        foedselsaar_fra_og_med: a year.
        foedselsaar_til_og_med: a year.
        adressenavn: the beginning of a street's name, 3 letters or more.
        husnummer: with or without its letter.
        postnummer: four digits.
        kommunenummer: four digits.
        fylkesnummer: two digits.
        inkluder_oppholdsadresse: oppholdsadresse counts as well as bostedsadresse.
        soek_fonetisk: names that sound alike, too.
        inkluder_doede: the dead, too.
        opplysningsgrunnlag: gjeldende (unless told) or historisk: earlier names and addresses, too.
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


def given(kriterier: msgspec.Struct) -> dict[str, Any]:
    """The criteria that are given, under the register's names."""
    fields: dict[str, Any] = msgspec.to_builtins(kriterier)
    return {name: value for name, value in fields.items() if value not in (None, False)}


def query(criteria: dict[str, Any]) -> list[tuple[str, str]]:
    """Criteria as a request carries them."""
    return [(name, "true" if value is True else str(value)) for name, value in criteria.items()]


def check_common(given: dict[str, Any]) -> None:
    """See that criteria which both searches know are written as the register wants them.

    Raises:
        ConfigurationError: one isn't; says which and what it may be.
    """
    for name, value in given.items():
        if isinstance(value, str) and not value.strip():
            raise ConfigurationError(f"{name} is empty", "Give it a value, or leave it out")
    for name, length in _NUMBERS.items():
        if name in given and not _is_number(given[name], length):
            raise ConfigurationError(f"a {name} has {length} digits", "Write it with leading zeros")
    if "foedselsdato" in given and not _is_date(given["foedselsdato"]):
        raise ConfigurationError("foedselsdato is no date", "Write it as YYYYMMDD: 19850131")
    if "adressenavn" in given and len(given["adressenavn"].strip()) < SHORTEST_STREET:
        raise ConfigurationError(
            f"adressenavn has fewer than {SHORTEST_STREET} letters",
            "Give more of the street's name",
        )
    if "husnummer" in given and not _HUSNUMMER.fullmatch(given["husnummer"]):
        raise ConfigurationError("that is no husnummer", "Write it as 7 or 7B")
    check_listed("opplysningsgrunnlag", given.get("opplysningsgrunnlag"), OPPLYSNINGSGRUNNLAG)


def _is_number(value: str, length: int) -> bool:
    return len(value) == length and value.isascii() and value.isdigit()


def _is_date(value: str) -> bool:
    try:
        datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007  a date has no zone
    except ValueError:
        return False
    return _is_number(value, 8)
