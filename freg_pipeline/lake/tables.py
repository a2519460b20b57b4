"""Tables that are ours, not the contract's: persons, earlier numbers, the accounting."""

from __future__ import annotations

import pyarrow as pa

from freg_pipeline.lake.owntable import TO_PERSON, TO_SOMEBODY, OwnTable, schema
from freg_pipeline.lake.owntable_naa import PERSON_NAA

# Columns of files that no view shows: the key of the number (freg_pipeline.lake.keys) that a row
# is hidden by, the delta that it came with, and when the person's document was recorded.
PERSON_KEY = "_person"
DELTA_COLUMN = "_delta"
RECORDED_COLUMN = "_ajourholdt"
TIME = pa.timestamp("us", tz="UTC")

PERSON = OwnTable(
    "person",
    "Én rad per person.",
    schema(
        ("personidentifikator", pa.string(), "Personens gjeldende fødselsnummer eller D-nummer."),
        (
            "dokumentidentifikator",
            pa.string(),
            "Persondokumentet, når registeret oppgir det.",
        ),
        ("sekvensnummer", pa.int64(), "Nummeret i hendelseslisten som raden er riktig til og med."),
        ("hentet", TIME, "Når dokumentet ble hentet."),
        ("uttrekk", pa.string(), "Uttrekket som raden kom med."),
    ),
    keys=("personidentifikator",),
)
TIDLIGERE_IDENTIFIKATOR = OwnTable(
    "tidligere_identifikator",
    "Én rad per nummer som noen har hatt før.",
    schema(
        ("identifikator", pa.string(), "Et nummer som ikke lenger er noens gjeldende."),
        (
            "personidentifikator",
            pa.string(),
            f"Gjeldende nummer til den som hadde det. {TO_PERSON}",
        ),
    ),
    keys=("identifikator",),
)
# Outcomes in the account of a sync that are about events, and not about identifiers looked up.
NO_DOCUMENT, NOT_FOLLOWED = "uten_hendelsesdokument", "ikke_fulgt"
AVVIK = OwnTable(
    "avvik",
    "Én rad per identifikator som registeret leverte, og som ikke er blitt en rad i person:"
    " regnskapet.",
    schema(
        (
            "identifikator",
            pa.string(),
            "Som registeret leverte den: et nummer, eller et dokuments.",
        ),
        ("uttrekk", pa.string(), "Uttrekket som den ble levert med."),
        ("batch_nr", pa.int32(), "Hvilken batch i uttrekket."),
        (
            "utfall",
            pa.string(),
            "sammenslaatt, duplikat, borte, feilet eller slettet (personen er slettet her, og holdt"
            " utenfor: den som identifikatoren gjaldt, står ikke); etter hendelser også"
            " uten_hendelsesdokument (registeret ga ikke hendelsens dokument) og ikke_fulgt"
            " (hendelsen nevner ingen; her står nummeret dens i hendelseslisten).",
        ),
        ("aarsak", pa.string(), "Hvorfor."),
        ("sti", pa.string(), "Hvor i dokumentet, når det ikke lot seg lese."),
        (
            "gikk_til",
            pa.string(),
            f"Personen som identifikatoren står for. {TO_PERSON}",
        ),
    ),
    per_person=False,
)
UKJENT_FELT = OwnTable(
    "ukjent_felt",
    "Én rad per felt som kontrakten ikke kjenner, eller der teksten ikke er Unicode. Verdiene står"
    " i svarene fra registeret, som er tatt vare på.",
    schema(
        ("sti", pa.string(), "Hvor i dokumentet; fulgt av (ikke Unicode) når det er teksten."),
        ("antall", pa.int64(), "Hvor mange verdier det gjelder."),
        ("eksempel", pa.string(), "En av dem, maskert: bokstaver som x, siffer som 9."),
    ),
    keys=("sti",),
    per_person=False,
)
HENDELSE = OwnTable(
    "hendelse",
    "Én rad per hendelse i registerets hendelsesliste siden siste fulle uttrekk; bare om egne"
    " personer, når tabellene ikke gjelder alle.",
    schema(
        ("sekvensnummer", pa.int64(), "Nummeret i hendelseslisten."),
        ("hendelsetype", pa.string(), "Hva som skjedde; registeret legger til nye typer."),
        (
            "folkeregisteridentifikator",
            pa.string(),
            f"Hvem den gjelder, når det er oppgitt. {TO_SOMEBODY}",
        ),
        ("ajourholdstidspunkt", TIME, "Når registeret fikk vite om den."),
        ("hendelsesdokument", pa.string(), "Hendelsesdokumentet hos registeret."),
        ("persondokument", pa.string(), "Persondokumentet ved hendelsen, når det er oppgitt."),
    ),
    keys=("sekvensnummer",),
    per_person=False,
)
HENDELSE_EGENSKAP = OwnTable(
    "hendelse_egenskap",
    "Én rad per opplysning som en hendelse endret, av dem det er bedt om og rettighetspakken"
    " viser.",
    schema(
        ("sekvensnummer", pa.int64(), "Hendelsens nummer i hendelseslisten. Viser til hendelse."),
        ("hendelsesdokument", pa.string(), "Hendelsesdokumentet hos registeret."),
        (
            "egenskap_nr",
            pa.int32(),
            "Plassen blant hendelsens endringer her, fra 0.",
        ),
        ("entitet", pa.string(), "Tabellen med opplysningen som ble endret."),
        (
            "entitetsendring",
            pa.string(),
            "Hvordan: registrereNy, korrigere, annullere, korrigereHistorisk.",
        ),
        (
            "innhold",
            pa.string(),
            "Opplysningen etter endringen, som JSON; NULL i visningen når den røper adressen til"
            " noen som er skjermet eller kan være det.",
        ),
    ),
    keys=("sekvensnummer", "egenskap_nr"),
    per_person=False,
)
# Who claims which number: what a delta needs to know of those that it doesn't hold. No view.
IDENTITY = OwnTable(
    "_identitet",
    "One row per number that a document claims, under both numbers; and one per document of a"
    " person who has no row.",
    schema(
        ("nokkel", pa.string(), "The number claimed, or the claiming person's."),
        ("nummer", pa.string(), "The number claimed; NULL: the row is of a document."),
        ("person", pa.string(), "Whose document it is."),
        ("avsluttet", pa.bool_(), "No longer in use; NULL: the register answered for it."),
        ("ajourholdt", TIME, "When the document was recorded."),
    ),
)
# Whom a delta replaces. No view.
REPLACED = OwnTable(
    "_erstattet",
    "One row per number that a delta decides anew.",
    schema(
        ("personidentifikator", pa.string(), "The number."),
        ("rader", pa.bool_(), "The person's rows are replaced, not only who has the number."),
    ),
)
# Staged by an uttrekk of kind hendelser, beside what its batches give.
EVENT_TABLES = (HENDELSE, HENDELSE_EGENSKAP)
OWN_TABLES = (PERSON, PERSON_NAA, TIDLIGERE_IDENTIFIKATOR, AVVIK, UKJENT_FELT, *EVENT_TABLES)


def file_schema(
    visible: pa.Schema, *, keyed: bool, recorded: bool = False, delta: bool = False
) -> pa.Schema:
    """A table's columns in its files: those that views show, and the hidden ones after them."""
    hidden = [
        (RECORDED_COLUMN, TIME, recorded),
        (PERSON_KEY, pa.int64(), keyed),
        (DELTA_COLUMN, pa.int64(), delta),
    ]
    fields = [pa.field(name, kind) for name, kind, there in hidden if there]
    return pa.schema([*visible, *fields], metadata=visible.metadata)
