"""Who landed: which document of each person counts, and what became of every other identifier.

Rules (the register's documentation, uttrekk; and the design):

* Of several documents of one person that came together, the one with the latest
  ajourholdstidspunkt anywhere in it is the newest; the later place in the batches breaks ties.
  What a sync brings goes by the event list's order first (freg_pipeline.lake.newer).
* A number that stands in another person's newest document, as one of that person's own that is no
  longer in use, has gone over to that person. Of several who claim it, the one with the newest
  document gets it. Chains are followed to their end. Should numbers claim each other in a ring, the
  one with the newest document goes on.
* A number delivered that is another number of a person who landed is merged, not a duplicate.
* A person whose only number is opphoert, and whom nobody claims, is a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.journal.keptout import PLACEHOLDER, REASON_SINCE
from freg_pipeline.lake.keys import among, distinct, keys_of
from freg_pipeline.lake.layout import ROWS_AT_ONCE
from freg_pipeline.lake.packed import decoded
from freg_pipeline.lake.staging import Staging
from freg_pipeline.normalize.account import DOCUMENT_TABLE

_Pieces = Iterable[tuple[int, pa.Table]]  # rows, and the batch that they are from
_NUMBERS = "identifikasjonsnummer"
_PERSON, _NUMBER, _STATUS = "personidentifikator", "foedsels_eller_d_nummer", "status"
_IN_USE = "iBruk"
_TOLD = ["dok_nr", _PERSON, _NUMBER, _STATUS]

# One row for each identifier delivered.
_DELIVERED = """
CREATE TABLE delivered (
    batch INTEGER, dok_nr INTEGER, identifikator VARCHAR, utfall VARCHAR, aarsak VARCHAR,
    sti VARCHAR, person VARCHAR, dokument VARCHAR, ajourholdt TIMESTAMPTZ, hentet TIMESTAMPTZ)
"""
# What comes together is told apart by its times alone.
_ALIKE = "ALTER TABLE delivered ADD COLUMN rekke BIGINT DEFAULT 0"
# The newest document of each person. Where a person was delivered under several numbers, the
# document is the same one, and the row of the current number stands for it.
_NEWEST = """
CREATE TABLE newest AS
SELECT person, batch, dok_nr, identifikator, dokument, ajourholdt, hentet
FROM delivered WHERE utfall = 'dokument' AND person IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY person
    ORDER BY rekke DESC, ajourholdt DESC NULLS LAST, identifikator = person DESC,
        batch DESC, dok_nr DESC) = 1
"""
# Numbers that a document tells beside the person's current one; few have any.
_NUMBERS_TOLD = """
CREATE TABLE numbers (
    batch INTEGER, dok_nr INTEGER, person VARCHAR, nummer VARCHAR, ended BOOLEAN)
"""
# Another number than the person's current one in her newest document; its newest claim counts.
_CLAIM = """
CREATE TABLE claim AS
SELECT nummer, person, ended FROM numbers JOIN newest USING (batch, dok_nr, person)
QUALIFY row_number() OVER (
    PARTITION BY nummer
    ORDER BY ended DESC, ajourholdt DESC NULLS LAST, batch DESC, dok_nr DESC) = 1
"""
# Claims to numbers that came as persons of their own, with how new the claimed one's document is.
_EDGES = """
SELECT claim.nummer, claim.person,
       row_number() OVER (ORDER BY ajourholdt NULLS FIRST, batch, dok_nr) AS age
FROM claim JOIN newest ON newest.person = claim.nummer
WHERE claim.ended
ORDER BY claim.nummer
"""
_LANDED = """
CREATE TABLE landed AS
SELECT newest.* FROM newest ANTI JOIN merged ON merged.nummer = newest.person
"""
_AVVIK = f"""
CREATE TABLE avvik AS
SELECT CASE WHEN aarsak = '{REASON_SINCE}' THEN '{PLACEHOLDER}' ELSE identifikator END
        AS identifikator,
    delivered.batch, delivered.dok_nr, sti,
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
        delivered.dokument IS NULL AND delivered.identifikator <> delivered.person
            AND newest.identifikator <> delivered.identifikator AS is_other_number
    FROM delivered LEFT JOIN newest USING (person)
    WHERE utfall <> 'dokument' OR newest.person IS NOT NULL) AS delivered
LEFT JOIN merged ON merged.nummer = delivered.person
ANTI JOIN landed USING (batch, dok_nr)
"""  # noqa: S608  constants of ours
# Every number that is not a person's current one, and who has it now.
_EARLIER = """
CREATE TABLE earlier AS
SELECT told.nummer AS identifikator,
       coalesce(merged.person, onwards.person, told.person) AS personidentifikator
FROM (SELECT nummer, person, 1 AS doubt FROM claim
      UNION ALL
      SELECT identifikator, person, 2 FROM delivered
      WHERE utfall = 'dokument' AND dokument IS NULL AND identifikator <> person
          AND rekke >= 0) AS told
