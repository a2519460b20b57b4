"""What a table of ours is: its name, what a row is, and its columns."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


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


def schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """Columns with their types and comments."""
    return pa.schema(
        [pa.field(name, kind).with_metadata({"comment": text}) for name, kind, text in columns]
    )
