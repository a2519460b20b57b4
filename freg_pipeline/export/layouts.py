"""How the files of a copy are called, what their columns are, and what lies beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from freg_pipeline.export.relations import CopiedTable
from freg_pipeline.journal.manifest import Manifest


class Layout(Protocol):
    """The conventions that a copy follows."""

    def shaped(self, table: CopiedTable) -> CopiedTable:
        """A table with the columns that it has in the copy."""
        ...

    def file_name(self, table: CopiedTable) -> str:
        """The name of a table's file, ``.parquet`` among it: no two tables have the same."""
        ...

    def beside(self, table: CopiedTable, path: Path, rows: int) -> None:
        """Write what belongs beside a table's finished file."""
        ...


class Plain:
    """The views as they are: a file by each one's name."""

    def __init__(self, manifest: Manifest) -> None:
        del manifest  # names don't tell which release it is; the manifest of the copy does

    def shaped(self, table: CopiedTable) -> CopiedTable:
        """As it is."""
        return table

    def file_name(self, table: CopiedTable) -> str:
        """The table's own."""
        return f"{table.name}.parquet"

    def beside(self, table: CopiedTable, path: Path, rows: int) -> None:
        """Nothing."""
