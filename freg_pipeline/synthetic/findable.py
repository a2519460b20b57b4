"""What a search looks at in a person document; everything else is passed over when it is read."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

_OPEN = "ugradert"


class _Row(msgspec.Struct):
    erGjeldende: bool = True  # noqa: N815  these are the register's names


class _Number(_Row):
    foedselsEllerDNummer: str = ""  # noqa: N815
    status: str = ""


class _Name(_Row):
    fornavn: str = ""
    mellomnavn: str = ""
    etternavn: str = ""


class _Foedsel(_Row):
    foedselsdato: str = ""
    foedselsaar: str | int = 0


class _Kjoenn(_Row):
    kjoenn: str = ""


class _Status(_Row):
    status: str = ""


class _Adressenummer(msgspec.Struct):
    husnummer: str = ""
    husbokstav: str = ""


class _Poststed(msgspec.Struct):
    postnummer: str = ""


class _Matrikkelnummer(msgspec.Struct):
    kommunenummer: str = ""


class _Place(msgspec.Struct):
    """A vegadresse or a matrikkeladresse."""

    adressenavn: str = ""
    adressenummer: _Adressenummer = msgspec.field(default_factory=_Adressenummer)
    poststed: _Poststed = msgspec.field(default_factory=_Poststed)
    kommunenummer: str = ""
    matrikkelnummer: _Matrikkelnummer = msgspec.field(default_factory=_Matrikkelnummer)


class _UkjentBosted(msgspec.Struct):
    bostedskommune: str = ""


class _Address(_Row):
    adressegradering: str = _OPEN
    vegadresse: _Place | None = None
    matrikkeladresse: _Place | None = None
    ukjentBosted: _UkjentBosted | None = None  # noqa: N815


class _Protection(_Row):
    graderingsnivaa: str = _OPEN


class _Foreign(_Row):
    utstederland: str = ""
    identifikasjonsnummer: str = ""
    identifikasjonsdokumentnummer: str = ""


class Address(msgspec.Struct):
    """An address to find someone by.

    Attributes:
        current: it is no history.
        opphold: it is an oppholdsadresse.
        street: adressenavn.
        husnummer, husbokstav, postnummer, kommune: as the document has them.
    """

    current: bool
    opphold: bool
    street: str
    husnummer: str
    husbokstav: str
    postnummer: str
    kommune: str


class Findable(msgspec.Struct):
    """The entities that searches look at; see :class:`Address` for addresses."""

    identifikasjonsnummer: list[_Number] = []
    navn: list[_Name] = []
    foedsel: list[_Foedsel] = []
    kjoenn: list[_Kjoenn] = []
    status: list[_Status] = []
    bostedsadresse: list[_Address] = []
    oppholdsadresse: list[_Address] = []
    adressebeskyttelse: list[_Protection] = []
    utenlandskPersonidentifikasjon: list[_Foreign] = []  # noqa: N815
    legitimasjonsdokument: list[_Foreign] = []
    utlendingsmyndighetenesIdentifikasjonsnummer: list[_Foreign] = []  # noqa: N815

    @property
    def number(self) -> str:
        """The number to find the person by."""
        in_use = [row for row in self.identifikasjonsnummer if row.status == "iBruk"]
        rows = in_use or self.identifikasjonsnummer
        return next((row.foedselsEllerDNummer for row in rows), "")

    @property
    def current_status(self) -> str:
        """The personstatus in force."""
        return next((row.status for row in self.status if row.erGjeldende), "")

    def addresses(self) -> Iterator[Address]:
        """Those that may be told: none of a protected person, and no graded one."""
        if any(row.erGjeldende and row.graderingsnivaa != _OPEN for row in self.adressebeskyttelse):
            return
        for opphold, rows in ((False, self.bostedsadresse), (True, self.oppholdsadresse)):
            for row in rows:
                if row.adressegradering == _OPEN:
                    yield _address(row, opphold=opphold)

    def identities(self) -> Iterator[tuple[str, str]]:
        """Numbers of other authorities: the criterion that finds them, and its text."""
        for row in self.utenlandskPersonidentifikasjon:
            if row.erGjeldende:
                number = f"{row.utstederland}-{row.identifikasjonsnummer}"
                yield "utenlandskpersonidentifikasjon", number
        for row in self.legitimasjonsdokument:
            if row.erGjeldende and row.identifikasjonsdokumentnummer:
                number = f"{row.utstederland}-{row.identifikasjonsdokumentnummer}"
                yield "legitimasjonsdokument", number
        for row in self.utlendingsmyndighetenesIdentifikasjonsnummer:
            if row.erGjeldende:
                yield "utlendingsmyndighetenesidentifikasjonsnummer", row.identifikasjonsnummer


def _address(row: _Address, *, opphold: bool) -> Address:
    place = row.vegadresse or row.matrikkeladresse or _Place()
    kommune = place.kommunenummer or place.matrikkelnummer.kommunenummer
    if row.ukjentBosted is not None:
        kommune = row.ukjentBosted.bostedskommune
    number = place.adressenummer
    return Address(
        current=row.erGjeldende,
        opphold=opphold,
        street=place.adressenavn,
        husnummer=number.husnummer,
        husbokstav=number.husbokstav,
        postnummer=place.poststed.postnummer,
        kommune=kommune,
    )


read = msgspec.json.Decoder(Findable).decode
