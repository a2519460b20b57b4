"""Which of a person's documents is the newest, where a sync brings one beside the one stored.

Times inside documents don't tell: one from which a row was taken back looks older than the one
before it. What is known (docs/decisions/0023):

* A document that an event points to is the person's as of that event. Every event of a sync comes
  after the position of the release that it continues, so the document is newer than the stored one;
  and of two, the one of the later event.
* An answer by number is the person's as the register knows them when it answers, so as of the last
  event that it was asked for. But a copy of the register that lags behind may have given it: one
  that looks older than another document of that person is in doubt, and isn't used unless it was
  asked for again after a pause. Of answers to the same question the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing

import duckdb
import numpy as np
import pyarrow as pa

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.keys import key_sql
from freg_pipeline.lake.staging import Staging
from freg_pipeline.lake.state import State
from freg_pipeline.normalize.account import DOCUMENT_TABLE
from freg_pipeline.store import Store

# Rank 0: what the release holds. Above it documents as of an event, below it those not to be used.
_RANKS = """
CREATE TABLE asked_for (identifikator VARCHAR, rekke BIGINT)
"""
_NOTE_EVENTS = """
INSERT INTO asked_for
SELECT persondokument, max(sekvensnummer) FROM piece GROUP BY 1
UNION ALL SELECT folkeregisteridentifikator, max(sekvensnummer) FROM piece GROUP BY 1
"""
_RANK = """
UPDATE delivered SET rekke = greatest(1, (
    SELECT max(asked_for.rekke) FROM asked_for
    WHERE asked_for.identifikator = delivered.identifikator))
WHERE batch >= 0;
CREATE TABLE by_number AS
SELECT batch, dok_nr, identifikator, person, ajourholdt,
    row_number() OVER (PARTITION BY identifikator ORDER BY batch DESC, dok_nr DESC) = 1 AS is_last,
    min(batch) OVER (PARTITION BY identifikator) <> batch AS is_confirmed
FROM delivered WHERE batch >= 0 AND utfall = 'dokument' AND dokument IS NULL;
UPDATE delivered SET rekke = -1
FROM by_number
LEFT JOIN (
    SELECT person, max(ajourholdt) AS newest FROM delivered
    WHERE utfall = 'dokument' AND dokument IS NOT NULL GROUP BY person
) AS other USING (person)
WHERE delivered.batch = by_number.batch AND delivered.dok_nr = by_number.dok_nr
    AND (NOT is_last OR (NOT is_confirmed AND by_number.ajourholdt < newest));
"""
_DOUBTFUL = """
SELECT answer.identifikator FROM answer
JOIN (SELECT key, max(ajourholdt) AS newest FROM other GROUP BY key) AS other USING (key)
WHERE answer.ajourholdt < newest ORDER BY 1
"""
_COLUMNS = [
    "dok_nr",
    "identifikator",
    "utfall",
    "personidentifikator",
    "dokumentidentifikator",
    "ajourholdt",
]


def rank(connection: duckdb.DuckDBPyConnection, events: Iterable[pa.Table]) -> None:
    """Tell the documents of a sync, and what the release knows, by how new they are.

    Args:
        connection: as :func:`freg_pipeline.lake.identity.add_known` left it.
        events: the sync's rows of ``hendelse``.
    """
    connection.execute(_RANKS)
    for piece in events:
        connection.register("piece", piece)
        connection.execute(_NOTE_EVENTS)
        connection.unregister("piece")
    connection.execute(_RANK)


def doubtful(store: Store, current: Manifest, name: str, batches: Sequence[int]) -> list[str]:
    """The numbers whose last answer looks older than another document of the same person.

    Args:
        store: where everything lies.
        current: the release that the sync continues.
        name: the sync's.
        batches: those of it that have landed.
    """
    staged = Staging(store, name, list(batches)).read(DOCUMENT_TABLE, _COLUMNS)
    pieces = [_with_place(batch, piece) for batch, piece in staged]
    if not pieces:
        return []
    rows = pa.concat_tables(pieces)
    if rows["dokumentidentifikator"].null_count == 0:
        return []  # nobody was looked up by number
    with closing(duckdb.connect()) as connection:
        connection.register("piece", rows)
        connection.execute(
            "CREATE TABLE told AS SELECT *, "  # noqa: S608  no input
            f"{key_sql('personidentifikator')} AS key FROM piece WHERE utfall = 'dokument'"
        )
        connection.execute(
            "CREATE TABLE answer AS SELECT * FROM told WHERE dokumentidentifikator IS NULL "
            "QUALIFY row_number() OVER (PARTITION BY identifikator ORDER BY place DESC) = 1"
        )
        keys = connection.sql("SELECT DISTINCT key FROM answer ORDER BY key").fetchnumpy()["key"]
        connection.register("stored", State(store, current).persons(keys))
        connection.execute(
            "CREATE VIEW other AS SELECT * FROM stored AS stored (key, ajourholdt) UNION ALL "
            "SELECT key, ajourholdt FROM told WHERE dokumentidentifikator IS NOT NULL"
        )
        return [number for (number,) in connection.sql(_DOUBTFUL).fetchall()]


def _with_place(batch: int, rows: pa.Table) -> pa.Table:
    """With a number that tells which document came later."""
    places = (batch << 32) + rows["dok_nr"].to_numpy().astype(np.int64)
    return rows.append_column("place", pa.array(places))
