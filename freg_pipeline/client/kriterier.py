"""The criteria of uttrekk/tilpasset, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import showable

PERSONSTATUSTYPER = ("aktiv", "bosatt", "utflyttet", "doed", "inaktiv")
UNDER_AKTIV = ("midlertidig", "ikkeBosatt", "forsvunnet", "foedselsregistrert")
KJOENN = ("kvinne", "mann")
SIVILSTANDSTYPER = (
    "uoppgitt", "ugift", "gift", "enkeEllerEnkemann", "skilt", "separert", "registrertPartner",
    "separertPartner", "skiltPartner", "gjenlevendePartner",
)  # fmt: skip

_KOMMUNE = re.compile(r"\d{4}")
_YEAR = re.compile(r"(18|19|20|21)\d\d")
_COUNTRY = re.compile(r"[A-Z]{3}")


_KOMMUNER = ("bostedskommunenummer", "oppholdskommunenummer")


class TilpassetKriterier(msgspec.Struct, frozen=True, kw_only=True):
    """A selection of persons. Names and meanings are the register's (uttrekk/tilpasset).

    Attributes:
        personstatustyper: at least one of PERSONSTATUSTYPER.
        bostedskommunenummer: four digits; never together with the next.
        oppholdskommunenummer: four digits.
        foedselsaar_fra_og_med: a year.
        foedselsaar_til_og_med: a year.
        doedsaar_fra_og_med: a year.
        doedsaar_til_og_med: a year.
        kjoenn: one of KJOENN.
        statsborgerskap: ISO 3166-1 alpha-3, such as NOR.
        sivilstandstype: one of SIVILSTANDSTYPER.

    Raises:
        ConfigurationError: a criterion is wrong; says which and what it may be.
    """

    kind: ClassVar[Literal["tilpasset"]] = "tilpasset"

    personstatustyper: tuple[str, ...]
    bostedskommunenummer: str | None = None
    oppholdskommunenummer: str | None = None
    foedselsaar_fra_og_med: str | None = None
    foedselsaar_til_og_med: str | None = None
    doedsaar_fra_og_med: str | None = None
    doedsaar_til_og_med: str | None = None
    kjoenn: str | None = None
    statsborgerskap: str | None = None
    sivilstandstype: str | None = None

    def __post_init__(self) -> None:
        self._check_status()
        self._check_kommune()
        check_years("foedselsaar", self.foedselsaar_fra_og_med, self.foedselsaar_til_og_med)
        check_years("doedsaar", self.doedsaar_fra_og_med, self.doedsaar_til_og_med)
        check_listed("kjoenn", self.kjoenn, KJOENN)
        check_listed("sivilstandstype", self.sivilstandstype, SIVILSTANDSTYPER)
        if self.statsborgerskap is not None and not _is(_COUNTRY, self.statsborgerskap):
            raise ConfigurationError(
                "statsborgerskap is no country code", "Use ISO 3166-1 alpha-3, such as NOR"
            )

    @classmethod
    def from_register(cls, body: Mapping[str, Any]) -> TilpassetKriterier:
        """The criteria of a body as the register takes it, with its names.

        Raises:
            ConfigurationError: it has a name that the register hasn't, or a criterion is wrong.
        """
        given = {name: value for name, value in body.items() if value is not None}
        kommune = given.pop("kommunenummer", {})
        if not isinstance(kommune, Mapping):
            raise ConfigurationError(
                "kommunenummer is no object",
                "Give it one of bostedskommunenummer, oppholdskommunenummer",
            )
        names = {_camel(field): field for field in cls.__struct_fields__}
        within = set(_KOMMUNER)
        strange = sorted((given.keys() - (names.keys() - within)) | (kommune.keys() - within))
        if strange:
            raise ConfigurationError(
                f"the register has no criterion {showable(strange[0], 40)}",
                f"Use {', '.join(sorted(names.keys() - within))}, kommunenummer",
            )
        statuses = given.pop("personstatustyper", ())
        if isinstance(statuses, str) or not isinstance(statuses, Iterable):
            raise ConfigurationError("personstatustyper is no list", 'Write ["bosatt"]')
        single = {names[name]: value for name, value in {**given, **kommune}.items()}
        years = {name: str(value) for name, value in single.items() if isinstance(value, int)}
        return cls(personstatustyper=tuple(statuses), **{**single, **years})

    def _check_status(self) -> None:
        allowed = f"Use one or more of {', '.join(PERSONSTATUSTYPER)}"
        if not self.personstatustyper:
            raise ConfigurationError("a tilpasset uttrekk needs a personstatustype", allowed)
        for status in self.personstatustyper:
            if status in UNDER_AKTIV:
                raise ConfigurationError(
                    f"the register has no personstatustype {status} to select by",
                    "Such persons are found under aktiv",
                )
            if status not in PERSONSTATUSTYPER:
                raise ConfigurationError("that is no personstatustype", allowed)

    def _check_kommune(self) -> None:
        if self.bostedskommunenummer is not None and self.oppholdskommunenummer is not None:
            raise ConfigurationError(
                "bostedskommunenummer and oppholdskommunenummer exclude each other",
                "Give one of them",
            )
        for number in (self.bostedskommunenummer, self.oppholdskommunenummer):
            if number is not None and not _is(_KOMMUNE, number):
                raise ConfigurationError(
                    "a kommunenummer has four digits", "Write Oslo's as 0301, for example"
                )

    def to_register(self) -> dict[str, Any]:
        """The body that the register takes."""
        kommune = {
            "bostedskommunenummer": self.bostedskommunenummer,
            "oppholdskommunenummer": self.oppholdskommunenummer,
        }
        body = {
            "personstatustyper": list(dict.fromkeys(self.personstatustyper)),
            "kommunenummer": {name: value for name, value in kommune.items() if value} or None,
            "foedselsaarFraOgMed": self.foedselsaar_fra_og_med,
            "foedselsaarTilOgMed": self.foedselsaar_til_og_med,
            "doedsaarFraOgMed": self.doedsaar_fra_og_med,
            "doedsaarTilOgMed": self.doedsaar_til_og_med,
            "kjoenn": self.kjoenn,
            "statsborgerskap": self.statsborgerskap,
            "sivilstandstype": self.sivilstandstype,
        }
        return {name: value for name, value in body.items() if value is not None}


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def check_years(name: str, first: str | None, last: str | None) -> None:
    """See that both are years, and in order. Raises ConfigurationError."""
    for year in (first, last):
        if year is not None and not _is(_YEAR, year):
            raise ConfigurationError(
                f"{name} is no year", "Write it with four digits, such as 1985"
            )
    if first is not None and last is not None and first > last:
        raise ConfigurationError(
            f"{name}: the first year is after the last", "Exchange fra og med and til og med"
        )


def check_listed(name: str, value: str | None, allowed: Sequence[str]) -> None:
    """See that a code is one of those allowed. Raises ConfigurationError."""
    if value is not None and value not in allowed:
        raise ConfigurationError(f"that is no {name}", f"Use one of {', '.join(allowed)}")
