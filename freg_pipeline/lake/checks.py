"""What must hold of a release, as SQL derived from its tables. Counts only, never a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import duckdb

from freg_pipeline.contract import Plan
from freg_pipeline.journal.kinds import kind_of
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import read_if_there, require_current
from freg_pipeline.lake.codes import unlisted
from freg_pipeline.lake.described import described
from freg_pipeline.lake.drift import changes_between
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.query import connect, reading
from freg_pipeline.lake.sound import Soundness
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.lake.tables import UKJENT_FELT
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
# What is checked of each table by itself.
OF_TABLES = {
    "keys_unique",
    "rows_have_a_person",
    "relations_have_targets",
    "fields_known",
    "codes_known",
}
_WARNINGS = {
    "persons_delivered",
    "relations_have_targets",
    "contract_unchanged",
    "fields_known",
    "codes_known",
}
_OWN_NUMBERS = "identifikasjonsnummer"  # their person is the row's
# A selection points to many whom it doesn't hold.
OF_EVERYONE = {"relations_have_targets"}


@dataclass(frozen=True)
class Check:
    """One check of one table.

    Attributes:
        name: one of DESCRIPTIONS.
        table: the table that it concerns.
        sql: gives one number.
        expected: what the number must be.
        column: the column that it looks at; empty: the table as a whole.
    """

    name: str
    table: str
    sql: str
    expected: int = 0
    column: str = ""

    @property
    def place(self) -> str:
        """The table, or the table's column."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def severity(self) -> Literal["error", "warn"]:
        """Whether a failure means wrong tables, or something to look at."""
        return "warn" if self.name in _WARNINGS else "error"


Wanted = Callable[[Check], bool]


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
    missing = manifest.deltas[-1].missing if manifest.deltas else 0
    yield Check("persons_delivered", "person", f"SELECT {missing}")
    everyone = kind_of(manifest.kind).is_everyone
    for check in table_checks(plan):
        if everyone or check.name not in OF_EVERYONE:
            yield check


def table_checks(plan: Plan) -> Iterator[Check]:
    """What must hold of each table by itself, whatever the release; of some, only of everyone."""
    for table in described(plan):
        if table.keys:
            yield _unique(table.name, table.keys)
    for name in (PERSON_NAA.name, *(table.name for table in plan.tables)):
        yield _with_person(name)
    yield from _relations(plan)
    yield from _fields(plan)
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
                    table.name,
                    f"SELECT count(*) FROM {identifier(table.name)} AS t "  # noqa: S608
                    f"ANTI JOIN person ON person.personidentifikator = {number} "
                    "ANTI JOIN tidligere_identifikator AS earlier "
                    f"ON earlier.identifikator = {number} "
                    f"WHERE {number} IS NOT NULL",
                    column=column.name,
                )


def _fields(plan: Plan) -> Iterator[Check]:
    """What the contract doesn't know, anywhere; and within each entity, at the entity's table."""
    yield Check("fields_known", UKJENT_FELT.name, _count(UKJENT_FELT.name))
    for table in plan.tables:
        if not table.levels:
            name = quoted(table.entity)
            yield Check(
                "fields_known",
                table.name,
                f"{_count(UKJENT_FELT.name)} WHERE sti = {name} "
                f"OR starts_with(sti, {name} || '.') OR starts_with(sti, {name} || ' (')",
            )


def _codes(plan: Plan) -> Iterator[Check]:
    for table in plan.tables:
        for column in table.columns:
            if column.codes:
                yield Check(
                    "codes_known",
                    table.name,
                    f"SELECT count(*) FROM {unlisted(table.name, column)}",  # noqa: S608
                    column=column.name,
                )


def run_checks(
    store: Store, manifest: Manifest | None = None, wanted: Wanted | None = None
) -> list[CheckResult]:
    """Run checks of a release.

    Args:
        store: where it lies.
        manifest: the release; None: the current one.
        wanted: which checks; None: all.

    Raises:
        ConfigurationError: there is no release yet.
        StoreError: its files can't be read.
    """
    manifest = manifest or require_current(store)
    plan = load_plan(store, manifest.contract)
    every = (*checks(manifest, plan), *_since_the_last(store, manifest))
    sound = Soundness(store, manifest, plan)
    with connect(store, manifest, states=False) as connection, reading(store, manifest):
        return [
            CheckResult(check, 0 if _is_sound(check, sound) else _number(connection, check.sql))
            for check in every
            if wanted is None or wanted(check)
        ]


def _is_sound(check: Check, sound: Soundness) -> bool:
    """Whether a check is known to find nothing."""
    if check.name == "keys_unique":
        return sound.are_unique(check.table)
    return check.name == "rows_have_a_person" and sound.have_persons(check.table)


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
