"""Who has which number: what is kept of it beside the tables, and how a delta decides it anew.

A full load decides it from everybody's documents (freg_pipeline.lake.resolve). A delta holds few
documents, and the same rules must give what a full load would give. So each release keeps, under
each number concerned, which documents claim it, and how new these are. A delta looks up those
numbers that its documents touch, and those that these touch in turn, and applies the rules to all
of them together: a handful each, whatever the register's size.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from freg_pipeline.lake.keys import key_sql
from freg_pipeline.lake.state import State

# Claims of the newest documents, and numbers that the register answered with another person's
# document; under both numbers. Then the documents of those who have no row.
IDENTITY_SQL = """
WITH told AS (
    SELECT nummer, person, ended AS avsluttet, ajourholdt
    FROM numbers JOIN newest USING (batch, dok_nr, person)
    UNION
    SELECT identifikator, person, NULL, NULL FROM delivered
    WHERE utfall = 'dokument' AND dokument IS NULL AND identifikator <> person AND rekke >= 0)
FROM (
    SELECT nummer AS nokkel, * FROM told
    UNION ALL SELECT person, * FROM told
    UNION ALL SELECT person, NULL, person, NULL, ajourholdt
    FROM newest ANTI JOIN landed USING (person))
"""
_STATE = """
CREATE TABLE state_person (person VARCHAR, ajourholdt TIMESTAMPTZ);
CREATE TABLE state_identity (
    nokkel VARCHAR, nummer VARCHAR, person VARCHAR, avsluttet BOOLEAN, ajourholdt TIMESTAMPTZ);
CREATE TABLE touched (nummer VARCHAR, key BIGINT);
"""
_BEGINNING = """
SELECT person FROM delivered WHERE utfall = 'dokument' AND person IS NOT NULL
UNION SELECT nummer FROM numbers
UNION SELECT identifikator FROM delivered WHERE dokument IS NULL
"""
# The register no longer answers for them.
_GONE = """
CREATE TABLE gone AS
SELECT DISTINCT identifikator AS person FROM delivered
WHERE utfall = 'borte' AND dokument IS NULL AND identifikator NOT IN
    (SELECT person FROM delivered WHERE utfall = 'dokument' AND person IS NOT NULL)
"""
# Their newest documents, as the release knows them.
_KNOWN = """
CREATE TABLE known AS
SELECT person, has_rows, row_number() OVER () AS dok_nr, ajourholdt
FROM (
    SELECT person, ajourholdt, true AS has_rows FROM state_person
    UNION
    SELECT person, ajourholdt, false FROM state_identity WHERE nummer IS NULL)
ANTI JOIN gone USING (person)
"""
# Files tell persons by key only: the numbers are those that were asked for.
_WHOSE = "(SELECT nummer, _ajourholdt FROM piece JOIN touched ON key = _person)"
_AS_DELIVERED = """
INSERT INTO delivered
SELECT -1, dok_nr, '', 'dokument', NULL, NULL, person, '', ajourholdt, NULL, 0
FROM known;
INSERT INTO delivered
SELECT -2, row_number() OVER (), nummer, 'dokument', NULL, NULL, person, NULL, NULL, NULL, 0
FROM (SELECT DISTINCT nummer, person FROM state_identity
      WHERE nummer IS NOT NULL AND avsluttet IS NULL)
SEMI JOIN known USING (person);
INSERT INTO numbers
SELECT DISTINCT -1, known.dok_nr, person, nummer, avsluttet
FROM state_identity JOIN known USING (person)
WHERE nummer IS NOT NULL AND avsluttet IS NOT NULL;
"""
# What the release knows is no part of the delta's account; and whoever is a person again, but
# whose rows nobody delivered, has none.
_ONLY_THE_DELTA = """
DELETE FROM avvik WHERE batch < 0;
CREATE TABLE missing AS
SELECT person FROM landed JOIN known USING (person) WHERE batch < 0 AND NOT has_rows;
DELETE FROM landed WHERE person IN (FROM missing);
CREATE TABLE replaced AS
SELECT person FROM landed WHERE batch >= 0
UNION SELECT person FROM state_person ANTI JOIN landed USING (person);
"""


def add_known(connection: duckdb.DuckDBPyConnection, state: State) -> None:
    """Add to a database of delivered documents what a release knows of the numbers they touch.

    Args:
        connection: as :func:`freg_pipeline.lake.resolve.load` left it.
        state: the release that the delta continues.
    """
    connection.execute(_STATE)
    found = {row[0] for row in connection.execute(_BEGINNING).fetchall()}
    frontier = found
    while frontier:
        keys = _note_touched(connection, frontier)
        _insert(connection, "state_person", state.persons(keys), _WHOSE)
        identity = state.identity(keys)
        _insert(connection, "state_identity", identity)
        told = identity["nummer"].drop_null().to_pylist() + identity["person"].to_pylist()
        frontier = set(told) - found
        found |= frontier
    for statement in (_GONE, _KNOWN, _AS_DELIVERED):
        connection.execute(statement)


def keep_delta_only(connection: duckdb.DuckDBPyConnection) -> None:
    """Once it is settled who landed: take out again what was added, but for who has which number.

    Afterwards ``replaced`` holds the persons whose rows the delta hides, ``missing`` those whose
    rows nobody delivered.
    """
    connection.execute(_ONLY_THE_DELTA)


def _note_touched(
    connection: duckdb.DuckDBPyConnection, numbers: set[str]
) -> npt.NDArray[np.int64]:
    """Their keys, ascending."""
    rows = pa.table({"nummer": pa.array(sorted(numbers), pa.string())})
    _insert(connection, "touched", rows, f"(SELECT nummer, {key_sql('nummer')} FROM piece)")  # noqa: S608
    found = connection.sql(
        "SELECT DISTINCT key FROM touched JOIN (SELECT unnest($numbers) AS nummer) USING (nummer) "
        "ORDER BY key",
        params={"numbers": rows["nummer"].to_pylist()},
    ).fetchnumpy()
    return np.asarray(found["key"], dtype=np.int64)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, source: str = "piece"
) -> None:
    connection.register("piece", rows)
    connection.execute(f"INSERT INTO {table} FROM {source}")
    connection.unregister("piece")
