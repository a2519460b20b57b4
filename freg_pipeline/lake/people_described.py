"""What the views and macros of people are, and their columns, as users read it."""

from __future__ import annotations

from freg_pipeline.lake.described import Described, of_schema
from freg_pipeline.lake.identities import of_own
from freg_pipeline.lake.owntable import TO_PERSON, with_keys
from freg_pipeline.lake.owntable_naa import PERSON_NAA

OVERVIEW = "person_oversikt"
OVERVIEW_COLUMNS = (
    "personidentifikator", "fornavn", "mellomnavn", "etternavn", "kjoenn", "foedselsdato",
    "foedselsaar", "status", "sivilstand", "adressenavn", "husnummer", "husbokstav", "postnummer",
    "poststed", "kommunenummer",
)  # fmt: skip
_NAA = {name: (name, kind, text) for name, kind, text in of_schema(PERSON_NAA.schema)}
_TEXT = "VARCHAR"
_NOW = f"Gjeldende nummer. {TO_PERSON}"
_PARENT = f"s gjeldende nummer; NULL når registeret ikke forteller det. {TO_PERSON}"


def _view(
    name: str,
    meaning: str,
    columns: tuple[tuple[str, str, str], ...],
    keys: tuple[str, ...] = (),
) -> Described:
    return Described(name, with_keys(meaning, keys), columns, keys, identities=of_own(name))


VIEWS = (
    _view(
        OVERVIEW,
        "Én rad per person: de mest brukte kolonnene i person_naa.",
        tuple(_NAA[name] for name in OVERVIEW_COLUMNS),
        ("personidentifikator",),
    ),
    _view(
        "familie",
        "Én rad per person som registeret kjenner en forelder til. Søsken og besteforeldre finnes"
        " ved å koble visningen med seg selv.",
        (
            ("barn", _TEXT, f"Barnets gjeldende nummer. {TO_PERSON}"),
            ("mor", _TEXT, "Mor" + _PARENT),
            ("far", _TEXT, "Far" + _PARENT),
            ("medmor", _TEXT, "Medmor" + _PARENT),
        ),
        ("barn",),
    ),
    _view(
        "husstand",
        "Én rad per bolig med noen som er bosatt der. Den som har eller kan ha adressebeskyttelse,"
        " eller ukjent bosted, er ikke med. Koble med person_naa for opplysninger om hver enkelt.",
        (
            ("bolig", _TEXT, "Som i person_naa."),
            (
                "kommunenummer",
                _TEXT,
                "Kommunen; av flere den med høyest nummer.",
            ),
            ("antall", "BIGINT", "Hvor mange som bor der."),
            ("medlemmer", "VARCHAR[]", "Gjeldende nummer til hver av dem."),
        ),
        ("bolig",),
    ),
    _view(
        "flytting",
        "Én rad per flytting i bostedsadresse, innflytting og utflytting. En ny rad med samme"
        " flyttedato som den før er ingen flytting (kommuner som slås sammen, en rettet adresse),"
        " og den første adressen bare når personen kom fra utlandet. Uten part historikk er bare"
        " det siste kjent.",
        (
            ("personidentifikator", _TEXT, _NOW),
            ("dato", "DATE", "Flyttedatoen; uten den dagen adressen begynte å gjelde."),
            (
                "type",
                _TEXT,
                "innenKommune, mellomKommuner, innvandring eller utvandring. Inn i en kommune er"
                " til_kommunenummer, ut av den fra_kommunenummer, uten innenKommune.",
            ),
            ("fra_kommunenummer", _TEXT, "Kommunen før; NULL ved innvandring."),
            ("til_kommunenummer", _TEXT, "Kommunen etter; NULL ved utvandring."),
            ("fra_land", _TEXT, "Landet før, ved innvandring, når det er oppgitt."),
            ("til_land", _TEXT, "Landet etter, ved utvandring, når det er oppgitt."),
        ),
    ),
)
NAMES = "MACRO TABLE navn_per"  # is there where the contract has names
# Macros, by what COMMENT ON calls them.
MACROS = {
    "MACRO gjeldende_identifikator": "Dagens nummer til den som har eller har hatt nummeret; ellers"
    " nummeret selv.",
    "MACRO norsk_dato": "Datoen i Norge ved et tidspunkt, uansett tidssonen i økten.",
    "MACRO norsk_tid": "Klokkeslett og dato i Norge ved et tidspunkt, uansett tidssonen i økten.",
    "MACRO alder": "Alder i hele år på en dag; uten dag i dag.",
    "MACRO TABLE befolkning_per": "Hvem som var bosatt hvor ved utgangen av en dag, og i hvilken"
    " kommune: én rad per person. befolkning_per(dato): slik registeret nå sier at det var"
    " (gyldighetstidspunkt, opphoerstidspunkt). befolkning_per(dato, kjent := dag): slik det var"
    " registrert ved utgangen av den andre dagen (ajourholdstidspunkt); det som senere er rettet"
    " eller annullert, vises slik det er nå. Den som er bosatt uten adresse (strengtFortrolig), er"
    " ikke med. Krever part historikk for dager som har vært.",
    NAMES: "Navn ved utgangen av en dag, én rad per person: navn_per(DATE"
    " '2020-12-31'). Med et helt tall: tabellen navn slik den var ved det sekvensnummeret.",
}
