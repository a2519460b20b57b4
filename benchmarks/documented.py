"""What the questions of docs/questions.md cost, to what they would cost on flat files.

The same statements, asked of a release that a sync has kept current, and of a database whose tables
are one Parquet file each, with today's state, numbers and kommuner in place: what somebody would
have flattened by hand. CPU time of this process, each in turn, on one thread.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import duckdb

from benchmarks.keeping_current import kept_current
from benchmarks.results import Figure
from docs.examples import FOLDER, Example, examples
from freg_pipeline.lake.norwegian import LOCAL_TIMES
from freg_pipeline.lake.query import connect
from freg_pipeline.store import Store

PERSONS = int(os.environ.get("BENCH_PERSONS", "100000"))
EVENTS = PERSONS // 100
ROUNDS = 7
_HELD = "{0}gyldighetstidspunkt < TIMESTAMPTZ '{1} 23:00:00Z' AND coalesce({0}opphoerstidspunkt >= "
_HELD += "TIMESTAMPTZ '{1} 23:00:00Z', true)"
# Where a question calls a macro that takes a day: what one asks of flat files in its place.
_BY_HAND = {
    "befolkning_per(DATE '2019-12-31')": (
        "(SELECT b.personidentifikator, b.kommunenummer FROM bostedsadresse AS b JOIN status AS s"
        " USING (personidentifikator) WHERE s.status = 'bosatt' AND "
        f"{_HELD.format('b.', '2019-12-31')} AND {_HELD.format('s.', '2019-12-31')})"
    ),
    "navn_per(DATE '2009-12-31')": f"(FROM navn WHERE {_HELD.format('', '2009-12-31')})",
}
_RELATION = re.compile(r"\b(?:FROM|JOIN) ([a-z_]+)\b(?!\()")


def figures() -> list[Figure]:
    """Each question on one register, kept current."""
    with tempfile.TemporaryDirectory() as name, kept_current(Path(name), PERSONS, EVENTS) as store:
        return asked(store, Path(name))


def asked(store: Store, folder: Path) -> list[Figure]:
    """Each question on a store's release, and on flat files of it under a folder."""
    questions = [*examples(FOLDER / "questions.md")]
    title = f"docs/questions.md on {PERSONS:,} persons, to hand-flattened Parquet"
    found = []
    with connect(store) as ours, duckdb.connect() as flat:
        _flatten(ours, flat, questions, folder)
        for connection in (ours, flat):
            connection.execute("SET threads = 1; SET TimeZone = 'Europe/Oslo'")
        for question in questions:
            ratio = _ratio(question.sql, ours, flat)
            found.append(Figure(title, question.title, ratio, "times the CPU time", ROUNDS))
    return found


def _flatten(
    ours: duckdb.DuckDBPyConnection,
    flat: duckdb.DuckDBPyConnection,
    questions: list[Example],
    folder: Path,
) -> None:
    statements = [*(question.sql for question in questions), *_BY_HAND.values()]
    for name in {name for one in statements for name in _RELATION.findall(one)}:
        target = folder / f"{name}.parquet"
        ours.execute(f"COPY (FROM {name} ORDER BY ALL) TO '{target}' (COMPRESSION zstd)")
        flat.execute(f"CREATE VIEW {name} AS FROM '{target}'")
    for statement in LOCAL_TIMES:
        flat.execute(statement)
    flat.execute("CREATE MACRO gjeldende_identifikator(nummer) AS nummer")


def _ratio(sql: str, ours: duckdb.DuckDBPyConnection, flat: duckdb.DuckDBPyConnection) -> float:
    by_hand = sql
    for call, query in _BY_HAND.items():
        by_hand = by_hand.replace(call, query)
    used: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, connection, statement in (("ours", ours, sql), ("flat", flat, by_hand)):
            began = time.process_time()
            connection.execute(statement).fetchall()
            used[name].append(time.process_time() - began)
    return round(statistics.median(used["ours"]) / statistics.median(used["flat"]), 1)
