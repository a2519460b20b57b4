"""The SQL of the macros over a release: earlier states, and the number that somebody has now.

DuckDB resolves a view's tables where the view lies, but a macro's where it is called: attached to
another database, a macro that names tables finds none, or the reader's own of that name. So macros
name files only, those of the release, whatever the catalogue is attached as.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freg_pipeline.lake.described import Described
from freg_pipeline.lake.norwegian import local
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.people import DAY, KNOWN, People
from freg_pipeline.lake.protection import HOME, Protection, Relation
from freg_pipeline.lake.sources import UNTIL_COLUMN, Source
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.lake.tables import (
    DELTA_COLUMN,
    HENDELSE,
    HENDELSE_EGENSKAP,
    PERSON_KEY,
    TIDLIGERE_IDENTIFIKATOR,
)
from freg_pipeline.lake.views import (
    REPLACED_NUMBERS,
    REPLACED_PERSONS,
    StateConditions,
    columns_of,
    keyed_in,
    rows_in,
    with_person,
)

_POSITION = "ved_sekvensnummer"  # no table's column: a macro's argument would hide that
_NUMBER = "nummer"  # likewise
_NAMES = "navn"
# Whom deltas hide: a macro's own, named as the tables that views find it in.
_WHOM = {name: name for name in (REPLACED_PERSONS, REPLACED_NUMBERS)}


class Macros:
    """The macros of one release.

    Args:
        tables: its tables.
        sources: where their rows are.
        replaced: the SQL that reads the files of whom deltas replace; None: nobody is.
        protection: who is protected, by the tables.
        today: who is protected in the current release, where this is an earlier state.
        status_is_told: whether the register was asked who is resident.
    """

    def __init__(
        self,
        tables: Iterable[Described],
        sources: dict[str, Source],
        replaced: str | None,
        protection: Protection,
        today: str | None = None,
        *,
        status_is_told: bool = True,
    ) -> None:
        self._columns = {table.name: columns_of(table) for table in tables}
        self._sources = sources
        self._protection = protection
        self._today = today
        self._hidden = {
            REPLACED_PERSONS: _hidden(replaced, "WHERE rader"),
            REPLACED_NUMBERS: _hidden(replaced, ""),
        }
        self._status_is_told = status_is_told
        self._now_state, self._then_state = StateConditions(_WHOM), _at(_POSITION)
        self._now, self._then = map(self._relation, (self._now_state, self._then_state))

    def current_number(self) -> str:
        """``CREATE MACRO`` of the number that whoever had a number has now."""
        earlier = self._now(TIDLIGERE_IDENTIFIKATOR.name)
        found = self._reading(
            f"SELECT any_value(t.personidentifikator) FROM {earlier} AS t "  # noqa: S608
            f"WHERE t.identifikator = {_NUMBER}"
        )
        return (
            f"CREATE OR REPLACE MACRO gjeldende_identifikator({_NUMBER}) AS "
            f"coalesce(({found}), {_NUMBER})"
        )

    def earlier_states(self, first: int) -> Iterator[str]:
        """``CREATE MACRO`` for each table: its rows as they were at a position of the event list.

        Args:
            first: the earliest position that can be shown.
        """
        told = quoted(
            f"this release shows states from sequence number {first} on; "
            "see freg sql --as-of for earlier ones"
        )
        then = {name: self._shown(name) for name in self._columns if name != _NAMES}
        for name, rows in {
            **then,
            **self._people(self._shown_then, self._then_state).views(),
        }.items():
            shown = f"SELECT * FROM ({rows}) WHERE {_kept(_POSITION, first, told)}"  # noqa: S608
            yield (
                f"CREATE OR REPLACE MACRO {identifier(f'{name}_per')}({_POSITION}) AS TABLE "
                f"{self._reading(shown)}"
            )
        if _NAMES in self._columns:
            yield self._names(first, told)

    def of_days(self) -> Iterator[str]:
        """``CREATE MACRO`` of who lived where at a day, and of how old somebody is."""
        people = self._people(self._now, self._now_state)
        yield (
            f"CREATE OR REPLACE MACRO befolkning_per({DAY}, {KNOWN} := NULL) AS TABLE "
            f"{self._reading(people.befolkning(DAY, KNOWN))}"
        )
        today = f"{local('now()')}::DATE"
        yield (
            f"CREATE OR REPLACE MACRO alder(foedselsdato, {DAY} := {today}) AS "
            f"date_sub('year', foedselsdato::DATE, ({DAY})::DATE)"
        )

    def _names(self, first: int, told: str) -> str:
        """``navn_per``: at a position, as every table; or at a day, by when names held."""
        position = f"TRY_CAST({_POSITION}::VARCHAR AS BIGINT)"
        columns, source = self._columns[_NAMES], self._sources[_NAMES]
        then = rows_in(_NAMES, columns, source, _at(position))
        by_day = self._people(self._now, self._now_state).navn(columns, f"{_POSITION}::VARCHAR")
        shown = self._reading(
            f"SELECT * FROM ({then}) "  # noqa: S608
            f"WHERE {position} IS NOT NULL AND {_kept(position, first, told)} "
            f"UNION ALL SELECT * FROM ({by_day}) WHERE {position} IS NULL"
        )
        return f"CREATE OR REPLACE MACRO {_NAMES}_per({_POSITION}) AS TABLE {shown}"

    def _reading(self, rows: str) -> str:
        """Rows, with whom deltas hide told once, before them: it is asked of each table."""
        told = [
            f"{name} AS {read}" for name, read in self._hidden.items() if f"FROM {name} " in rows
        ]
        return f"WITH {', '.join(told)} {rows}" if told else rows

    def _people(self, shown: Relation, state: StateConditions) -> People:
        return People(shown, keyed_in(self._sources, state), self._status_is_told)

    def _shown_then(self, name: str) -> str:
        return f"({self._shown(name)})"

    def _shown(self, name: str) -> str:
        """A table's rows then, with the stricter of the protections then and today."""
        rows, columns, protection = self._then(name), self._columns[name], self._protection
        if name in protection.graded:
            today = self._today or protection.numbers(self._now, [name])
            return protection.marked(rows, columns, today)
        if name == PERSON_NAA.name:
            homes = [HOME] if HOME in protection.graded else []
            today = self._today or protection.numbers(self._now, homes)
            return protection.without_homes(rows, columns, today)
        if name == HENDELSE_EGENSKAP.name:
            told = [protection.numbers(one, protection.graded) for one in (self._then, self._now)]
            told += [self._today] if self._today else []
            return protection.without_addresses(rows, columns, self._then, told)
        if name == HENDELSE.name:
            return with_person(f"FROM {rows}", self._then)
        return f"FROM {rows}"

    def _relation(self, state: StateConditions) -> Relation:
        def rows(name: str) -> str:
            return f"({rows_in(name, self._columns[name], self._sources[name], state)})"

        return rows


def _at(position: str) -> StateConditions:
    """The state at a position."""
    return StateConditions(
        _WHOM,
        f"WHERE {DELTA_COLUMN} <= {position}",
        f"WHERE {UNTIL_COLUMN} <= {position}",
        f"WHERE {DELTA_COLUMN} <= {position}",
    )


def _kept(position: str, first: int, told: str) -> str:
    return f"CASE WHEN {position} < {first} THEN error({told})::BOOLEAN ELSE true END"


def _hidden(replaced: str | None, condition: str) -> str:
    """Whom deltas hide, as :func:`freg_pipeline.lake.sources.replaced` tells it, from files."""
    if replaced is None:
        nothing = (PERSON_KEY, DELTA_COLUMN, UNTIL_COLUMN)
        return f"(SELECT {', '.join(f'NULL::BIGINT AS {name}' for name in nothing)} LIMIT 0)"
    return (
        f"(SELECT {PERSON_KEY}, {DELTA_COLUMN}, lead({DELTA_COLUMN}) OVER "  # noqa: S608
        f"(PARTITION BY {PERSON_KEY} ORDER BY {DELTA_COLUMN}) AS {UNTIL_COLUMN} "
        f"FROM {replaced} {condition})"
    )
