"""Statistics Norway's conventions: names, types and descriptions that its metadata tool takes.

Names as in https://manual.dapla.ssb.no/statistikkere/navnestandard.html. Of types its tool,
Datadoc, knows no zones, no exact decimals and no lists. Beside each file lies a description that
Datadoc reads, for people to complete there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unicodedata import combining, normalize
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import msgspec

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.export.relations import CopiedColumn, CopiedTable
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.copied import write_private
from freg_pipeline.lake.norwegian import ZONE, local

_MODEL = "6.1.0"  # of ssb-datadoc-model, which says what a description holds
_ZONED = "TIMESTAMP WITH TIME ZONE"
_DATA_TYPES = {
    "VARCHAR": "STRING",
    "BOOLEAN": "BOOLEAN",
    "SMALLINT": "INTEGER",
    "INTEGER": "INTEGER",
    "BIGINT": "INTEGER",
    "DOUBLE": "FLOAT",
    "DATE": "DATETIME",
    "TIMESTAMP": "DATETIME",
}
_STATES = {
    "kildedata": "SOURCE_DATA",
    "inndata": "INPUT_DATA",
    "klargjorte-data": "PROCESSED_DATA",
    "statistikk": "STATISTICS",
    "utdata": "OUTPUT_DATA",
}
_LETTERS = {"æ": "ae", "ø": "oe", "å": "aa"}


class Dapla:
    """Files as Statistics Norway names and describes them.

    Args:
        manifest: the release that is copied.
        place: where the copy will lie: a folder above it tells the state of the data.
        version: of the data, from 1: one more for each delivery of the same day's state.
    """

    def __init__(self, manifest: Manifest, place: str, version: int) -> None:
        self._manifest = manifest
        above = [part.replace("_", "-") for part in Path(place).absolute().parts]
        self._state = next((_STATES[part] for part in above if part in _STATES), None)
        self._version = version
        self._day = _day(manifest)
        self._taken: dict[str, str] = {}

    def shaped(self, table: CopiedTable) -> CopiedTable:
        """Times as Norway's clocks showed them, decimals as floats, lists as text in JSON."""
        return table.with_columns(_shaped(column) for column in table.columns)

    def file_name(self, table: CopiedTable) -> str:
        """``<kortnavn>_p<date>_v<n>.parquet``.

        Raises:
            ConfigurationError: two tables of the contract would have the same name.
        """
        short = short_name(table.name)
        if self._taken.setdefault(short, table.name) != table.name:
            raise ConfigurationError(
                f"{table.name} and {self._taken[short]} would have the same file name",
                "Take them one at a time: --table",
            )
        return f"{short}_p{self._day.isoformat()}_v{self._version}.parquet"

    def beside(self, table: CopiedTable, path: Path, rows: int) -> None:
        """Write ``…__DOC.json``."""
        del rows
        told = {"document_version": "1.0.0", "datadoc": self._described(table, path.stem)}
        content = msgspec.json.format(msgspec.json.encode(told), indent=2)
        write_private(path.with_name(f"{path.stem}__DOC.json"), content)

    def _described(self, table: CopiedTable, stem: str) -> dict[str, Any]:
        state = f"Utgivelse {self._manifest.number}, til og med {self._manifest.sekvensnummer}."
        return {
            "document_version": _MODEL,
            "dataset": {
                "short_name": short_name(table.name),
                "assessment": "SENSITIVE" if self._state == "SOURCE_DATA" else "PROTECTED",
                "dataset_status": "DRAFT",
                "dataset_state": self._state,
                "name": _text(f"Folkeregisteret: {table.name}"),
                "description": _text(f"{table.comment} {state}".lstrip()),
                "version": str(self._version),
                "id": str(uuid5(NAMESPACE_URL, stem)),
                "contains_data_from": self._day,
                "contains_data_until": self._day,
            },
            "variables": [self._variable(column, stem) for column in table.columns],
        }

    def _variable(self, column: CopiedColumn, stem: str) -> dict[str, Any]:
        told = {
            "short_name": column.name,
            "name": _text(column.name),
            "data_type": _DATA_TYPES[column.kind],
            "id": str(uuid5(NAMESPACE_URL, f"{stem}/{column.name}")),
            "contains_data_from": self._day,
            "contains_data_until": self._day,
        }
        if column.comment:
            told["comment"] = _text(column.comment)
        return told


def short_name(table: str) -> str:
    """A table's name in English letters, digits and dashes, these between the others only."""
    plain = "".join(_LETTERS.get(letter, letter) for letter in normalize("NFC", table).lower())
    letters = "".join(letter for letter in normalize("NFKD", plain) if not combining(letter))
    name = re.sub(r"[^a-z0-9-]", "-", letters.replace("__", "--")).strip("-")
    # Alone it would be read as a period, or not at all.
    return f"tabell-{name}".rstrip("-") if not name or re.fullmatch(r"p\d.*", name) else name


def _day(manifest: Manifest) -> date:
    """The day that the state is of, in Norway."""
    return manifest.recorded()[-1].astimezone(ZoneInfo(ZONE)).date()


def _shaped(column: CopiedColumn) -> CopiedColumn:
    value, kind = column.value, column.kind
    if kind.endswith("[]"):
        each = f"lambda x: {local('x')}" if kind.startswith(_ZONED) else ""
        value = f"list_transform({value}, {each})" if each else value
        return replace(column, kind="VARCHAR", value=f"to_json({value})::VARCHAR")
    if kind == _ZONED:
        return replace(column, kind="TIMESTAMP", value=local(value))
    if kind.startswith("DECIMAL"):
        return replace(column, kind="DOUBLE", value=f"{value}::DOUBLE")
    return column


def _text(norwegian: str) -> list[dict[str, str]]:
    return [{"languageCode": "nb", "languageText": norwegian}]
