"""Who landed: which document of each person counts, and what became of every other identifier.

Rules (the register's documentation, uttrekk; and the design):

* Of several documents of one person, the one with the latest ajourholdstidspunkt anywhere in it is
  the newest; the later place in the batches breaks ties.
* A number that stands in another person's newest document, as one of that person's own, has gone
  over to that person. Chains are followed to their end. Should numbers claim each other in a ring,
  the one with the newest document goes on.
* A person whose only number is opphoert, and whom nobody claims, is a person.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from freg_pipeline.lake.staging import Staging

_NUMBERS = "identifikasjonsnummer"

# One row for each identifier delivered.
_DELIVERED = """
CREATE TABLE delivered (
    batch INTEGER, dok_nr INTEGER, identifikator VARCHAR, utfall VARCHAR, aarsak VARCHAR,
    sti VARCHAR, person VARCHAR, dokument VARCHAR, ajourholdt TIMESTAMPTZ, hentet TIMESTAMPTZ)
"""
# The newest document of each person. Where a person was delivered under several numbers, the
# document is the same one, and the row of the current number stands for it.
_NEWEST = """
CREATE TABLE newest AS
SELECT person, batch, dok_nr, identifikator, dokument, ajourholdt, hentet
FROM delivered WHERE utfall = 'dokument'
QUALIFY row_number() OVER (
    PARTITION BY person
    ORDER BY ajourholdt DESC NULLS LAST, identifikator = person DESC, batch DESC, dok_nr DESC) = 1
"""
# A number other than the person's own in her newest document; the newest claim to it counts.
_CLAIM = """
CREATE TABLE claim AS
SELECT nummer, person FROM numbers JOIN newest USING (batch, dok_nr, person)
WHERE nummer <> person
QUALIFY row_number() OVER (
    PARTITION BY nummer
    ORDER BY ajourholdt DESC NULLS LAST, batch DESC, dok_nr DESC, person) = 1
"""
# Claims to numbers that came as persons of their own, with how new the claimed one's document is.
_EDGES = """
SELECT claim.nummer, claim.person,
       row_number() OVER (ORDER BY ajourholdt NULLS FIRST, batch, dok_nr) AS age
FROM claim JOIN newest ON newest.person = claim.nummer
ORDER BY claim.nummer
"""
_LANDED = """
CREATE TABLE landed AS
SELECT newest.* FROM newest ANTI JOIN merged ON merged.nummer = newest.person
"""
_AVVIK = """
CREATE TABLE avvik AS
SELECT identifikator, delivered.batch, delivered.dok_nr, sti,
    CASE WHEN utfall <> 'dokument' THEN utfall
         WHEN is_newest OR (merged.person IS NULL AND is_other_number) THEN 'sammenslaatt'
         ELSE 'duplikat' END AS utfall,
    CASE WHEN utfall <> 'dokument' THEN aarsak
         WHEN is_newest THEN 'nummeret er gått over til en annen person'
         WHEN merged.person IS NULL AND is_other_number THEN 'et annet nummer til samme person'
         WHEN is_same THEN 'levert flere ganger'
         ELSE 'eldre dokument' END AS aarsak,
    CASE WHEN utfall = 'dokument' THEN coalesce(merged.person, delivered.person) END AS gikk_til
FROM (
    SELECT delivered.*,
        newest.batch = delivered.batch AND newest.dok_nr = delivered.dok_nr AS is_newest,
        newest.identifikator = delivered.identifikator AS is_same,
        delivered.dokument IS NULL AND newest.identifikator <> delivered.identifikator
            AS is_other_number
    FROM delivered LEFT JOIN newest USING (person)) AS delivered
LEFT JOIN merged ON merged.nummer = delivered.person
ANTI JOIN landed USING (batch, dok_nr)
"""
# Every number that is not a person's current one, and who has it now.
_EARLIER = """
CREATE TABLE earlier AS
SELECT told.nummer AS identifikator,
       min(coalesce(merged.person, onwards.person, told.person)) AS personidentifikator
