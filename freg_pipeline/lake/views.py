"""The SQL of the views over a release: one a table, and a few for convenience."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from freg_pipeline.lake.sources import UNTIL_COLUMN, Part, Source
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.lake.tables import (
    DELTA_COLUMN,
    IDENTITY,
    OWN_TABLES,
    PERSON_KEY,
    TIDLIGERE_IDENTIFIKATOR,
    UKJENT_FELT,
    Described,
)

# Whom deltas replace, as tables beside the views; see freg_pipeline.lake.sources.replaced.
REPLACED_PERSONS = "_erstattet"
REPLACED_NUMBERS = "_omregnet"
_HIDDEN = {TIDLIGERE_IDENTIFIKATOR.name: REPLACED_NUMBERS, IDENTITY.name: REPLACED_NUMBERS}
_APPENDED = {own.name for own in OWN_TABLES if not own.per_person}

OVERVIEW = "person_oversikt"
CURRENT_NUMBER = """
CREATE OR REPLACE MACRO gjeldende_identifikator(nummer) AS coalesce(
    (SELECT any_value(t.personidentifikator) FROM tidligere_identifikator AS t
     WHERE t.identifikator = nummer), nummer)
"""

# What person_oversikt shows of a person's current rows: table -> columns, where the contract has
# them.
_SHOWN = {
    "navn": ("fornavn", "mellomnavn", "etternavn"),
    "kjoenn": ("kjoenn",),
    "foedsel": ("foedselsdato", "foedselsaar"),
    "status": ("status",),
    "sivilstand": ("sivilstand",),
}
_ADDRESS = {
    "adressenavn": ("vegadresse_adressenavn",),
    "husnummer": ("vegadresse_adressenummer_husnummer",),
    "husbokstav": ("vegadresse_adressenummer_husbokstav",),
    "postnummer": (
        "vegadresse_poststed_postnummer",
        "matrikkeladresse_poststed_postnummer",
    ),
    "poststed": (
        "vegadresse_poststed_poststedsnavn",
        "matrikkeladresse_poststed_poststedsnavn",
    ),
    "kommunenummer": (
        "vegadresse_kommunenummer",
        "matrikkeladresse_matrikkelnummer_kommunenummer",
        "ukjent_bosted_bostedskommune",
    ),
}
_CURRENT = "er_gjeldende"
_TELL_PROTECTION = {
    "person-basis",
    "adressebeskyttelse",
}  # parts that adressebeskyttelse comes with


def table_views(tables: Iterable[Described], sources: dict[str, Source]) -> Iterator[str]:
    """``CREATE VIEW`` for each table: its current rows."""
    for table in tables:
        rows = current_rows(table.name, _columns(table), sources[table.name])
        yield f"CREATE OR REPLACE VIEW {identifier(table.name)} AS {rows}"


def table_macros(
    tables: Iterable[Described], sources: dict[str, Source], first: int
) -> Iterator[str]:
    """``CREATE MACRO`` for each table: its rows as they were at a position of the event list.

    Args:
        tables: the release's tables.
        sources: where their rows are.
        first: the earliest position that can be shown.
    """
    told = quoted(
        f"this release shows states from sequence number {first} on; "
        "see freg sql --as-of for earlier ones"
    )
    kept = f"CASE WHEN {_POSITION} < {first} THEN error({told})::BOOLEAN ELSE true END"
    for table in tables:
        rows = _rows(table.name, _columns(table), sources[table.name], _THEN)
        yield (
            f"CREATE OR REPLACE MACRO {identifier(f'{table.name}_per')}({_POSITION}) AS TABLE "  # noqa: S608
            f"SELECT * FROM ({rows}) WHERE {kept}"
        )


@dataclass(frozen=True)
class _State:
    """How the rows of one state are told from others, as SQL conditions; empty: all are."""

    replaced: str  # of what deltas replace: whether they have by then
    superseded: str  # of what they put in its place: whether another delta has replaced that
    there: str  # of a delta's rows: whether they are there by then


_POSITION = "ved_sekvensnummer"  # no table's column: a macro's argument would hide that
_NOW = _State("", f"WHERE {UNTIL_COLUMN} IS NOT NULL", "")
_THEN = _State(
    f"WHERE {DELTA_COLUMN} <= {_POSITION}",
    f"WHERE {UNTIL_COLUMN} <= {_POSITION}",
    f"WHERE {DELTA_COLUMN} <= {_POSITION}",
)


def current_rows(name: str, columns: dict[str, str], source: Source) -> str:
    """The SQL of a table's current rows.

    Args:
        name: the table.
        columns: which columns, with their types.
        source: where its rows are.
    """
    return _rows(name, columns, source, _NOW)


def _columns(table: Described) -> dict[str, str]:
    return {name: kind for name, kind, _ in table.columns}


def _rows(name: str, columns: dict[str, str], source: Source, state: _State) -> str:
    """A table's rows in a state: the base's that aren't replaced, and the deltas' that hold."""
    hidden = _HIDDEN.get(name, REPLACED_PERSONS)
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
        for name, _, text in table.columns:
            if text:
                column = f"{identifier(table.name)}.{identifier(name)}"
                yield f"COMMENT ON COLUMN {column} IS {quoted(text)}"


def overview(tables: Iterable[Described], parts: Collection[str]) -> str | None:
    """One row per person with what is asked for most; without protected persons' addresses.

    Derived from what the contract has.

    Args:
        tables: the release's tables.
        parts: what the register was asked for.

    Returns:
        ``CREATE VIEW``; None where nothing tells who is protected: the contract lacks the tables,
        or the register wasn't asked for them.
    """
    if not _TELL_PROTECTION & set(parts):
        return None
    columns = {table.name: {name for name, _, _ in table.columns} for table in tables}
    select = ["person.personidentifikator"]
    joins = []
    for table, wanted in _SHOWN.items():
        there = [name for name in wanted if name in columns.get(table, ())]
        if there and _CURRENT in columns[table]:
            select += [f'{table}."{name}"' for name in there]
            joins.append(_newest(table, there))
    address = _address(columns)
    if address is None:
        return None
    select += [f"bosted.{name}" for name in _ADDRESS]
    joins.append(address)
    return (
        f"CREATE OR REPLACE VIEW {OVERVIEW} AS SELECT {', '.join(select)} "  # noqa: S608
        f"FROM person {' '.join(joins)}"
    )


def _newest(table: str, columns: list[str]) -> str:
    picked = ", ".join(f'first("{name}" ORDER BY rad_nr) AS "{name}"' for name in columns)
    return (
        f"LEFT JOIN (SELECT personidentifikator, {picked} FROM {table} "  # noqa: S608
        f"WHERE {_CURRENT} IS NOT FALSE GROUP BY personidentifikator) AS {table} "
        "USING (personidentifikator)"
    )


def _address(columns: dict[str, set[str]]) -> str | None:
    home = columns.get("bostedsadresse", set())
    protection = columns.get("adressebeskyttelse", set())
    if not {"adressegradering", _CURRENT} <= home:
        return None
    if not {"graderingsnivaa", _CURRENT} <= protection:
        return None
    picked = []
    for name, sources in _ADDRESS.items():
        there = [source for source in sources if source in home] or ["NULL"]
        picked.append(f"first(coalesce({', '.join(there)}) ORDER BY rad_nr) AS {name}")
    return (
        f"LEFT JOIN (SELECT personidentifikator, {', '.join(picked)} FROM bostedsadresse "  # noqa: S608
        f"ANTI JOIN (SELECT personidentifikator FROM adressebeskyttelse "
        f"WHERE {_CURRENT} IS NOT FALSE AND graderingsnivaa IS DISTINCT FROM 'ugradert') "
        "USING (personidentifikator) "
        f"WHERE {_CURRENT} IS NOT FALSE AND adressegradering = 'ugradert' "
        "GROUP BY personidentifikator) AS bosted USING (personidentifikator)"
    )
