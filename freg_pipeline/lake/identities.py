"""Which columns hold somebody's identity number: of tables and views of ours, and of others."""

from __future__ import annotations

from freg_pipeline.contract import Identity, Table
from freg_pipeline.contract.names import PERSON_COLUMN

# Columns by name, each with what it holds. A tuple, as what describes a table can be hashed.
Identities = tuple[tuple[str, Identity], ...]

_PERSONS: dict[str, tuple[str, ...]] = {
    "person": (PERSON_COLUMN,),
    "person_naa": (PERSON_COLUMN, "mor", "far", "medmor"),
    "person_oversikt": (PERSON_COLUMN,),
    "tidligere_identifikator": ("identifikator", PERSON_COLUMN),
    "avvik": ("identifikator", "gikk_til"),
    "hendelse": ("folkeregisteridentifikator", PERSON_COLUMN),
    "familie": ("barn", "mor", "far", "medmor"),
    "husstand": ("medlemmer",),
    "flytting": (PERSON_COLUMN,),
}
# By the name of a document the register tells whom it is about, to whoever may ask.
_OTHERS: dict[str, tuple[str, ...]] = {
    "person": ("dokumentidentifikator",),
    "hendelse": ("hendelsesdokument", "persondokument"),
    "hendelse_egenskap": ("hendelsesdokument",),
}
_EMBEDDED: dict[str, tuple[str, ...]] = {"hendelse_egenskap": ("innhold",)}


def of_own(name: str) -> Identities:
    """The columns of a table or view of ours."""
    return tuple(
        (column, identity)
        for told, identity in (
            (_PERSONS, Identity.PERSON),
            (_OTHERS, Identity.OTHER),
            (_EMBEDDED, Identity.EMBEDDED),
        )
        for column in told.get(name, ())
    )


def of_contract(table: Table) -> Identities:
    """The columns of a table that a contract gives."""
    told = ((column.name, column.identity) for column in table.columns)
    return (
        (PERSON_COLUMN, Identity.PERSON),
        *((name, identity) for name, identity in told if identity is not None),
    )
