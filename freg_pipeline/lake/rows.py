"""The rows of those who landed, table by table: what the files of a base, or of a delta, hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from freg_pipeline.contract import Plan
from freg_pipeline.lake.files import BucketedRows
from freg_pipeline.lake.identity import IDENTITY_SQL
from freg_pipeline.lake.keys import bucket_sql, key_sql
from freg_pipeline.lake.kommune import with_kommune
from freg_pipeline.lake.layout import ROW_GROUP, FileLayout, layouts
from freg_pipeline.lake.owntable import OwnTable
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.resolve import Places, places
from freg_pipeline.lake.staging import Staging
from freg_pipeline.lake.tables import (
    AVVIK,
    DELTA_COLUMN,
    EVENT_TABLES,
    IDENTITY,
    OWN_TABLES,
    PERSON,
    PERSON_KEY,
    REPLACED,
    TIDLIGERE_IDENTIFIKATOR,
    UKJENT_FELT,
)
from freg_pipeline.lake.unasked import UnaskedNumbers

_BUCKET = "_bucket"


@dataclass(frozen=True)
class TableRows:
    """A table's rows, and how they are written.

    Attributes:
        layout: the table's form in files.
        pieces: the rows, with their buckets; read once.
    """

    layout: FileLayout
    pieces: Iterator[BucketedRows]


@dataclass(frozen=True)
class Origin:
    """What the rows say of where they came from.

    Attributes:
        uttrekk: its name.
        sekvensnummer: the event list's position that it is good to.
        delta: whether rows are marked as a delta's.
    """

    uttrekk: str
    sekvensnummer: int
    delta: bool = False


class LandedRows:
    """The rows of one uttrekk's landed documents.

    Args:
        connection: the resolved database.
        staging: the batches' tables.
        plan: the contract's tables.
        parts: whose content is landed.
        origin: what the rows say of where they came from.
        buckets: how many buckets they are split into.
        events: rows of EVENT_TABLES by table; a full load holds none.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        staging: Staging,
        plan: Plan,
        parts: Collection[str],
        origin: Origin,
        buckets: int,
        events: Mapping[str, Iterator[pa.Table]] | None = None,
    ) -> None:
        self._connection = connection
        self._staging = staging
        self._plan = plan
        self._unasked = UnaskedNumbers(staging, plan, parts)
        self._origin = origin
        self._buckets = buckets
        self._events = events or {}
        self._places: dict[int, Places] | None = None

    def tables(self) -> Iterator[TableRows]:
        """Every table, also those without rows; those that no view shows come last."""
        own = {table.name: table for table in (*OWN_TABLES, IDENTITY, REPLACED)}
        del own[PERSON_NAA.name]  # staged by batch, as the contract's tables are
        for layout in layouts(self._plan, delta=self._origin.delta):
            name = layout.name
            pieces = self._pieces(own[name]) if name in own else self._of_landed(name)
            yield TableRows(layout, pieces)

    # -- tables staged by batch ----------------------------------------------------------------

    def _of_landed(self, name: str) -> Iterator[BucketedRows]:
        if self._places is None:
            self._places = places(self._connection, self._buckets)
        for batch, staged in self._staging.read(name):
            rows = self._unasked.without(name, batch, staged)
            of_batch, document = self._places[batch], rows["dok_nr"].to_numpy()
            bucket, key = of_batch.bucket[document], of_batch.key[document]
            kept = rows.drop_columns("dok_nr")
            if (bucket < 0).any():
                kept = kept.filter(pa.array(bucket >= 0))
                key, bucket = key[bucket >= 0], bucket[bucket >= 0]
            kept = with_kommune(kept).append_column(PERSON_KEY, pa.array(key))
            yield self._marked(kept), bucket

    # -- our tables ------------------------------------------------------------------------

    def _pieces(self, own: OwnTable) -> Iterator[BucketedRows]:
        if own is UKJENT_FELT:
            yield from self._unknown_fields()
        elif own in EVENT_TABLES:
            for rows in self._events.get(own.name, ()):
                yield self._marked(rows), _zeros(len(rows))
        else:
            yield from self._selected(own)

    def _selected(self, own: OwnTable) -> Iterator[BucketedRows]:
        key = key_sql(own.key) if own.per_person else "0"
        statement = (
            f"SELECT *, {bucket_sql(PERSON_KEY, self._buckets)} AS {_BUCKET} "  # noqa: S608  ours
            f"FROM (SELECT *, {key} AS {PERSON_KEY} FROM ({_SELECT[own.name]}))"
        )
        given = {"sekvensnummer": self._origin.sekvensnummer, "uttrekk": self._origin.uttrekk}
        used = {name: given[name] for name in given if f"${name}" in statement}
        for batch in self._connection.sql(statement, params=used).to_arrow_reader(ROW_GROUP):
            rows = pa.Table.from_batches([batch])
            yield self._marked(rows.drop_columns(_BUCKET)), rows[_BUCKET].to_numpy()

    def _unknown_fields(self) -> Iterator[BucketedRows]:
        staged = [rows for _, rows in self._staging.read(UKJENT_FELT.name)]
        rows = _summed_up(staged) if staged else UKJENT_FELT.schema.empty_table()
        yield self._marked(rows), _zeros(len(rows))

    def _marked(self, rows: pa.Table) -> pa.Table:
        """With the delta that the rows are of."""
        if not self._origin.delta:
            return rows
        return marked(rows, self._origin.sekvensnummer)


def _summed_up(staged: list[pa.Table]) -> pa.Table:
    """One row a path that the contract doesn't know: how often in all, and the first example."""
    import polars as pl  # most loads have none of these

    paths = pl.from_arrow(pa.concat_tables(staged).select(UKJENT_FELT.schema.names))
    assert isinstance(paths, pl.DataFrame)  # noqa: S101  a table gives no series
    summed = paths.group_by("sti", maintain_order=True).agg(
        pl.col("antall").sum(), pl.col("eksempel").first()
    )
    return summed.sort("sti").to_arrow().cast(UKJENT_FELT.schema)


def marked(rows: pa.Table, delta: int) -> pa.Table:
    """Rows with the delta that they are of."""
    return rows.append_column(DELTA_COLUMN, pa.repeat(pa.scalar(delta, pa.int64()), len(rows)))


def _zeros(size: int) -> npt.NDArray[np.int16]:
    return np.zeros(size, dtype=np.int16)


# Batches below 0 are no batches: what a delta knows of those that it doesn't hold.
_SELECT = {
    PERSON.name: (
        "SELECT person AS personidentifikator, dokument AS dokumentidentifikator, "
        "$sekvensnummer::BIGINT AS sekvensnummer, hentet, $uttrekk AS uttrekk, "
        "ajourholdt AS _ajourholdt FROM landed WHERE batch >= 0 ORDER BY person"
    ),
    TIDLIGERE_IDENTIFIKATOR.name: (
        "SELECT identifikator, personidentifikator FROM earlier ORDER BY identifikator"
    ),
    AVVIK.name: (
        "SELECT identifikator, $uttrekk AS uttrekk, batch AS batch_nr, utfall, aarsak, sti, "
        "gikk_til FROM avvik ORDER BY batch, dok_nr"
    ),
    IDENTITY.name: IDENTITY_SQL,
    REPLACED.name: (
        "SELECT DISTINCT nummer AS personidentifikator, nummer IN (FROM replaced) AS rader "
        "FROM touched ORDER BY nummer"
    ),
}
