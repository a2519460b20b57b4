"""What must hold of a release, as SQL derived from its tables. Counts only, never a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import duckdb

from freg_pipeline.contract import Plan
from freg_pipeline.errors import StoreError
from freg_pipeline.journal.kinds import kind_of
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import read_if_there, require_current
from freg_pipeline.lake.codes import unlisted
from freg_pipeline.lake.drift import changes_between
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.sql import identifier
from freg_pipeline.store import Store

DESCRIPTIONS = {
    "rows_match_accounting": "person and person_naa have as many rows as the accounting says have"
    " landed, and every identifier is explained.",
    "keys_unique": "No table holds a key twice.",
    "rows_have_a_person": "Every row of every table belongs to a row of person.",
    "relations_have_targets": "Numbers that relations point to are persons, or have been.",
    "contract_unchanged": "The contract is that of the release before; if not, the uttrekk's"
    " metadata says what has changed.",
    "position_moved": "A release made of events reaches further in the event list than the one"
    " before.",
    "persons_delivered": "Everybody whom the last delta makes a person of their own again was"
    " delivered, too.",
    "fields_known": "The documents held no field that the contract doesn't know.",
    "codes_known": "The documents held no code that the contract doesn't list.",
}
_WARNINGS = {
    "persons_delivered",
    "relations_have_targets",
    "contract_unchanged",
    "fields_known",
    "codes_known",
}
_OWN_NUMBERS = "identifikasjonsnummer"  # their person is the row's


@dataclass(frozen=True)
class Check:
    """One check of one table.

    Attributes:
        name: one of DESCRIPTIONS.
        table: the table, or the column, that it looks at.
        sql: gives one number.
        expected: what the number must be.
    """

    name: str
    table: str
    sql: str
    expected: int = 0

    @property
    def severity(self) -> Literal["error", "warn"]:
        """Whether a failure means wrong tables, or something to look at."""
        return "warn" if self.name in _WARNINGS else "error"


@dataclass(frozen=True)
class CheckResult:
    """What a check found."""

    check: Check
    found: int

    @property
    def expected(self) -> int:
        """What it should have found."""
        return self.check.expected

    @property
    def passed(self) -> bool:
        """Whether it did."""
        return self.found == self.check.expected


def checks(manifest: Manifest, plan: Plan) -> Iterator[Check]:
    """All checks of a release."""
    yield Check("rows_match_accounting", "person", _count("person"), manifest.persons)
    unexplained = f"SELECT {manifest.accounting.unexplained}"
    yield Check("rows_match_accounting", "avvik", unexplained)
    yield Check("rows_match_accounting", "person_naa", _count("person_naa"), manifest.persons)
    yield _unique("person", ("personidentifikator",))
    yield _unique("person_naa", ("personidentifikator",))
    yield _with_person("person_naa")
    yield _unique("tidligere_identifikator", ("identifikator",))
    missing = manifest.deltas[-1].missing if manifest.deltas else 0
    yield Check("persons_delivered", "person", f"SELECT {missing}")
    for table in plan.tables:
        yield _unique(table.name, table.keys)
        yield _with_person(table.name)
    if kind_of(manifest.kind).is_everyone:  # a selection points to many whom it doesn't hold
        yield from _relations(plan)
    yield Check("fields_known", "ukjent_felt", "SELECT count(*) FROM ukjent_felt")
    yield from _codes(plan)


def _count(table: str) -> str:
    return f"SELECT count(*) FROM {identifier(table)}"  # noqa: S608


def _with_person(table: str) -> Check:
    sql = f"{_count(table)} ANTI JOIN person USING (personidentifikator)"
    return Check("rows_have_a_person", table, sql)


def _unique(table: str, keys: tuple[str, ...]) -> Check:
    columns, name = ", ".join(identifier(key) for key in keys), identifier(table)
    return Check(
        "keys_unique",
        table,
        f"SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {name})) "  # noqa: S608
        f"FROM {name}",
    )


def _relations(plan: Plan) -> Iterator[Check]:
    for table in plan.tables:
        for column in table.columns:
            if column.is_reference and table.entity != _OWN_NUMBERS:
                number = f"t.{identifier(column.name)}"
                yield Check(
                    "relations_have_targets",
                    f"{table.name}.{column.name}",
                    f"SELECT count(*) FROM {identifier(table.name)} AS t "  # noqa: S608
                    f"ANTI JOIN person ON person.personidentifikator = {number} "
                    "ANTI JOIN tidligere_identifikator AS earlier "
                    f"ON earlier.identifikator = {number} "
                    f"WHERE {number} IS NOT NULL",
                )


def _codes(plan: Plan) -> Iterator[Check]:
    for table in plan.tables:
        for column in table.columns:
            if column.codes:
                yield Check(
                    "codes_known",
                    f"{table.name}.{column.name}",
                    f"SELECT count(*) FROM {unlisted(table.name, column)}",  # noqa: S608
                )


def run_checks(store: Store, manifest: Manifest | None = None) -> list[CheckResult]:
    """Run all checks of a release; None: the current one.

    Raises:
        ConfigurationError: there is no release yet.
        StoreError: its files can't be read.
    """
    manifest = manifest or require_current(store)
    plan = load_plan(store, manifest.contract)
    with connect(store, manifest) as connection:
        try:
            return [
                CheckResult(check, _number(connection, check.sql))
                for check in (*checks(manifest, plan), *_since_the_last(store, manifest))
            ]
        except (duckdb.Error, OSError):
            raise StoreError(
                f"the files of release {manifest.number} can't be read",
                f"Find out which: freg release verify {manifest.number}",
            ) from None


def _since_the_last(store: Store, manifest: Manifest) -> Iterator[Check]:
    """What has changed since the release before, if that is still there."""
    before = read_if_there(store, manifest.previous)
    stuck = False
    if before is not None and manifest.deltas and before.uttrekk != manifest.uttrekk:
        stuck = before.sekvensnummer >= manifest.sekvensnummer  # a compaction keeps both
    yield Check("position_moved", "hendelse", f"SELECT {int(stuck)}")
    changes = changes_between(store, before.contract if before else None, manifest.contract)
    yield Check("contract_unchanged", "contract", f"SELECT {len(changes)}")


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(sql).fetchall()[0][0])
