"""What a table of ours is: its name, what a row is, and its columns."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

# What the text about a column of persons' numbers ends with: these are looked for, too.
TO_PERSON = "Viser til person."
TO_SOMEBODY = "Viser til person, også ved tidligere nummer."


@dataclass(frozen=True)
class OwnTable:
    """A table made by the pipeline.

    Attributes:
        name: as users query it.
        meaning: what a row is.
        schema: columns with their comments as metadata.
        keys: the columns that tell its rows apart; empty: none do.
        per_person: split into buckets by its first column, a number, as the contract's tables are.
    """

    name: str
    meaning: str
    schema: pa.Schema
    keys: tuple[str, ...] = ()
    per_person: bool = True

    @property
    def comment(self) -> str:
        """What a row is, and its key, as users read it."""
        return with_keys(self.meaning, self.keys)

    @property
    def key(self) -> str:
        """The column whose number's key the files carry, if it is split by person."""
        return str(self.schema.names[0])


def with_keys(meaning: str, keys: tuple[str, ...]) -> str:
    """What a row of a table is, followed by the table's key."""
    key = f"Nøkkel: {', '.join(keys)}." if keys else "Ingen nøkkel."
    return f"{meaning} {key}".lstrip()


def schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """Columns with their types and comments."""
    return pa.schema(
        [pa.field(name, kind).with_metadata({"comment": text}) for name, kind, text in columns]
    )
