"""How the catalogue's views find their files: beside the catalogue, wherever that was taken.

A view can't ask where the catalogue lies that it is in. But DuckDB names its folder for spilling
after the database that it was opened with (``<path>.tmp``), and ``query()`` takes text that is put
together when a view is bound. So a path begins, in this order, with what a reader has set
(``SET VARIABLE freg_store = …``), the folder of the catalogue that was opened, or what was told
when the catalogue was written. Where the second or the third could mislead, since catalogues may
be attached too, the query sees that this one lies where its files are read from, and fails if it
doesn't (docs/decisions/0050).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from freg_pipeline.lake.sql import parquet, quoted

if TYPE_CHECKING:  # a query begins with this module
    import pyarrow as pa

    from freg_pipeline.journal.manifest import TableFile

FILE = "freg.duckdb"
VARIABLE = "freg_store"
_SET = f"getvariable({quoted(VARIABLE)})"
_SPILL = "current_setting('temp_directory')"
_CATALOGUES_SPILL = rf"^(.*)[/\\]{FILE.replace('.', '[.]')}[.]tmp$"
_OPENED = f"nullif(regexp_extract({_SPILL}, {quoted(_CATALOGUES_SPILL)}, 1), '')"
# A sequence of such a name marks a catalogue, whatever it is attached as: DuckDB keeps no comment
# of a database, and sequences are so few that listing them costs nothing.
_MARK = "_freg_katalog_"
_HERE = "\x01"  # where the root belongs in the text of a query; in no root and no key


@dataclass(frozen=True)
class Root:
    """The folder that a catalogue's files are under.

    Attributes:
        location: what readers call it, unless they know better: a folder or ``s3://bucket/prefix``.
        store: what it is called where the catalogue is written.
        beside: the catalogue lies in it, so that both are moved and copied together.
        mark: the name of the catalogue's own sequence.
    """

    location: str
    store: str
    beside: bool
    mark: str = field(default_factory=lambda: _MARK + uuid4().hex)

    def reads(self, name: str, named: list[TableFile], schema: pa.Schema) -> str:
        """The SQL that reads files.

        What binding it costs is paid by each query, so the usual cases are constant texts: the
        catalogue was opened where it was written, or attached there.
        """
        del name, schema
        keys = [file.key for file in named]
        files = ", ".join(quoted(f"{self.location}/{key}") for key in keys)
        usual = quoted(f"FROM {parquet(f'[{files}]')}")
        otherwise = f"{_SET} IS NOT NULL"
        if self.beside:
            opened = ", ".join(map(quoted, map(spill_of, self._names(self.location))))
            some = f"suffix({_SPILL}, {quoted(f'{FILE}.tmp')})"
            otherwise += f" OR {_SPILL} NOT IN ({opened}) AND {some}"
            attached = quoted(self._at().replace(_HERE, quoted(self.location)))
            usual += f" || CASE WHEN {_SPILL} IN ({opened}) THEN '' ELSE {attached} END"
        return f"query(CASE WHEN {otherwise} THEN {quoted(self._elsewhere(keys))} ELSE {usual} END)"

    def spill(self) -> str:
        """The folder for spilling of a connection that has opened the catalogue."""
        return spill_of(self.location)

    def _elsewhere(self, keys: list[str]) -> str:
        """Reading files where only whoever binds it knows them to be, as SQL."""
        listed = ", ".join(map(quoted, keys))
        paths = f"[{_HERE} || '/' || k FOR k IN [{listed}]]"
        place = self._text(self._at()) if self.beside else "''"
        guard = f"CASE WHEN {_SET} IS NULL THEN {place} ELSE {quoted(self._alone())} END"
        return f"FROM query({self._text(f'FROM {parquet(paths)}')} || {guard})"

    def _text(self, template: str) -> str:
        """A query's text with the root as a literal, as SQL of what is known when it is bound."""
        opened = f"{_OPENED}, " if self.beside else ""
        root = f"coalesce(rtrim({_SET}::VARCHAR, '/'), {opened}{quoted(self.location)})"
        literal = f"'''' || replace({root}, '''', '''''') || ''''"
        return f" || {literal} || ".join(map(quoted, template.split(_HERE)))

    def _names(self, *roots: str) -> list[str]:
        """The names of a root here: with and without links followed."""
        return list(dict.fromkeys([*roots, *map(os.path.realpath, roots)]))

    def _alone(self) -> str:
        told = (
            f"SET VARIABLE {VARIABLE} speaks for each catalogue attached, so for one only: DETACH "
        )
        other = (
            f"starts_with(sequence_name, {quoted(_MARK)}) AND sequence_name <> {quoted(self.mark)}"
        )
        return _unless(other, f"{quoted(told)} || database_name")

    def _at(self) -> str:
        """That this catalogue lies in the folder that files are read from."""
        names = self._names(self.location, self.store)
        known = ", ".join(map(quoted, names))
        files = ", ".join(quoted(f"{name}/{FILE}") for name in names)
        there = (
            f"({_HERE} IN ({known}) AND path IN ({files}) OR "
            rf"replace(path, '\', '/') = replace({_HERE}, '\', '/') || '/{FILE}')"
        )
        told = (
            f"{quoted('the files of the catalogue ')} || path || {quoted(' would be read from ')} "
            f"|| {_HERE} || {quoted(f': SET VARIABLE {VARIABLE} to the folder that they are in')}"
        )
        return _unless(f"sequence_name = {quoted(self.mark)} AND NOT {there}", told)


def spill_of(folder: str) -> str:
    """DuckDB's own folder for spilling of a connection that has opened a folder's catalogue."""
    return f"{folder}/{FILE}.tmp"


def _unless(wrong: str, told: str) -> str:
    """A condition that fails with words for each catalogue of which something holds."""
    return (
        f" WHERE (SELECT count(error({told})) FROM duckdb_sequences() "  # noqa: S608
        f"JOIN (SELECT database_oid, path FROM duckdb_databases()) USING (database_oid) "
        f"WHERE {wrong}) = 0"
    )