FROM (SELECT nummer, person FROM claim
      UNION SELECT nummer, person FROM merged
      UNION SELECT identifikator, person FROM delivered
            WHERE utfall = 'dokument' AND dokument IS NULL AND identifikator <> person) AS told
LEFT JOIN merged ON merged.nummer = told.nummer
LEFT JOIN merged AS onwards ON onwards.nummer = told.person
ANTI JOIN landed ON landed.person = told.nummer
GROUP BY told.nummer
"""


def resolve(connection: duckdb.DuckDBPyConnection, staging: Staging) -> None:
    """Fill a database with who landed and what became of the others.

    Afterwards it holds ``delivered`` (a row for each identifier), ``landed`` (a row for each
    person), ``avvik`` (the account of all others) and ``earlier`` (numbers that are not current).
    """
    connection.execute(_DELIVERED)
    for batch, piece in staging.read("dokument"):
        _append(connection, "delivered", batch, piece)
    connection.execute(
        "CREATE TABLE numbers (batch INTEGER, dok_nr INTEGER, person VARCHAR, nummer VARCHAR)"
    )
    columns = ["dok_nr", "personidentifikator", "foedsels_eller_d_nummer"]
    for batch, piece in staging.read(_NUMBERS, columns):
        _append(connection, "numbers", batch, piece)
    connection.execute(_NEWEST)
    connection.execute(_CLAIM)
    _merge(connection)
    for statement in (_LANDED, _AVVIK, _EARLIER):
        connection.execute(statement)


def places(connection: duckdb.DuckDBPyConnection, buckets: int) -> dict[int, npt.NDArray[np.int16]]:
    """For each batch, by ``dok_nr``: the bucket of the person that landed with it, else -1."""
    sizes = connection.execute("SELECT batch, count(*) FROM delivered GROUP BY batch").fetchall()
    found = {batch: np.full(size, -1, dtype=np.int16) for batch, size in sizes}
    rows = connection.execute(
        f"SELECT batch, dok_nr, {bucket_sql('person', buckets)} FROM landed"  # noqa: S608  no input
    )
    while chunk := rows.fetchmany(100_000):
        for batch, dok_nr, bucket in chunk:
            found[batch][dok_nr] = bucket
    return found


def bucket_sql(column: str, buckets: int) -> str:
    """The bucket of a person, as an SQL expression: spread evenly, and the same for ever."""
    return f"(coalesce(TRY_CAST({column} AS BIGINT), hash({column}) // 2) % 9973 % {buckets})"


def _append(connection: duckdb.DuckDBPyConnection, table: str, batch: int, piece: pa.Table) -> None:
    connection.register("piece", piece)
    connection.execute(f"INSERT INTO {table} SELECT {batch}, * FROM piece")  # noqa: S608
    connection.unregister("piece")


def _merge(connection: duckdb.DuckDBPyConnection) -> None:
    """Follow claims between persons who came as two; few, so a loop over them will do."""
    claims = connection.execute(_EDGES).fetchall()
    goes_to = {out: into for out, into, _ in claims}
    age = {out: age for out, _, age in claims}
    pairs = [(out, _end(out, goes_to, age)) for out in goes_to]
    merged = pa.table(
        {
            "nummer": pa.array([out for out, end in pairs if out != end], pa.string()),
            "person": pa.array([end for out, end in pairs if out != end], pa.string()),
        }
    )
    connection.register("pairs", merged)
    connection.execute("CREATE TABLE merged AS FROM pairs")
    connection.unregister("pairs")


def _end(start: str, goes_to: dict[str, str], age: dict[str, int]) -> str:
    """Where a chain of claims ends; in a ring, the member with the newest document."""
    seen: list[str] = [start]
    while (following := goes_to.get(seen[-1])) is not None:
        if following in seen:
            return max(seen[seen.index(following) :], key=lambda number: age[number])
        seen.append(following)
    return seen[-1]