LEFT JOIN merged ON merged.nummer = told.nummer
LEFT JOIN merged AS onwards ON onwards.nummer = told.person
ANTI JOIN landed ON landed.person = told.nummer
QUALIFY row_number() OVER (PARTITION BY told.nummer ORDER BY doubt, told.person) = 1
"""


def resolve(connection: duckdb.DuckDBPyConnection, staging: Staging) -> Plain:
    """Fill a database with who landed and what became of the others.

    Most persons came once, under a number that no other document tells: they landed, which no rule
    needs to say. The rules are applied to all others, each with all that concerns them.

    Afterwards the database holds ``delivered`` (a row for each identifier), ``landed`` (a row for
    each person), ``avvik`` (the account of all others) and ``earlier`` (numbers that are not
    current), but of the plain ones nothing.

    Returns:
        The plain ones.
    """
    numbers = [(batch, _other_numbers(piece)) for batch, piece in staging.read(_NUMBERS, _TOLD)]
    told = _told(staging)
    entangled = _entangled(told, [piece for _, piece in numbers])
    others = [one.odd | among(one.keys, entangled) for one in told]
    plain = [one.without(odd) for one, odd in zip(told, others, strict=True)]
    pieces = zip(staging.read_encoded(DOCUMENT_TABLE), others, strict=True)
    delivered = ((batch, decoded(piece.filter(pa.array(odd)))) for (batch, piece), odd in pieces)
    _add(connection, delivered, numbers)
    settle(connection)
    return Plain(*(np.concatenate(columns) for columns in zip(NOBODY, *plain, strict=True)))


class Plain(NamedTuple):
    """Documents of persons who came once, and whose number no other document tells.

    Attributes:
        keys: the persons' keys.
        batches: the batch that each document came in.
        places: its place there.
    """

    keys: npt.NDArray[np.int64]
    batches: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]


NOBODY = Plain(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))


class _Told(NamedTuple):
    """Of a piece of the account what tells who may be entangled.

    Attributes:
        batch: the piece's.
        keys: the persons' keys.
        places: in the batch.
        odd: without a document, or asked for by another number.
        asked: the keys of such numbers.
    """

    batch: int
    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int32]
    odd: npt.NDArray[np.bool_]
    asked: npt.NDArray[np.int64]

    def without(self, others: npt.NDArray[np.bool_]) -> Plain:
        keys, places = self.keys[~others], self.places[~others]
        return Plain(keys, np.full(len(keys), self.batch, np.int32), places)


def _told(staging: Staging) -> list[_Told]:
    found = []
    columns = ["dok_nr", "identifikator", "utfall", _PERSON, "dokumentidentifikator"]
    for batch, piece in staging.read(DOCUMENT_TABLE, columns):
        asked, person = (piece[name].combine_chunks() for name in ("identifikator", _PERSON))
        by_number = pc.and_(
            piece["dokumentidentifikator"].is_null(), pc.not_equal(asked, person)
        ).combine_chunks()
        there = pc.and_(pc.equal(piece["utfall"], "dokument"), person.is_valid()).combine_chunks()
        odd = pc.or_(pc.fill_null(by_number, fill_value=True), pc.invert(there))
        found.append(
            _Told(
                batch,
                keys_of(person),
                piece["dok_nr"].to_numpy(),
                odd.to_numpy(zero_copy_only=False),
                keys_of(asked.filter(by_number)),
            )
        )
    return found


def _entangled(told: list[_Told], numbers: list[pa.Table]) -> npt.NDArray[np.int64]:
    """The keys of all whom another document may concern."""
    keys = np.concatenate([NOBODY.keys, *(one.keys for one in told)])
    keys.sort()
    pieces = [keys[1:][keys[1:] == keys[:-1]]]
    for one in told:
        pieces += [one.asked, one.keys[one.odd]]
    for rows in numbers:
        pieces += [keys_of(rows[name].combine_chunks()) for name in (_PERSON, _NUMBER) if len(rows)]
    return distinct(np.concatenate(pieces))


def load(connection: duckdb.DuckDBPyConnection, staging: Staging) -> None:
    """Fill a database with what was delivered, and the numbers that the documents tell."""
    numbers = staging.read(_NUMBERS, _TOLD)
    others = ((batch, _other_numbers(piece)) for batch, piece in numbers)
    _add(connection, staging.read(DOCUMENT_TABLE), others)


def _add(connection: duckdb.DuckDBPyConnection, delivered: _Pieces, numbers: _Pieces) -> None:
    connection.execute(_DELIVERED)
    _append(connection, "delivered", delivered)
    connection.execute(_ALIKE)
    connection.execute(_NUMBERS_TOLD)
    _append(connection, "numbers", numbers)


def settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Apply the rules to a loaded database."""
    connection.execute(_NEWEST)
    connection.execute(_CLAIM)
    _merge(connection)
    for statement in (_LANDED, _AVVIK, _EARLIER):
        connection.execute(statement)


def _other_numbers(rows: pa.Table) -> pa.Table:
    """Those that aren't the person's current one, and whether they are told to be in use."""
    if _NUMBER not in rows.column_names or rows[_NUMBER].type != pa.string():
        return pa.table({"dok_nr": pa.array([], pa.int32())})
    rows = rows.filter(pc.not_equal(rows[_NUMBER], rows[_PERSON]))
    ended = pa.array([True] * len(rows), pa.bool_())
    if _STATUS in rows.column_names and rows[_STATUS].type == pa.string():
        ended = pc.fill_null(pc.not_equal(rows[_STATUS], _IN_USE), fill_value=True)
    return rows.select(["dok_nr", _PERSON, _NUMBER]).append_column("ended", ended)


def _append(connection: duckdb.DuckDBPyConnection, table: str, pieces: _Pieces) -> None:
    """Append pieces of batches, many at once: a statement costs as much as thousands of rows."""
    waiting: list[pa.Table] = []
    for batch, piece in pieces:
        if len(piece):
            waiting.append(piece.add_column(0, "batch", pa.repeat(batch, len(piece))))
        if sum(map(len, waiting)) >= ROWS_AT_ONCE:
            _insert(connection, table, waiting)
            waiting = []
    if waiting:
        _insert(connection, table, waiting)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, pieces: list[pa.Table]) -> None:
    connection.register("rows", pa.concat_tables(pieces))
    connection.execute(f"INSERT INTO {table} FROM rows")
    connection.unregister("rows")


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
