"""The SQL of the views over a release: one a table, and a few for convenience."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from freg_pipeline.contract.names import PERSON_COLUMN
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.people import Keyed, People
from freg_pipeline.lake.people_described import MACROS, NAMES, OVERVIEW, OVERVIEW_COLUMNS
from freg_pipeline.lake.protection import Protection, Relation
from freg_pipeline.lake.sources import UNTIL_COLUMN, Part, Source
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.lake.tables import (
    DELTA_COLUMN,
    HENDELSE,
    HENDELSE_EGENSKAP,
    IDENTITY,
    OWN_TABLES,
    PERSON_KEY,
    TIDLIGERE_IDENTIFIKATOR,
    UKJENT_FELT,
)

# Whom deltas replace, as tables beside the views; see freg_pipeline.lake.sources.replaced.
REPLACED_PERSONS = "_erstattet"
REPLACED_NUMBERS = "_omregnet"
_HIDDEN = {TIDLIGERE_IDENTIFIKATOR.name: REPLACED_NUMBERS, IDENTITY.name: REPLACED_NUMBERS}
_APPENDED = {own.name for own in OWN_TABLES if not own.per_person}


def table_views(
    tables: Iterable[Described],
    sources: dict[str, Source],
    protection: Protection,
    today: str | None = None,
) -> Iterator[str]:
    """``CREATE VIEW`` for each table: its rows in the release's state.

    Args:
        tables: the release's tables.
        sources: where their rows are.
        protection: who is protected, by them.
        today: who is protected in the current release, where this is an earlier state.
    """
    last = []
    for table in tables:
        columns = columns_of(table)
        rows = current_rows(table.name, columns, sources[table.name])
        if table.name == HENDELSE_EGENSKAP.name:
            told = [protection.numbers(identifier, protection.graded), *([today] if today else [])]
            rows = protection.without_addresses(rows, columns, identifier, told)
            last.append(_view(table.name, rows))  # it reads other views
            continue
        if table.name == HENDELSE.name:
            last.insert(0, _view(table.name, with_person(rows, identifier)))
            continue
        if today is not None and table.name == PERSON_NAA.name:
            rows = protection.without_homes(rows, columns, today)
        elif today is not None and table.name in protection.graded:
            rows = protection.marked(rows, columns, today)
        yield _view(table.name, rows)
    yield from last


def with_person(rows: str, state: Relation) -> str:
    """Events with the number that whom they concern has now, in a state."""
    return (
        f"SELECT h.*, coalesce(t.{PERSON_COLUMN}, h.folkeregisteridentifikator) "  # noqa: S608
        f"AS {PERSON_COLUMN} FROM ({rows}) AS h "
        f"LEFT JOIN {state(TIDLIGERE_IDENTIFIKATOR.name)} AS t "
        "ON t.identifikator = h.folkeregisteridentifikator"
    )


def _view(name: str, rows: str) -> str:
    return f"CREATE OR REPLACE VIEW {identifier(name)} AS {rows}"


@dataclass(frozen=True)
class StateConditions:
    """How the rows of one state are told from others, as SQL conditions; empty: all are.

    Attributes:
        hidden: the relations that tell whom deltas replace, by REPLACED_PERSONS, REPLACED_NUMBERS.
        replaced: of what deltas replace: whether they have by then.
        superseded: of what they put in its place: whether another delta has replaced that.
        there: of a delta's rows: whether they are there by then.
    """

    hidden: Mapping[str, str]
    replaced: str = ""
    superseded: str = f"WHERE {UNTIL_COLUMN} IS NOT NULL"
    there: str = ""


_NOW = StateConditions({name: name for name in (REPLACED_PERSONS, REPLACED_NUMBERS)})


def current_rows(name: str, columns: dict[str, str], source: Source) -> str:
    """The SQL of a table's current rows.

    Args:
        name: the table.
        columns: which columns, with their types.
        source: where its rows are.
    """
    return rows_in(name, columns, source, _NOW)


def columns_of(table: Described) -> dict[str, str]:
    """A table's columns, with DuckDB's types."""
    return {name: kind for name, kind, _ in table.columns}


def rows_in(name: str, columns: dict[str, str], source: Source, state: StateConditions) -> str:
    """A table's rows in a state: the base's that aren't replaced, and the deltas' that hold."""
    hidden = state.hidden[_HIDDEN.get(name, REPLACED_PERSONS)]
    keyed = name not in _APPENDED
    parts = []
    if source.base is not None:
        where = f"ANTI JOIN (FROM {hidden} {state.replaced}) USING ({PERSON_KEY})"
        parts.append(_select(columns, source.base, where if keyed and source.replaced else ""))
    for part in source.deltas:
        pair = f"{PERSON_KEY}, {DELTA_COLUMN}"
        where = f"ANTI JOIN (FROM {hidden} {state.superseded}) USING ({pair})"
        parts.append(_select(columns, part, f"{where if keyed else ''} {state.there}"))
    rows = " UNION ALL ".join(parts) or f"{_select(columns, Part('(SELECT 1)', {}), 'LIMIT 0')}"
    if name == UKJENT_FELT.name and source.deltas:
        return (
            f"SELECT sti, sum(antall)::BIGINT AS antall, min(eksempel) AS eksempel FROM ({rows}) "  # noqa: S608
            "GROUP BY sti"
        )
    return rows


def _select(columns: dict[str, str], part: Part, condition: str) -> str:
    shown = ", ".join(_column(part, name, kind) for name, kind in columns.items())
    return f"SELECT {shown} FROM {part.relation} {condition}".rstrip()  # noqa: S608


def _column(part: Part, name: str, kind: str) -> str:
    """A column of the current contract, from files of an earlier one, maybe."""
    there = part.columns.get(name)
    if there == kind:
        return identifier(name)
    value = "NULL" if there is None else identifier(name)
    return f"TRY_CAST({value} AS {kind}) AS {identifier(name)}"


def comments(tables: Iterable[Described]) -> Iterator[str]:
    """``COMMENT ON`` for each table and column that has one."""
    for table in tables:
        if table.comment:
            yield f"COMMENT ON VIEW {identifier(table.name)} IS {quoted(table.comment)}"
        for name, _, text in table.shown:
            if text:
                column = f"{identifier(table.name)}.{identifier(name)}"
                yield f"COMMENT ON COLUMN {column} IS {quoted(text)}"


def macro_comments(tables: Iterable[Described]) -> Iterator[str]:
    """``COMMENT ON`` for the macros that aren't any table's as of earlier."""
    there = {f"MACRO TABLE {table.name}_per" for table in tables}
    for macro, text in MACROS.items():
        if macro != NAMES or NAMES in there:
            yield f"COMMENT ON {macro} IS {quoted(text)}"


def people_views(sources: dict[str, Source], *, status_is_told: bool) -> Iterator[str]:
    """``CREATE VIEW`` for each view of people, and of what is asked for most of each person.

    Args:
        sources: where the tables' rows are.
        status_is_told: whether the register was asked who is resident.
    """
    people = People(identifier, keyed_in(sources, _NOW), status_is_told)
    picked = ", ".join(OVERVIEW_COLUMNS)
    yield _view(OVERVIEW, f"SELECT {picked} FROM {PERSON_NAA.name}")  # noqa: S608  ours
    for name, rows in people.views().items():
        yield _view(name, rows)


def keyed_in(sources: dict[str, Source], state: StateConditions) -> Keyed:
    """Chosen columns of tables in a state, with the persons' keys."""

    def keyed(name: str, columns: Mapping[str, str]) -> str:
        source = sources.get(name, Source(None, (), replaced=False))
        wanted = {PERSON_KEY: "BIGINT", PERSON_COLUMN: "VARCHAR", **columns}
        return f"({rows_in(name, wanted, source, state)})"

    return keyed
