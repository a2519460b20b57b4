"""The tables of a release as sources for dbt: what they mean, their types, and what holds of them.

dbt renders texts with Jinja, and puts codes into SQL as they are: both come from the contract, so
both are written such that they stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import duckdb
import yaml  # type: ignore[import-untyped]

from freg_pipeline.contract import Column, Plan, Table
from freg_pipeline.contract.names import PERSON_COLUMN
from freg_pipeline.journal.kinds import kind_of
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.offered import asset_parts, offered
from freg_pipeline.lake.owntable import TO_PERSON, TO_SOMEBODY
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import PERSON, TIDLIGERE_IDENTIFIKATOR
from freg_pipeline.lake.utgivelse import UTGIVELSE
from freg_pipeline.store import Store

_HEAD = """# Written by freg dbt-sources from the contract. When that changes, write it anew.
"""
_MEANING = "Folkeregisteret: tabellene i gjeldende utgivelse. Alle blir oppdatert samtidig."
_OWN_NUMBERS = "identifikasjonsnummer"  # their person is the row's
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")

Yaml = dict[str, Any]


class Naming(NamedTuple):
    """What a store's tables are called where others use them.

    Attributes:
        source: dbt's name of the source; also the name by which the catalogue is attached.
        prefix: of the tables' asset keys in Dagster.
    """

    source: str = "freg"
    prefix: tuple[str, ...] = ()


def of_release(store: Store, naming: Naming) -> str:
    """The file for the current release.

    Raises:
        ConfigurationError: there is no release yet.
    """
    manifest = require_current(store)
    plan = load_plan(store, manifest.contract)
    return dbt_sources(plan, naming, everyone=kind_of(manifest.kind).is_everyone)


def dbt_sources(plan: Plan, naming: Naming, *, everyone: bool) -> str:
    """The file that describes a release's tables to dbt.

    Args:
        plan: the contract's tables.
        naming: what the source, the catalogue and the assets are called.
        everyone: whether the release holds everyone: else many point to persons whom it doesn't.
    """
    tables = _Tables(naming, plan, everyone=everyone)
    catalogue = f"{identifier(naming.source)}.main.{UTGIVELSE}"
    source = {
        "name": naming.source,
        "description": _MEANING,
        "database": naming.source,
        "schema": "main",
        "config": {
            "loaded_at_query": f"SELECT utgitt FROM {catalogue}",  # noqa: S608
            "freshness": {
                "warn_after": {"count": 1, "period": "day"},
                "error_after": {"count": 7, "period": "day"},
            },
        },
        "tables": [tables.entry(one) for one in offered(plan)],
    }
    told = {"version": 2, "sources": [source]}
    text: str = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)
    return _HEAD + text


class _Tables:
    """The entries of a source's tables."""

    def __init__(self, naming: Naming, plan: Plan, *, everyone: bool) -> None:
        self._naming = naming
        self._contract = {table.name: table for table in plan.tables}
        self._everyone = everyone
        self._reserved = _reserved()

    def entry(self, table: Described) -> Yaml:
        """What is said of a table."""
        told: Yaml = {"name": table.name}
        if table.comment:
            told["description"] = _literally(table.comment)
        asset = [*self._naming.prefix, *asset_parts(table.name)]
        told["config"] = {"meta": {"dagster": {"asset_key": asset}}}
        if len(table.keys) > 1:
            key = f"row({', '.join(map(identifier, table.keys))})"
            told["data_tests"] = [{"unique": {"arguments": {"column_name": key}}}]
        told["columns"] = [self._column(table, *column) for column in table.shown]
        return told

    def _column(self, table: Described, name: str, kind: str, comment: str) -> Yaml:
        told: Yaml = {"name": name}
        if comment:
            told["description"] = _literally(comment)
        if kind:
            told["data_type"] = kind
        if not _PLAIN.fullmatch(name) or name in self._reserved:
            told["quote"] = True
        tests = [*self._tests(table, name, comment)]
        if tests:
            told["data_tests"] = tests
        return told

    def _tests(self, table: Described, name: str, comment: str) -> Iterator[Yaml | str]:
        if name in table.keys:
            yield "not_null"
            if len(table.keys) == 1:
                yield "unique"
        contract = self._contract.get(table.name)
        column = _of(contract, name)
        yield from self._relation(table, contract, column, name, comment)
        if column is not None and column.codes and not column.repeated:
            values = [_literally(code.replace("'", "''")) for code in column.codes]
            yield {"accepted_values": {"arguments": {"values": values}, "config": _warning()}}

    def _relation(
        self,
        table: Described,
        contract: Table | None,
        column: Column | None,
        name: str,
        comment: str,
    ) -> Iterator[Yaml]:
        if name == PERSON_COLUMN and (contract is not None or table.name == PERSON_NAA.name):
            yield self._points(f"source('{self._naming.source}', '{PERSON.name}')", PERSON_COLUMN)
        elif not self._everyone:
            return
        elif contract is not None:
            if column is not None and column.is_reference and contract.entity != _OWN_NUMBERS:
                yield self._somebody(table.name, name)
        elif comment.endswith((TO_PERSON, TO_SOMEBODY)):
            yield self._somebody(table.name, name)

    def _points(self, to: str, field: str) -> Yaml:
        return {"relationships": {"arguments": {"to": to, "field": field}}}

    def _somebody(self, table: str, column: str) -> Yaml:
        """A number that is somebody's, or has been."""
        person, earlier = (
            f"{{{{ source('{self._naming.source}', '{one.name}') }}}}"
            for one in (PERSON, TIDLIGERE_IDENTIFIKATOR)
        )
        numbers = (
            f"(SELECT {PERSON_COLUMN} AS nummer FROM {person}"  # noqa: S608
            f" UNION ALL SELECT identifikator FROM {earlier})"
        )
        told = self._points(numbers, "nummer")["relationships"] | {"config": _warning()}
        name = f"viser_til_person_{self._naming.source}_{table}_{column}"
        return {"relationships": {"name": name, **told} if name.isascii() else told}


def _warning() -> Yaml:
    """The register may have moved on: something to look at, and no error in the tables."""
    return {"severity": "warn"}


def _of(contract: Table | None, name: str) -> Column | None:
    columns = contract.columns if contract is not None else ()
    return next((column for column in columns if column.name == name), None)


def _literally(text: str) -> str:
    """A text in which Jinja finds nothing to do."""
    return re.sub(r"\{(?=[{%#])", "{{ '{' }}", text)


def _reserved() -> set[str]:
    """Words that DuckDB doesn't take for a column's name."""
    with duckdb.connect() as connection:
        words = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
        return {word for (word,) in connection.execute(words).fetchall()}
