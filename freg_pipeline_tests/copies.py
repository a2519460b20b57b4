"""Copies of a release's tables, kept by nothing but files of changes, as docs/warehouse.md says."""

from __future__ import annotations

import json
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
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.lake.content import contents
from freg_pipeline.lake.described import described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.tables import HENDELSE, HENDELSE_EGENSKAP
from freg_pipeline.store import Store

Row = tuple[Any, ...]
# What tells rows of events apart.
EVENTS = {HENDELSE.name: "sekvensnummer", HENDELSE_EGENSKAP.name: "sekvensnummer, egenskap_nr"}
PAGE = Path(__file__).parents[1] / "docs/warehouse.md"


def documented(language: str, place: int = 0) -> str:
    """The page's blocks of code in a language: the first one, or another."""
    return str(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)[place])


def recipe(name: str = "take_in", place: int = 0) -> Callable[..., Any]:
    """A function of the page: what takes a set of changes in, or another block's."""
    names: dict[str, Any] = {}
    exec(documented("python", place), names)
    found: Callable[..., Any] = names[name]
    return found


class Copy:
    """A copy in DuckDB.

    Attributes:
        connection: where it lies.
        release: what it has; ``0``: nothing.
        kept: by table of events the keys of those of full loads that have ended.
    """

    def __init__(self, folder: Path) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.release = "0"
        self.kept: dict[str, set[Row]] = {name: set() for name in EVENTS}
        self._known: dict[tuple[str, str], set[Row]] = {}
        self._shown: dict[str, set[Row]] = {name: set() for name in EVENTS}
        self._folder = folder
        self._sets = 0
        self._take_in = recipe()

    def keep_up(self, store: Store) -> ChangeSet:
        """Write what is new, and take it in."""
        self._sets += 1
        output = self._folder / f"changes-{self._sets}"
        before, after = state_since(store, self.release), require_current(store)
        with changes(store, before, after) as found:
            written = write_changes(found, output, contents=contents(store, after))
        self._expect(store, before, after)
        self._take_in(self.connection, output)
        self._take_in(self.connection, output)  # whoever was interrupted takes it in again
        self.release = written.after.release
        return written

    def _expect(self, store: Store, before: Manifest | None, after: Manifest) -> None:
        """Note which events it has to have: whatever full loads have ended, none gets lost."""
        for name in EVENTS:
            shown = self._keys_shown(store, after, name)
            if before is not None and before.base.uttrekk == after.base.uttrekk:
                self.kept[name] -= self._shown[name] - shown  # an earlier release was restored
            else:
                self.kept[name] |= self._shown[name]
                for one in list_releases(store):
                    if self._is_of_another_load(one, before, after):
                        self.kept[name] |= self._keys_shown(store, one, name)
            self._shown[name] = shown

    @staticmethod
    def _is_of_another_load(one: Manifest, before: Manifest | None, after: Manifest) -> bool:
        """Whether a release lies between, and is the last of a full load that isn't current."""
        if before is None or not before.number <= one.number < after.number:
            return False
        return one.base.uttrekk != after.base.uttrekk

    def wrong(self, store: Store) -> dict[str, tuple[int, int]]:
        """By table that isn't as its view: how many rows only the view, and only the copy has."""
        found = self._unlike(store)
        manifest = require_current(store)
        tables = described(load_plan(store, manifest.contract))
        if more := self._tables() - {table.name for table in tables}:
            found |= {f"{name}, gone": (0, 1) for name in more}
        with closing(connect(store, manifest, states=False)) as views:
            views.execute("SET TimeZone = 'UTC'")
            for table in tables:
                columns = ", ".join(f'"{name}"' for name, _, _ in table.shown)
                rows = f'SELECT {columns} FROM "{table.name}"'
                there, here = _rows(views, rows), _rows(self.connection, rows)
                more = here - there
                if table.name in EVENTS:
                    kept = self._kept(table.name, more)
                    more -= kept
                    if missing := self.kept[table.name] - self._keys(table.name):
                        found[f"{table.name}, lost"] = (len(missing), 0)
                named = [
                    one for one, *_ in self.connection.execute(f"DESCRIBE {table.name}").fetchall()
                ]
                if named != [one for one, _, _ in table.shown]:
                    found[f"{table.name}, columns"] = (len(table.shown), len(named))
                if there - here or more:
                    found[table.name] = ((there - here).total(), more.total())
        return found

    def _unlike(self, store: Store) -> dict[str, tuple[int, int]]:
        """By table whose rows or hash, by the page's SQL, aren't what the last set has told."""
        folder = self._folder / f"changes-{self._sets}"
        hash_sql, found = recipe("hash_sql", 1), {}
        for name, told in json.loads((folder / "manifest.json").read_text())["tables"].items():
            content = told["content"]
            query = hash_sql(name, told["columns"], "duckdb")
            if name in EVENTS:
                query += " WHERE sekvensnummer BETWEEN ? AND ?"
            places = [content["first"], content["last"]] if name in EVENTS else []
            ((rows, total),) = self.connection.execute(query, places).fetchall()
            if (rows, total) != (content["rows"], content["hash"]):
                found[f"{name}, hash"] = (content["rows"], rows)
        return found

    def _tables(self) -> set[str]:
        """The tables that it has."""
        told = self.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return {name for (name,) in told if name != "copied"}

    def _keys_shown(self, store: Store, manifest: Manifest, table: str) -> set[Row]:
        known = manifest.number, table
        if known not in self._known:
            with closing(connect(store, manifest, states=False)) as views:
                rows = views.execute(f"SELECT {EVENTS[table]} FROM {table}")
                self._known[known] = {*rows.fetchall()}
        return self._known[known]

    def _keys(self, table: str) -> set[Row]:
        rows = self.connection.execute(f"SELECT {EVENTS[table]} FROM {table}")
        return {*rows.fetchall()}

    def _kept(self, table: str, more: Counter[Row]) -> Counter[Row]:
        """Of rows that no view shows those that it is right to keep, each once, without address."""
        names = [name for name, *_ in self.connection.execute(f"DESCRIBE {table}").fetchall()]
        found = Counter[Row]()
        for row in more:
            told = dict(zip(names, row, strict=False))
            key = tuple(told[name] for name in EVENTS[table].split(", "))
            address = "adressegradering" in (told.get("innhold") or "")
            if key in self.kept[table] - self._shown[table] and not address:
                found[row] = 1
        return found


def _rows(connection: duckdb.DuckDBPyConnection, statement: str) -> Counter[Row]:
    rows = connection.execute(statement).fetchall()
    return Counter(
        tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in rows
    )
