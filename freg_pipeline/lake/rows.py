"""The rows of our own tables: who was who before, the accounting, events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from freg_pipeline.lake.files import BucketedRows
from freg_pipeline.lake.identity import IDENTITY_SQL
from freg_pipeline.lake.keys import bucket_sql, key_sql
from freg_pipeline.lake.layout import ROWS_AT_ONCE, FileLayout
from freg_pipeline.lake.owntable import OwnTable
from freg_pipeline.lake.owntable_naa import PERSON_NAA
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

_BUCKET = "_bucket"
# person and person_naa are made of what is staged by batch, as the contract's tables are.
_MERGED = {PERSON.name, PERSON_NAA.name}
_OWN = {
    table.name: table for table in (*OWN_TABLES, IDENTITY, REPLACED) if table.name not in _MERGED
}


def is_own(layout: FileLayout) -> bool:
    """Whether a table's rows are here."""
    return layout.name in _OWN


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


class OwnRows:
    """The rows of one uttrekk's own tables.

    Args:
        connection: the resolved database.
        staging: the batches' tables.
        origin: what the rows say of where they came from.
        buckets: how many buckets they are split into.
        events: rows of EVENT_TABLES by table; a full load holds none.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        staging: Staging,
        origin: Origin,
        buckets: int,
        events: Mapping[str, Iterator[pa.Table]] | None = None,
    ) -> None:
        self._connection = connection
        self._staging = staging
        self._origin = origin
        self._buckets = buckets
        self._events = events or {}

    def of_table(self, layout: FileLayout) -> Iterator[BucketedRows]:
        """A table's rows; of one that is split by person by bucket and by the table's keys."""
        own = _OWN[layout.name]
        if own is UKJENT_FELT:
            yield from self._unknown_fields()
        elif own in EVENT_TABLES:
            for rows in self._events.get(own.name, ()):
                yield self._marked(rows), _zeros(len(rows))
        else:
            yield from self._selected(own, layout)

    def _selected(self, own: OwnTable, layout: FileLayout) -> Iterator[BucketedRows]:
        statement = _SELECT[own.name]
        if own.per_person:
            order = ", ".join((_BUCKET, *layout.keys))
            statement = (
                f"SELECT *, {bucket_sql(PERSON_KEY, self._buckets)} AS {_BUCKET} "  # noqa: S608
                f"FROM (SELECT *, {key_sql(own.key)} AS {PERSON_KEY} FROM ({statement})) "
                f"ORDER BY {order}"
            )
        used = {"uttrekk": self._origin.uttrekk} if "$uttrekk" in statement else {}
        for batch in self._connection.sql(statement, params=used).to_arrow_reader(ROWS_AT_ONCE):
            rows = self._marked(pa.Table.from_batches([batch]))
            if own.per_person:
                yield rows.drop_columns(_BUCKET), rows[_BUCKET].to_numpy()
            else:
                yield rows, _zeros(len(rows))

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
    TIDLIGERE_IDENTIFIKATOR.name: "SELECT identifikator, personidentifikator FROM earlier",
    AVVIK.name: (
        "SELECT identifikator, $uttrekk AS uttrekk, batch AS batch_nr, utfall, aarsak, sti, "
        "gikk_til FROM avvik ORDER BY batch, dok_nr"
    ),
    IDENTITY.name: IDENTITY_SQL,
    REPLACED.name: (
        "SELECT DISTINCT nummer AS personidentifikator, nummer IN (FROM replaced) AS rader "
        "FROM touched"
    ),
}
