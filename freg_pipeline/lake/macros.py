"""The SQL of the macros over a release: earlier states, and the number that somebody has now.

DuckDB resolves a view's tables where the view lies, but a macro's where it is called: attached to
another database, a macro that names tables finds none, or the reader's own of that name. So macros
name files only, those of the release, whatever the catalogue is attached as.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.protection import HOME, Protection, Relation
from freg_pipeline.lake.sources import UNTIL_COLUMN, Source
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.lake.tables import (
    DELTA_COLUMN,
    HENDELSE_EGENSKAP,
    PERSON_KEY,
    TIDLIGERE_IDENTIFIKATOR,
    Described,
)
from freg_pipeline.lake.views import (
    REPLACED_NUMBERS,
    REPLACED_PERSONS,
    StateConditions,
    columns_of,
    rows_in,
)

_POSITION = "ved_sekvensnummer"  # no table's column: a macro's argument would hide that
_NUMBER = "nummer"  # likewise


class Macros:
    """The macros of one release.

    Args:
        tables: its tables.
        sources: where their rows are.
        replaced: the SQL that reads the files of whom deltas replace; None: nobody is.
        protection: who is protected, by the tables.
        today: who is protected in the current release, where this is an earlier state.
    """

    def __init__(
        self,
        tables: Iterable[Described],
        sources: dict[str, Source],
        replaced: str | None,
        protection: Protection,
        today: str | None = None,
    ) -> None:
        self._columns = {table.name: columns_of(table) for table in tables}
        self._sources = sources
        self._protection = protection
        self._today = today
        hidden = {
            REPLACED_PERSONS: _hidden(replaced, "WHERE rader"),
            REPLACED_NUMBERS: _hidden(replaced, ""),
        }
        self._now = self._relation(StateConditions(hidden))
        self._then = self._relation(
            StateConditions(
                hidden,
                f"WHERE {DELTA_COLUMN} <= {_POSITION}",
                f"WHERE {UNTIL_COLUMN} <= {_POSITION}",
                f"WHERE {DELTA_COLUMN} <= {_POSITION}",
            )
        )

    def current_number(self) -> str:
        """``CREATE MACRO`` of the number that whoever had a number has now."""
        earlier = self._now(TIDLIGERE_IDENTIFIKATOR.name)
        return (
            f"CREATE OR REPLACE MACRO gjeldende_identifikator({_NUMBER}) AS coalesce("  # noqa: S608
            f"(SELECT any_value(t.personidentifikator) FROM {earlier} AS t "
            f"WHERE t.identifikator = {_NUMBER}), {_NUMBER})"
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
        kept = f"CASE WHEN {_POSITION} < {first} THEN error({told})::BOOLEAN ELSE true END"
        for name in self._columns:
            yield (
                f"CREATE OR REPLACE MACRO {identifier(f'{name}_per')}({_POSITION}) AS TABLE "  # noqa: S608
                f"SELECT * FROM ({self._shown(name)}) WHERE {kept}"
            )

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
        return f"FROM {rows}"

    def _relation(self, state: StateConditions) -> Relation:
        def rows(name: str) -> str:
            return f"({rows_in(name, self._columns[name], self._sources[name], state)})"

        return rows


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
