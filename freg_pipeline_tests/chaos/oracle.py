"""What a register says, as rows: from its documents, by nothing of the pipeline's.

An entity's row is flattened by the rules that docs/tables.md states: names in snake_case, joined by
``_``; a list of values is a list; a list of structures is a table of its own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

Cells = frozenset[tuple[str, Any]]
Tables = dict[str, Counter[Cells]]
Types = Mapping[str, Mapping[str, str]]  # by table and column, DuckDB's
_KEYS = ("personidentifikator", "rad_nr")
_OURS = ("kommunenummer",)  # columns that views of addresses add, of what others in the row say


class Seen:
    """What the catalogue of a store shows.

    Args:
        catalogue: ``freg.duckdb``.
    """

    def __init__(self, catalogue: Path) -> None:
        with closing(duckdb.connect(str(catalogue), read_only=True)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            columns = connection.execute(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
            ).fetchall()
            self.types: dict[str, dict[str, str]] = defaultdict(dict)
            for table, column, kind in columns:
                self.types[table][column] = kind
            self.entities = [
                table for table, of in self.types.items() if all(key in of for key in _KEYS)
            ]
            self.rows: Tables = {name: self._cells(connection, name) for name in self.entities}
            self.persons = Counter(
                number
                for (number,) in connection.execute(
                    "SELECT personidentifikator FROM person"
                ).fetchall()
            )
            self.numbers = Counter(
                connection.execute(
                    "SELECT identifikator, personidentifikator FROM tidligere_identifikator"
                ).fetchall()
            )
            self.events = Counter(
                number
                for (number,) in connection.execute("SELECT sekvensnummer FROM hendelse").fetchall()
            )
            self.unknown = {
                path for (path,) in connection.execute("SELECT sti FROM ukjent_felt").fetchall()
            }
            ((self.release, self.position),) = connection.execute(
                "SELECT nummer, sekvensnummer FROM utgivelse"
            ).fetchall()

    def _cells(self, connection: duckdb.DuckDBPyConnection, table: str) -> Counter[Cells]:
        types = self.types[table]
        rows = connection.execute(f'FROM "{table}"').fetchall()
        return Counter(
            frozenset(
                (name, cell(value, kind))
                for (name, kind), value in zip(types.items(), row, strict=True)
                if value not in (None, []) and name not in _OURS
            )
            for row in rows
        )


def expected(
    documents: Mapping[str, dict[str, Any]], types: Types, erased: AbstractSet[str] = frozenset()
) -> tuple[Tables, set[str]]:
    """What the entity tables should hold of these persons.

    Args:
        documents: by the current number of whom they are about.
        types: of the tables that there are.
        erased: numbers that stand nowhere any more, not in others' rows either.

    Returns:
        The rows by table; and the paths of what no table has a place for.
    """
    tables: Tables = defaultdict(Counter)
    unknown: set[str] = set()
    for number, document in documents.items():
        for entity, told in document.items():
            table = snake(entity)
            if table not in types:
                unknown.add(entity)
                continue
            for index, row in enumerate(told if isinstance(told, list) else [told]):
                keys: dict[str, Any] = {"personidentifikator": number, "rad_nr": index}
                for name, told_cells in _rows(table, row, keys):
                    cells = {of: one for of, one in told_cells.items() if not _is_of(one, erased)}
                    homeless = cells.keys() - types.get(name, {}).keys()
                    unknown |= {f"{entity}.{one}" for one in homeless}
                    if name in types:
                        tables[name][_typed(cells, types[name])] += 1
    return tables, unknown


def _is_of(value: Any, erased: AbstractSet[str]) -> bool:
    return isinstance(value, str) and value in erased


def _typed(cells: Mapping[str, Any], types: Mapping[str, str]) -> Cells:
    return frozenset(
        (name, cell(value, types[name])) for name, value in cells.items() if name in types
    )


def _rows(
    table: str, told: dict[str, Any], keys: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The row of a structure, and those of the lists of structures inside."""
    cells, lists = dict(keys), list[tuple[str, list[dict[str, Any]]]]()
    _flatten(told, "", cells, lists)
    yield table, cells
    for path, elements in lists:
        for index, element in enumerate(elements):
            inside = dict(keys, element_nr=index)
            _flatten(element, "", inside, [])
            yield f"{table}__{path}", inside


def _flatten(
    told: dict[str, Any],
    path: str,
    cells: dict[str, Any],
    lists: list[tuple[str, list[dict[str, Any]]]],
) -> None:
    for name, value in told.items():
        here = f"{path}_{snake(name)}" if path else snake(name)
        if value in (None, "", [], {}):
            continue
        if isinstance(value, dict):
            _flatten(value, here, cells, lists)
        elif isinstance(value, list) and isinstance(value[0], dict):
            lists.append((snake(name), value))
        else:
            cells[here] = value


def snake(name: str) -> str:
    """``foedselsEllerDNummer`` as ``foedsels_eller_d_nummer``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def cell(value: Any, kind: str) -> Any:
    """A value as it is compared, whether JSON tells it or DuckDB.

    Args:
        value: not None.
        kind: the column's type, DuckDB's.
    """
    if kind.endswith("[]"):
        values = value if isinstance(value, list) else [value]
        return tuple(cell(one, kind[:-2]) for one in values if one is not None)
    if kind.startswith("TIMESTAMP"):
        told = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return told.astimezone(UTC)
    if kind == "DATE":
        return value if isinstance(value, date) else date.fromisoformat(value[:10])
    if kind == "BOOLEAN":
        return value if isinstance(value, bool) else value == "true"
    if kind == "VARCHAR":
        return str(value)
    return Decimal(str(value))
