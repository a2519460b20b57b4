"""Copies of a release's tables, kept by nothing but files of changes, as docs/warehouse.md says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from freg_pipeline.changes.difference import changes
from freg_pipeline.changes.folder import ChangeSet, write_changes
from freg_pipeline.changes.since import state_since
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.tables import HENDELSE, described
from freg_pipeline.store import Store

PAGE = Path(__file__).parents[1] / "docs/warehouse.md"


def documented(language: str) -> str:
    """The page's block of code in a language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(block)


def recipe() -> Callable[[duckdb.DuckDBPyConnection, Path], None]:
    """The page's function that takes a set of changes in."""
    names: dict[str, Any] = {}
    exec(documented("python"), names)
    taken: Callable[[duckdb.DuckDBPyConnection, Path], None] = names["take_in"]
    return taken


class Copy:
    """A copy in DuckDB.

    Attributes:
        connection: where it lies.
        release: what it has; ``0``: nothing.
        kept: the numbers of events that it has had.
    """

    def __init__(self, folder: Path) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.release = "0"
        self.kept: set[int] = set()
        self._folder = folder
        self._sets = 0
        self._take_in = recipe()

    def keep_up(self, store: Store) -> ChangeSet:
        """Write what is new, and take it in."""
        self._sets += 1
        output = self._folder / f"changes-{self._sets}"
        with changes(store, state_since(store, self.release), require_current(store)) as found:
            written = write_changes(found, output)
        self._take_in(self.connection, output)
        self._take_in(self.connection, output)  # whoever was interrupted takes it in again
        self.release = written.after.release
        return written

    def wrong(self, store: Store) -> dict[str, tuple[int, int]]:
        """By table that isn't as its view: how many rows only the view, and only the copy has."""
        found = {}
        manifest = require_current(store)
        with closing(connect(store, manifest)) as views:
            views.execute("SET TimeZone = 'UTC'")
            for table in described(load_plan(store, manifest.contract)):
                columns = ", ".join(f'"{name}"' for name, _, _ in table.shown)
                rows = f'SELECT {columns} FROM "{table.name}"'
                there, here = _rows(views, rows), _rows(self.connection, rows)
                more = here - there
                if table.name == HENDELSE.name:
                    numbers = {row[0] for row in there}
                    more = Counter(row for row in more.elements() if row[0] in numbers)
                    self.kept |= numbers
                    if self.kept - {row[0] for row in here}:
                        found["kept"] = (len(self.kept), len(here))
                if there - here or more:
                    found[table.name] = ((there - here).total(), more.total())
        return found


def _rows(connection: duckdb.DuckDBPyConnection, statement: str) -> Counter[tuple[Any, ...]]:
    rows = connection.execute(statement).fetchall()
    return Counter(
        tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in rows
    )
