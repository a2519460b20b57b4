"""``person_naa``: its columns. What they are made of: :mod:`freg_pipeline.lake.naa`."""

from __future__ import annotations

import pyarrow as pa

from freg_pipeline.lake.owntable import TO_PERSON, TO_SOMEBODY, OwnTable, schema

_HIDDEN = " NULL for den som har eller kan ha adressebeskyttelse."
_CIRCUIT = " Nummeret er entydig bare innenfor kommunen: grupper sammen med kommunenummer."
PERSON_NAA = OwnTable(
    "person_naa",
    "Én rad per person med det som gjelder nå, av personens egne gjeldende rader. Av flere"
    " gjeldende rader teller den som begynte sist (gyldighetstidspunkt), så den som ble"
    " registrert sist, så den første i dokumentet. En kolonne er NULL når registeret ikke forteller"
    " det, eller når det ikke er spurt om det.",
    schema(
        ("personidentifikator", pa.string(), f"Personens gjeldende nummer. {TO_PERSON}"),
        ("fornavn", pa.string(), "Fornavn."),
        ("mellomnavn", pa.string(), "Mellomnavn."),
        ("etternavn", pa.string(), "Etternavn."),
        ("foedselsdato", pa.date32(), "Fødselsdato; NULL når bare året er kjent."),
        ("foedselsaar", pa.int16(), "Fødselsår."),
        ("kjoenn", pa.string(), "Registrert kjønn."),
        ("status", pa.string(), "Personstatus. Befolkningen er de som har bosatt."),
        ("sivilstand", pa.string(), "Sivilstand."),
        (
            "statsborgerskap",
            pa.list_(pa.string()),
            "Gjeldende statsborgerskap, hvert én gang.",
        ),
        (
            "mor",
            pa.string(),
            f"Mors nummer i personens dokument. {TO_SOMEBODY}",
        ),
        (
            "far",
            pa.string(),
            f"Fars nummer i personens dokument. {TO_SOMEBODY}",
        ),
        (
            "medmor",
            pa.string(),
            f"Medmors nummer i personens dokument. {TO_SOMEBODY}",
        ),
        (
            "kommunenummer",
            pa.string(),
            "Kommunen i bostedsadressen, enten den er vegadresse, matrikkeladresse eller ukjent"
            " bosted. Står også for den som har adressebeskyttelse.",
        ),
        ("grunnkrets", pa.int64(), "Grunnkretsens nummer." + _CIRCUIT + _HIDDEN),
        ("kirkekrets", pa.int64(), "Kirkekretsens nummer." + _CIRCUIT + _HIDDEN),
        ("skolekrets", pa.int64(), "Skolekretsens nummer." + _CIRCUIT + _HIDDEN),
        ("stemmekrets", pa.int64(), "Stemmekretsens nummer." + _CIRCUIT + _HIDDEN),
        (
            "bolig",
            pa.string(),
            "Nøkkel som de som bor i samme bolig, har felles: adressen i matrikkelen (ellers"
            " kommune og adresse) og bruksenheten. NULL ved ukjent bosted." + _HIDDEN,
        ),
        (
            "adresselinje",
            pa.string(),
            "Gatenavn og nummer, ellers gårdens navn, ellers matrikkelnummeret." + _HIDDEN,
        ),
        ("adressenavn", pa.string(), "Gatenavn, ved vegadresse." + _HIDDEN),
        ("husnummer", pa.string(), "Husnummer, ved vegadresse." + _HIDDEN),
        ("husbokstav", pa.string(), "Husbokstav, ved vegadresse." + _HIDDEN),
        ("postnummer", pa.string(), "Postnummer." + _HIDDEN),
        ("poststed", pa.string(), "Poststed." + _HIDDEN),
        (
            "beskyttet",
            pa.bool_(),
            "Om personen har adressebeskyttelse, eller bostedsadressen er gradert; NULL når"
            " registeret ikke er spurt om det. Adressen vises bare når den er false.",
        ),
    ),
    keys=("personidentifikator",),
)
# What an address tells beyond its kommune: nobody finds it there of one who is protected.
NAA_ADDRESS = PERSON_NAA.schema.names[
    PERSON_NAA.schema.get_field_index("grunnkrets") : PERSON_NAA.schema.get_field_index("beskyttet")
]
NAA_PROTECTED = "beskyttet"
