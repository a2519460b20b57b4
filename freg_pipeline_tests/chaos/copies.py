"""Copies of the tables outside the store, and whether they are as what readers see.

One is kept by files of changes alone, taken in as docs/warehouse.md says; the other by ``freg
load``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable

from freg_pipeline_tests.chaos.commands import Outcome
from freg_pipeline_tests.copies import recipe

_SCHEMA = "freg"
_KEYS = {"personidentifikator", "rad_nr", "element_nr", "identifikator"}


class Changed:
    """A copy that is kept by files of changes.

    Attributes:
        since: what it has.
        connection: where it lies.
    """

    def __init__(self) -> None:
        self._take_in = recipe()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Throw it away."""
        self.since = "0"
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")

    def arguments(self, output: str) -> tuple[str, ...]:
        """The command that writes what it lacks."""
        return ("changes", "--since", self.since, "--output", output)

    def follow(self, outcome: Outcome) -> None:
        """Take in what a command has written; begin anew where there is no way from here."""
        since, output = outcome.arguments[2], Path(outcome.arguments[4])
        if since != self.since:
            return  # of two at once
        if outcome.code == 0:
            self._take_in(self.connection, output)
            self.since = json.loads((output / "manifest.json").read_text())["to"]["release"]
        elif outcome.code == 2:
            self.begin_anew()


def wrong_copy(
    catalogue: Path, copy: duckdb.DuckDBPyConnection, schema: str = "main"
) -> Iterator[str]:
    """Tables of persons that a copy has otherwise than the catalogue.

    Compared are columns that both have: a warehouse has types of its own, so only texts and keys.

    Args:
        catalogue: ``freg.duckdb``.
        copy: the copy.
        schema: where its tables are.
    """
    there = _columns(copy, schema)
    with closing(duckdb.connect(str(catalogue), read_only=True)) as connection:
        seen = _columns(connection, "main")
        for name, columns in seen.items():
            if not ("personidentifikator" in columns and ("rad_nr" in columns or name == "person")):
                continue
            both = sorted(columns & there.get(name, set()))
            ours, theirs = (
                _rows(one, name, both, of) if both else Counter[Any]()
                for one, of in ((connection, "main"), (copy, schema))
            )
            if ours != theirs or (not both and _count(connection, name)):
                yield (
                    f"{name}: {(ours - theirs).total()} rows are missing in the copy, "
                    f"{(theirs - ours).total()} shouldn't be there"
                )


def wrong_delta(store: Path, catalogue: Path) -> Iterator[str]:
    """Tables of Delta that hold more or fewer rows than the catalogue's, right after a new base.

    Args:
        store: a local one.
        catalogue: its ``freg.duckdb``.
    """
    logs = [*store.glob("bases/*/*/_delta_log")]
    if not logs:
        yield "no base is registered for readers of Delta"
        return
    newest = max(logs, key=lambda one: one.stat().st_mtime).parents[1]
    with closing(duckdb.connect(str(catalogue), read_only=True)) as connection:
        for log in newest.glob("*/_delta_log"):
            rows = DeltaTable(log.parent).to_pyarrow_table().num_rows
            seen = _count(connection, log.parent.name)
            if rows != seen:
                yield f"{log.parent.name}: readers of Delta see {rows} rows, others {seen}"


def _columns(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    told = connection.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = ? AND table_catalog = current_database()",
        [schema],
    ).fetchall()
    for table, column, kind in told:
        if kind == "VARCHAR" or column in _KEYS:
            found.setdefault(table, set()).add(column)
    return found


def _rows(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], schema: str
) -> Counter[tuple[Any, ...]]:
    named = ", ".join(f'"{one}"' for one in columns)
    return Counter(connection.execute(f'SELECT {named} FROM {schema}."{table}"').fetchall())


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    ((count,),) = connection.execute(f'SELECT count(*) FROM main."{table}"').fetchall()
    return int(count)
