"""The criteria of uttrekk/tilpasset, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from freg_pipeline.criteria.rules import KJOENN, check_listed, check_years, given, matches
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import showable

PERSONSTATUSTYPER = ("aktiv", "bosatt", "utflyttet", "doed", "inaktiv")
UNDER_AKTIV = ("midlertidig", "ikkeBosatt", "forsvunnet", "foedselsregistrert")
SIVILSTANDSTYPER = (
    "uoppgitt", "ugift", "gift", "enkeEllerEnkemann", "skilt", "separert", "registrertPartner",
    "separertPartner", "skiltPartner", "gjenlevendePartner",
)  # fmt: skip

_KOMMUNE = re.compile(r"\d{4}")
_COUNTRY = re.compile(r"[A-Z]{3}")
_KOMMUNER = ("bostedskommunenummer", "oppholdskommunenummer")  # within kommunenummer


class TilpassetKriterier(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A selection of persons. Names and meanings are the register's (uttrekk/tilpasset).

    Attributes:
        personstatustyper: one or more of aktiv, bosatt, utflyttet, doed, inaktiv.
        bostedskommunenummer: four digits.
        oppholdskommunenummer: four digits; never together with bostedskommunenummer.
        foedselsaar_fra_og_med: a year; born in it or later.
        foedselsaar_til_og_med: a year; born in it or before.
        doedsaar_fra_og_med: a year; died in it or later.
        doedsaar_til_og_med: a year; died in it or before.
        kjoenn: either kvinne or mann.
        statsborgerskap: ISO 3166-1 alpha-3, such as NOR.
        sivilstandstype: a code of the register's, such as ugift, gift, skilt.

    Raises:
        ConfigurationError: a criterion is wrong; says which and what it may be.
    """

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
        # In one order, whatever the order given: two selections of the same are equal.
        ordered = tuple(one for one in PERSONSTATUSTYPER if one in self.personstatustyper)
        msgspec.structs.force_setattr(self, "personstatustyper", ordered)
        self._check_kommune()
        check_years("foedselsaar", self.foedselsaar_fra_og_med, self.foedselsaar_til_og_med)
        check_years("doedsaar", self.doedsaar_fra_og_med, self.doedsaar_til_og_med)
        check_listed("kjoenn", self.kjoenn, KJOENN)
        check_listed("sivilstandstype", self.sivilstandstype, SIVILSTANDSTYPER)
        if self.statsborgerskap is not None and not matches(_COUNTRY, self.statsborgerskap):
            raise ConfigurationError(
                "statsborgerskap is not a country code", "Use ISO 3166-1 alpha-3, such as NOR"
            )

    @classmethod
    def from_register(cls, body: Mapping[str, Any]) -> TilpassetKriterier:
        """The criteria of a body as the register takes it, with its names.

        Raises:
            ConfigurationError: it has a name that the register hasn't, or a criterion is wrong.
        """
        told = {name: value for name, value in body.items() if value is not None}
        kommune = told.pop("kommunenummer", {})
        if not isinstance(kommune, Mapping):
            raise ConfigurationError(
                "kommunenummer is not an object",
                "Give it one of bostedskommunenummer, oppholdskommunenummer",
            )
        names = dict(zip(cls.__struct_encode_fields__, cls.__struct_fields__, strict=True))
        within = set(_KOMMUNER)
        strange = sorted((told.keys() - (names.keys() - within)) | (kommune.keys() - within))
        if strange:
            raise ConfigurationError(
                f"the register has no criterion {showable(strange[0], 40)}",
                f"Use {', '.join(sorted(names.keys() - within))}, kommunenummer",
            )
        statuses = told.pop("personstatustyper", ())
        if isinstance(statuses, str) or not isinstance(statuses, Iterable):
            raise ConfigurationError("personstatustyper is not a list", 'Write ["bosatt"]')
        single = {names[name]: value for name, value in {**told, **kommune}.items()}
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
                raise ConfigurationError("that is not a personstatustype", allowed)

    def _check_kommune(self) -> None:
        if self.bostedskommunenummer is not None and self.oppholdskommunenummer is not None:
            raise ConfigurationError(
                "bostedskommunenummer and oppholdskommunenummer exclude each other",
                "Give one of them",
            )
        for number in (self.bostedskommunenummer, self.oppholdskommunenummer):
            if number is not None and not matches(_KOMMUNE, number):
                raise ConfigurationError(
                    "a kommunenummer has four digits", "Write Oslo's as 0301, for example"
                )

    def to_register(self) -> dict[str, Any]:
        """The body that the register takes."""
        body = {**given(self), "personstatustyper": list(self.personstatustyper)}
        kommune = {name: body.pop(name) for name in _KOMMUNER if name in body}
        return {**body, "kommunenummer": kommune} if kommune else body
