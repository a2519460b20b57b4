"""What rules a column can have: numbers as pseudonyms only, what identifies only if it is said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from freg_pipeline.contract import Identity, Plan, Table, ValueKind
from freg_pipeline.contract.names import ELEMENT_COLUMN, ROW_COLUMN
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.lake.described import Described, described, identity_columns
from freg_pipeline.lake.people_described import VIEWS
from freg_pipeline.outside import showable
from freg_pipeline.pseudonyms.rules import Rule

_KOMMUNE = re.compile(r"(?:.*_)?(?:\w*kommunenummer|bostedskommune|foedekommune_i_norge|kommune)")
_COUNTRY = re.compile(
    r"(?:.*_)?(?:landkode|utstederland|fraflyttingsland|tilflyttingsland|utland|foedeland"
    r"|statsborgerskap|fra_land|til_land)"
)
_PLACES = re.compile(rf"{ROW_COLUMN}|{ELEMENT_COLUMN}(?:_\d+)?")
# Codes in tables and views of ours, which no contract tells apart from other texts.
_OWN_CODES = {
    "person_naa": {"kjoenn", "status", "sivilstand"},
    "person_oversikt": {"kjoenn", "status", "sivilstand"},
    "flytting": {"type"},
    "hendelse": {"hendelsetype"},
    "avvik": {"utfall"},
    "husstand": {"antall"},
}
_WHOLE = {"SMALLINT", "INTEGER", "BIGINT"}
_MOMENTS = {"DATE", "TIMESTAMP WITH TIME ZONE"}
_COARSER = {Rule.YEAR, Rule.FIVE_YEARS}
_DROP = frozenset({Rule.DROP})
# As DuckDB's types; what isn't told stays as it is.
_TYPES = {
    Rule.PSEUDONYM: "VARCHAR",
    Rule.YEAR: "SMALLINT",
    Rule.FIVE_YEARS: "SMALLINT",
    Rule.MONTH: "DATE",
}


@dataclass(frozen=True)
class Columns:
    """A table that a copy may be of, and what can become of its columns.

    Attributes:
        described: the table.
        allowed: by column, its rules.
        beside: by column that names another person, the columns that tell of the same one.
    """

    described: Described
    allowed: dict[str, frozenset[Rule]]
    beside: Mapping[str, frozenset[str]]

    def check(self, column: str, rule: Rule) -> None:
        """Whether a rule may be said of a column that there is.

        Raises:
            ConfigurationError: it may not; says which may.
        """
        if rule not in self.allowed[column]:
            others = ", ".join(one for one in Rule if one in self.allowed[column])
            place = f"{showable(self.described.name)}.{showable(column)}"
            raise ConfigurationError(
                f"{place} can't go out by the rule {rule}",
                f"It has these: {others}",
            )

    def type_of(self, column: str, rule: Rule) -> str:
        """DuckDB's type of a column in the copy."""
        (kind,) = (kind for name, kind, _ in self.described.shown if name == column)
        made = _TYPES.get(rule)
        if made is None:
            return kind
        return f"{made}[]" if kind.endswith("[]") else made


def copied_tables(plan: Plan) -> dict[str, Columns]:
    """The tables and views that a copy can be of, by name."""
    planned = {table.name: table for table in plan.tables}
    kinds = {
        name: {column.name: column.kind for column in table.columns}
        for name, table in planned.items()
    }
    return {
        table.name: Columns(
            table,
            _allowed(table, kinds.get(table.name, {})),
            _beside(planned[table.name]) if table.name in planned else {},
        )
        for table in (*described(plan), *VIEWS)
    }


def _beside(table: Table) -> dict[str, frozenset[str]]:
    """Of a contract's table: a number within a structure stands for what that tells."""
    return {
        one.name: frozenset(
            other.name
            for other in table.columns
            if (table.levels if len(one.path) == 1 else other.path[0] == one.path[0])
        )
        for one in table.columns
        if one.identity is Identity.PERSON
    }


def _allowed(table: Described, kinds: dict[str, ValueKind]) -> dict[str, frozenset[Rule]]:
    marked = identity_columns(table)
    codes = _OWN_CODES.get(table.name, set())
    return {
        name: _DROP
        | (
            _of_identity(marked[name])
            if name in marked
            else _of_value(name, kind.removesuffix("[]"), kinds.get(name), is_code=name in codes)
        )
        for name, kind, _ in table.shown
    }


def _of_identity(identity: Identity) -> frozenset[Rule]:
    return frozenset() if identity is Identity.EMBEDDED else frozenset({Rule.PSEUDONYM})


def _of_value(
    name: str, sql_type: str, kind: ValueKind | None, *, is_code: bool
) -> frozenset[Rule]:
    """The rules of a column that holds nobody's number."""
    if is_code or kind in {ValueKind.CODE, ValueKind.BOOLEAN} or sql_type == "BOOLEAN":
        return frozenset({Rule.KEEP})
    if _PLACES.fullmatch(name) or _COUNTRY.fullmatch(name):
        return frozenset({Rule.KEEP})
    if sql_type in _MOMENTS:
        return frozenset({*_COARSER, Rule.MONTH, Rule.KEEP_IDENTIFYING})
    if kind is ValueKind.YEAR or sql_type == "SMALLINT":
        return frozenset(_COARSER)
    if sql_type == "VARCHAR" and _KOMMUNE.fullmatch(name):
        return frozenset({Rule.KOMMUNE, Rule.FYLKE})
    if name == "grunnkrets":
        return frozenset({Rule.GRUNNKRETS})
    if sql_type == "VARCHAR" or sql_type in _WHOLE:
        return frozenset({Rule.PSEUDONYM, Rule.KEEP_IDENTIFYING})
    return frozenset({Rule.KEEP_IDENTIFYING})
