"""Who a release holds, in figures: by age and sex, by kommune, births and moves by year.

Protected persons are in none of these; of them the page tells how many there are. Where nothing
tells who is protected, there are no such figures at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.people import RESIDENT
from freg_pipeline.lake.protection import Protection
from freg_pipeline.lake.query import PROTECTED_TODAY
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.outside import showable
from freg_pipeline.report.figures import Figure, figure, largest

KOMMUNER_SHOWN = 20
YEARS_SHOWN = 30
OLDEST = 95  # and above, in one band
BAND = 5
MOVES = {  # kinds of the view flytting
    "innenKommune": "within a kommune",
    "mellomKommuner": "between kommuner",
    "innvandring": "to Norway",
    "utvandring": "from Norway",
}


@dataclass(frozen=True)
class Band:
    """An age group of those who live in Norway."""

    ages: str
    kvinner: Figure
    menn: Figure


@dataclass(frozen=True)
class Kommuner:
    """Where they live: the largest kommuner, and everyone else."""

    largest: list[tuple[str, Figure]]
    others: Figure


@dataclass(frozen=True)
class Year:
    """What there was of something in a year, by kind."""

    year: int
    counts: dict[str, Figure]


@dataclass(frozen=True)
class People:
    """Figures about a release's persons; None where the release can't tell.

    Attributes:
        protected: how many are protected, by themselves or by an address.
        pyramid: those who live in Norway, by age and sex, the oldest first.
        kommuner: the same by kommune.
        births: of all persons, by year of birth, those born in Norway.
        moves: by year.
    """

    protected: Figure
    pyramid: list[Band] | None
    kommuner: Kommuner | None
    births: list[Year] | None
    moves: list[Year] | None


def people(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, tables: Iterable[Described]
) -> People | None:
    """Figures about the persons of a release; None: nothing tells who is protected.

    Args:
        connection: with the views over the release.
        manifest: the release.
        tables: its tables.
    """
    tables = list(tables)
    if not _divided(connection, manifest, tables):
        return None
    protected = "SELECT count(*) FROM person SEMI JOIN _vernede USING (personidentifikator)"
    on = manifest.created.date()
    return People(
        protected=figure(_counted(connection, protected)[0][0]),
        pyramid=_pyramid(connection, on),
        kommuner=_kommuner(connection, KOMMUNER_SHOWN),
        births=_births(connection, on.year, tables),
        moves=_moves(connection, on.year),
    )


def ages_and_homes(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    tables: Iterable[Described],
    kommuner: int,
) -> tuple[list[Band] | None, Kommuner | None]:
    """Those who live in Norway by age and sex, and in the largest kommuner, so many of them.

    As :func:`people` tells them, and nothing of the rest.
    """
    if not _divided(connection, manifest, list(tables)):
        return None, None
    return _pyramid(connection, manifest.created.date()), _kommuner(connection, kommuner)


def _divided(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, tables: list[Described]
) -> bool:
    """Tell the protected, by today's protection or that of the state shown, from all others.

    Who is found in neither is in no figure: of everyone it has to be told that they are open.
    False: nothing tells it.
    """
    protection = Protection(tables, manifest.parts)
    if not protection.is_told:
        return False
    told = [protection.numbers(identifier, protection.graded)]
    if _there(connection, PROTECTED_TODAY):
        told.append(PROTECTED_TODAY)
    numbers = " UNION ".join(f"SELECT identifikator FROM {one}" for one in told)  # noqa: S608
    connection.execute(
        f"CREATE TEMP TABLE _vernede AS SELECT identifikator AS personidentifikator "  # noqa: S608
        f"FROM ({numbers}) UNION SELECT personidentifikator FROM person_naa "
        "WHERE beskyttet IS NOT FALSE"
    )
    connection.execute(
        "CREATE TEMP TABLE _aapne AS SELECT personidentifikator, kjoenn, status, kommunenummer, "
        "coalesce(year(foedselsdato), foedselsaar) AS foedt, foedselsdato "
        "FROM person_naa ANTI JOIN _vernede USING (personidentifikator)"
    )
    return True


def _there(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = f"SELECT count(*) FROM duckdb_tables() WHERE table_name = {quoted(table)}"  # noqa: S608
    return bool(_counted(connection, found)[0][0])


def _counted(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def _pyramid(connection: duckdb.DuckDBPyConnection, on: date) -> list[Band] | None:
    """Age in whole years on a day; of whom only the year of birth is known, at its end."""
    rows = _counted(
        connection,
        f"SELECT least(coalesce(date_sub('year', foedselsdato, DATE '{on}'), {on.year} - foedt), "  # noqa: S608
        f"{OLDEST}) // {BAND} AS band, kjoenn, count(*) FROM _aapne WHERE status = '{RESIDENT}' "
        "AND foedt IS NOT NULL AND kjoenn IN ('kvinne', 'mann') GROUP BY ALL",
    )
    if not rows:
        return None
    counts = {(band, sex): count for band, sex, count in rows}
    return [
        Band(_ages(band), *(figure(counts.get((band, sex), 0)) for sex in ("kvinne", "mann")))
        for band in range(OLDEST // BAND, -1, -1)
    ]


def _ages(band: int) -> str:
    first = band * BAND
    return f"{first}+" if first == OLDEST else f"{first}–{first + BAND - 1}"


def _kommuner(connection: duckdb.DuckDBPyConnection, most: int) -> Kommuner | None:
    rows = _counted(
        connection,
        "SELECT coalesce(kommunenummer, ''), count(*) FROM _aapne "  # noqa: S608
        f"WHERE status = '{RESIDENT}' GROUP BY ALL",
    )
    told = [(showable(kommune, 40), count) for kommune, count in rows if kommune]
    if not told:
        return None
    shown, others = largest(told, most)
    return Kommuner(shown, figure(others))


def _births(
    connection: duckdb.DuckDBPyConnection, last: int, tables: Iterable[Described]
) -> list[Year] | None:
    """By year of birth, of those born in Norway; where the country isn't told, of all."""
    columns = {name for table in tables if table.name == "foedsel" for name, _, _ in table.columns}
    born = "SEMI JOIN (FROM foedsel WHERE foedeland = 'NOR') USING (personidentifikator)"
    rows = _counted(
        connection,
        f"SELECT foedt, 'births', count(*) FROM _aapne {born if 'foedeland' in columns else ''} "  # noqa: S608
        f"WHERE foedt BETWEEN {last - YEARS_SHOWN + 1} AND {last} GROUP BY ALL",
    )
    return _by_year(rows, last)


def _by_year(rows: Iterable[tuple[int, str, int]], last: int) -> list[Year] | None:
    """A line for each of the last years, with each kind that there is in any of them."""
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for year, kind, count in rows:
        counts[year][kind] = count
    kinds = sorted({kind for there in counts.values() for kind in there})
    if not kinds:
        return None
    return [
        Year(year, {kind: figure(counts[year].get(kind, 0)) for kind in kinds})
        for year in range(last - YEARS_SHOWN + 1, last + 1)
    ]


def _moves(connection: duckdb.DuckDBPyConnection, last: int) -> list[Year] | None:
    rows = _counted(
        connection,
        "SELECT year(dato), type, count(*) FROM flytting "  # noqa: S608
        "SEMI JOIN _aapne USING (personidentifikator) "
        f"WHERE year(dato) BETWEEN {last - YEARS_SHOWN + 1} AND {last} GROUP BY ALL",
    )
    return _by_year([(year, MOVES.get(kind, kind), count) for year, kind, count in rows], last)
