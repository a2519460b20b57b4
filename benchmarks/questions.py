"""What questions cost, to what they would cost on hand-flattened Parquet.

A register is loaded, and kept current by a sync. Then the same question is asked of the release and
of flat files that somebody has made of it by hand: no deltas, no keys, all in place. CPU time
of this process, each in turn, on one thread.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.keeping_current import kept_current
from benchmarks.results import Figure
from freg_pipeline.lake.query import connect
from freg_pipeline.store import Store

PERSONS = 100_000
EVENTS = 1_000
ROUNDS = 9
DAY = "2020-12-31"

# The flat files: name -> what of the release they are made of.
FLAT = {
    "person": "FROM person_naa ORDER BY personidentifikator",
    "adresse": (
        "SELECT b.personidentifikator, b.er_gjeldende, b.gyldighetstidspunkt, b.opphoerstidspunkt,"
        " b.ajourholdstidspunkt, b.flyttedato, b.kommunenummer, s.status,"
        " s.gyldighetstidspunkt AS status_fra, s.opphoerstidspunkt AS status_til"
        " FROM bostedsadresse AS b JOIN status AS s USING (personidentifikator)"
        " ORDER BY ALL"
    ),
    "bosted": (
        "SELECT personidentifikator, er_gjeldende, gyldighetstidspunkt, flyttedato, kommunenummer"
        " FROM bostedsadresse ORDER BY ALL"
    ),
    "navn": "FROM navn ORDER BY personidentifikator, rad_nr",
    "flytting": "FROM flytting ORDER BY ALL",
}


@dataclass(frozen=True)
class Question:
    """A question, as it is asked of a release and of the flat files.

    Attributes:
        what: in words.
        ours: SQL over the release's views.
        flat: SQL over the files, each by its name in braces.
    """

    what: str
    ours: str
    flat: str


_HELD = "gyldighetstidspunkt < '{day}' AND coalesce(opphoerstidspunkt >= '{day}', true)"
_STATUS_HELD = "status_fra < '{day}' AND coalesce(status_til >= '{day}', true)"
QUESTIONS = (
    Question(
        "residents by kommune, of person_oversikt",
        "SELECT kommunenummer, count(*) FROM person_oversikt WHERE status = 'bosatt' GROUP BY 1",
        "SELECT kommunenummer, count(*) FROM {person} WHERE status = 'bosatt' GROUP BY 1",
    ),
    Question(
        "residents by sex and year of birth, of person_naa",
        "SELECT kjoenn, foedselsaar, count(*) FROM person_naa WHERE status = 'bosatt' GROUP BY ALL",
        "SELECT kjoenn, foedselsaar, count(*) FROM {person} WHERE status = 'bosatt' GROUP BY ALL",
    ),
    Question(
        "current addresses by kommune, of bostedsadresse",
        "SELECT kommunenummer, count(*) FROM bostedsadresse WHERE er_gjeldende GROUP BY 1",
        "SELECT kommunenummer, count(*) FROM {bosted} WHERE er_gjeldende GROUP BY 1",
    ),
    Question(
        "residents by kommune at a day, of befolkning_per",
        f"SELECT kommunenummer, count(*) FROM befolkning_per('{DAY}') GROUP BY 1",
        "SELECT kommunenummer, count(*) FROM {adresse} WHERE status = 'bosatt' AND "
        f"{_HELD.format(day=DAY)} AND {_STATUS_HELD.format(day=DAY)} GROUP BY 1",
    ),
    Question(
        "residents by kommune at a day as it was known then, of befolkning_per",
        f"SELECT kommunenummer, count(*) FROM befolkning_per('{DAY}', kjent := '{DAY}') GROUP BY 1",
        "SELECT kommunenummer, count(*) FROM (SELECT personidentifikator, arg_max(kommunenummer, "
        "gyldighetstidspunkt) AS kommunenummer, arg_max(status, status_fra) AS status FROM "
        f"{{adresse}} WHERE gyldighetstidspunkt < '{DAY}' AND ajourholdstidspunkt < '{DAY}' AND "
        f"status_fra < '{DAY}' GROUP BY 1) WHERE status = 'bosatt' GROUP BY 1",
    ),
    Question(
        "moves by year and type, of flytting",
        "SELECT year(dato), type, count(*) FROM flytting GROUP BY ALL",
        "SELECT year(dato), type, count(*) FROM {flytting} GROUP BY ALL",
    ),
    Question(
        "moves by year and type, of flytting, to reckoning them from addresses",
        "SELECT year(dato), type, count(*) FROM flytting GROUP BY ALL",
        "SELECT year(flyttedato), kommunenummer = fra, count(*) FROM (SELECT flyttedato, "
        "kommunenummer, lag(kommunenummer) OVER rekke AS fra, lag(flyttedato) OVER rekke AS sist "
        "FROM {bosted} WINDOW rekke AS (PARTITION BY personidentifikator "
        "ORDER BY gyldighetstidspunkt)) WHERE fra IS NOT NULL AND flyttedato IS DISTINCT FROM sist "
        "GROUP BY ALL",
    ),
    Question(
        "persons by mother, of familie",
        "SELECT count(DISTINCT mor), count(far) FROM familie",
        "SELECT count(DISTINCT mor), count(far) FROM {person}",
    ),
    Question(
        "households by size, of husstand",
        "SELECT antall, count(*) FROM husstand GROUP BY 1",
        "SELECT antall, count(*) FROM (SELECT count(*) AS antall FROM {person} "
        "WHERE status = 'bosatt' AND bolig IS NOT NULL GROUP BY bolig) GROUP BY 1",
    ),
    Question(
        "surnames at a day, of navn_per",
        f"SELECT etternavn, count(*) FROM navn_per('{DAY}') GROUP BY 1",
        f"SELECT etternavn, count(*) FROM {{navn}} WHERE {_HELD.format(day=DAY)} GROUP BY 1",
    ),
)


def figures() -> list[Figure]:
    """Each question on one register, kept current."""
    with tempfile.TemporaryDirectory() as name, kept_current(Path(name), PERSONS, EVENTS) as store:
        return asked(store, Path(name))


def asked(store: Store, folder: Path) -> list[Figure]:
    """Each question on a store's release, and on flat files of it under a folder."""
    title = f"question on {PERSONS:,} persons, to hand-flattened Parquet"
    found = []
    with connect(store) as connection:
        files = flattened(connection, folder)
        connection.execute("SET threads = 1")
        for question in QUESTIONS:
            ratio, milliseconds = _ratio(connection, question, files)
            found += [
                Figure(title, question.what, ratio, "times the CPU time", ROUNDS),
                Figure(title, question.what, milliseconds, "ms of CPU", ROUNDS),
            ]
    return found


def flattened(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, str]:
    """Write the flat files; the SQL that reads each."""
    for name, rows in FLAT.items():
        target = folder / f"{name}.parquet"
        connection.execute(f"COPY ({rows}) TO '{target}' (COMPRESSION zstd)")
    return {name: f"'{folder / name}.parquet'" for name in FLAT}


def _ratio(
    connection: duckdb.DuckDBPyConnection, question: Question, files: dict[str, str]
) -> tuple[float, float]:
    """The release's CPU time to that of the flat files, and its milliseconds; medians."""
    statements = {"ours": question.ours, "flat": question.flat.format(**files)}
    used: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, statement in statements.items():
            began = time.process_time()
            connection.execute(statement).fetchall()
            used[name].append(time.process_time() - began)
    ours, flat = (statistics.median(used[name]) for name in statements)
    return round(ours / flat, 1), round(1_000 * ours, 1)
