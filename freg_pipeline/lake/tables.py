"""Tables that are ours, not the contract's: persons, earlier numbers, the accounting."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from freg_pipeline.contract import Plan


@dataclass(frozen=True)
class OwnTable:
    """A table made by the pipeline.

    Attributes:
        name: as users query it.
        comment: what a row is.
        schema: columns with their comments as metadata.
        per_person: split into buckets by its first column, a number, as the contract's tables are.
    """

    name: str
    comment: str
    schema: pa.Schema
    per_person: bool = True

    @property
    def key(self) -> str:
        """The column whose number's key the files carry, if it is split by person."""
        return str(self.schema.names[0])


# Columns of files that no view shows: the key of the number (freg_pipeline.lake.keys) that a row
# is hidden by, the delta that it came with, and when the person's document was recorded.
PERSON_KEY = "_person"
DELTA_COLUMN = "_delta"
RECORDED_COLUMN = "_ajourholdt"


def _schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind).with_metadata({"comment": text}) for name, kind, text in columns]
    )


_TIME = pa.timestamp("us", tz="UTC")

PERSON = OwnTable(
    "person",
    "One row per person.",
    _schema(
        ("personidentifikator", pa.string(), "The person's current identity number."),
        ("dokumentidentifikator", pa.string(), "Her document at the register, where it was told."),
        ("sekvensnummer", pa.int64(), "The event list's position that the row is good to."),
        ("hentet", _TIME, "When the document was fetched."),
        ("uttrekk", pa.string(), "The uttrekk that it came with."),
    ),
)
TIDLIGERE_IDENTIFIKATOR = OwnTable(
    "tidligere_identifikator",
    "One row per number that a person has had before.",
    _schema(
        ("identifikator", pa.string(), "A number that is no person's current one."),
        ("personidentifikator", pa.string(), "The current number of the person who had it."),
    ),
)
# Outcomes in the account of a sync that are about events, and not about identifiers looked up.
NO_DOCUMENT, NOT_FOLLOWED = "uten_hendelsesdokument", "ikke_fulgt"
AVVIK = OwnTable(
    "avvik",
    "One row per identifier that was delivered and is no row of person: the accounting.",
    _schema(
        ("identifikator", pa.string(), "As the register delivered it: a number or a document's."),
        ("uttrekk", pa.string(), "The uttrekk that it was delivered with."),
        ("batch_nr", pa.int32(), "The batch of the uttrekk."),
        (
            "utfall",
            pa.string(),
            "sammenslaatt, duplikat, borte or feilet; of a sync also uten_hendelsesdokument (an"
            " event's document that the register didn't give) and ikke_fulgt (an event that names"
            " nobody, by its number in the list).",
        ),
        ("aarsak", pa.string(), "Why."),
        ("sti", pa.string(), "Where in the document, if it could not be decoded."),
        ("gikk_til", pa.string(), "The person whose row holds what the identifier stood for."),
    ),
    per_person=False,
)
UKJENT_FELT = OwnTable(
    "ukjent_felt",
    "One row per field that the contract doesn't know, or whose text is no Unicode. The raw answers"
    " hold the values.",
    _schema(
        ("sti", pa.string(), "Where in the document; (ikke Unicode) after it: see above."),
        ("antall", pa.int64(), "How many values were met."),
        ("eksempel", pa.string(), "One of them, masked: letters as x, digits as 9."),
    ),
    per_person=False,
)
HENDELSE = OwnTable(
    "hendelse",
    "One row per event of the register's event list; of one's own people, where not of everyone.",
    _schema(
        ("sekvensnummer", pa.int64(), "Its number in the event list."),
        ("hendelsetype", pa.string(), "What happened; the register adds kinds."),
        ("folkeregisteridentifikator", pa.string(), "Whom it concerns, where it tells."),
        ("ajourholdstidspunkt", _TIME, "When the register learned of it."),
        ("hendelsesdokument", pa.string(), "The event's document at the register."),
        ("persondokument", pa.string(), "The person's document as of the event, where it is told."),
    ),
    per_person=False,
)
HENDELSE_EGENSKAP = OwnTable(
    "hendelse_egenskap",
    "One row per entity that an event changed, where the package of rights lets it be seen, of"
    " those that were asked for.",
    _schema(
        ("sekvensnummer", pa.int64(), "The event's number in the event list."),
        ("hendelsesdokument", pa.string(), "The event's document at the register."),
        ("egenskap_nr", pa.int32(), "Index within the changes that are kept of it, from 0."),
        ("entitet", pa.string(), "Which entity of the person's document was changed."),
        ("entitetsendring", pa.string(), "How: the register's code."),
        (
            "innhold",
            pa.string(),
            "The changed entity as JSON; NULL in the view where it tells the address of"
            " somebody who is protected, or may be.",
        ),
    ),
    per_person=False,
)
# Who claims which number: what a delta needs to know of those that it doesn't hold. No view.
IDENTITY = OwnTable(
    "_identitet",
    "One row per number that a document claims, under both numbers; and one per document of a"
    " person who has no row.",
    _schema(
        ("nokkel", pa.string(), "The number claimed, or the claiming person's."),
        ("nummer", pa.string(), "The number claimed; NULL: the row is of a document."),
        ("person", pa.string(), "Whose document it is."),
        ("avsluttet", pa.bool_(), "No longer in use; NULL: the register answered for it."),
        ("ajourholdt", _TIME, "When the document was recorded."),
    ),
)
# Whom a delta replaces. No view.
REPLACED = OwnTable(
    "_erstattet",
    "One row per number that a delta decides anew.",
    _schema(
        ("personidentifikator", pa.string(), "The number."),
        ("rader", pa.bool_(), "The person's rows are replaced, not only who has the number."),
    ),
)
# Staged by an uttrekk of kind hendelser, beside what its batches give.
EVENT_TABLES = (HENDELSE, HENDELSE_EGENSKAP)
OWN_TABLES = (PERSON, TIDLIGERE_IDENTIFIKATOR, AVVIK, UKJENT_FELT, *EVENT_TABLES)


@dataclass(frozen=True)
class Described:
    """A table as users see it: name, comment, and columns with DuckDB's type and comment."""

    name: str
    comment: str
    columns: tuple[tuple[str, str, str], ...]


def described(plan: Plan) -> list[Described]:
    """Every table of a release made by a contract, ours first."""
    tables = [(own.name, own.comment, own.schema) for own in OWN_TABLES]
    tables += [(table.name, table.comment, table.arrow_schema) for table in plan.tables]
    return [
        Described(name, comment, tuple((f.name, sql_type(f.type), _comment(f)) for f in schema))
        for name, comment, schema in tables
    ]


_SQL = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    _TIME: "TIMESTAMP WITH TIME ZONE",
    pa.decimal128(38, 10): "DECIMAL(38,10)",
}


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's type of a column."""
    return f"{sql_type(kind.value_type)}[]" if pa.types.is_list(kind) else _SQL[kind]


def _comment(field: pa.Field) -> str:
    comment: bytes = (field.metadata or {}).get(b"comment", b"")
    return comment.decode()


def file_schema(
    visible: pa.Schema, *, keyed: bool, recorded: bool = False, delta: bool = False
) -> pa.Schema:
    """A table's columns in its files: those that views show, and the hidden ones after them."""
    hidden = [
        (RECORDED_COLUMN, _TIME, recorded),
        (PERSON_KEY, pa.int64(), keyed),
        (DELTA_COLUMN, pa.int64(), delta),
    ]
    fields = [pa.field(name, kind) for name, kind, there in hidden if there]
    return pa.schema([*visible, *fields], metadata=visible.metadata)
