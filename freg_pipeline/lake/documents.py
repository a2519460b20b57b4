"""The documents of those who landed, in the order that their rows have in a bucket's files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from freg_pipeline.lake.keys import buckets_of, key_sql
from freg_pipeline.lake.resolve import Plain

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True)
class Documents:
    """Documents by the person's key, each person once.

    Attributes:
        keys: the persons' keys, ascending.
        batches: the batch that each document came in.
        places: its place there.
        among: more documents, and where among them these ones begin; None: there are no more.
    """

    keys: npt.NDArray[np.int64]
    batches: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    among: tuple[Documents, int] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def between(self, start: int, end: int) -> Documents:
        """Some of them. What is known of all serves these too."""
        mine = slice(start, end)
        return Documents(self.keys[mine], self.batches[mine], self.places[mine], (self, start))

    def of_batch(self, batch: int, places: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Which documents these places of a batch are; -1: none of them."""
        if self.among is not None:
            every, start = self.among
            found = every.of_batch(batch, places) - start
            return np.where((found >= 0) & (found < len(self)), found, -1)
        known = self._known.get(batch, np.empty(0, np.int32))
        outside = places >= len(known)
        if not outside.any():
            return known[places]
        return np.where(outside, -1, known[np.where(outside, 0, places)] if len(known) else -1)

    @cached_property
    def _known(self) -> dict[int, npt.NDArray[np.int32]]:
        """By batch, which document each of its places is."""
        order = np.argsort(self.batches, kind="stable").astype(np.int32)
        batches, firsts = np.unique(self.batches[order], return_index=True)
        known = {}
        for batch, mine in zip(batches.tolist(), np.split(order, firsts)[1:], strict=True):
            places = self.places[mine]
            known[batch] = np.full(int(places.max()) + 1, -1, np.int32)
            known[batch][places] = mine
        return known

    def to_bytes(self) -> pa.Buffer:
        """To be kept, for those who make a bucket elsewhere."""
        columns = [pa.array(self.keys), pa.array(self.batches), pa.array(self.places)]
        rows = pa.RecordBatch.from_arrays(columns, ["key", "batch", "place"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=_OPTIONS) as writer:
            writer.write_batch(rows)
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Documents:
        """What :meth:`to_bytes` gave."""
        with pa.ipc.open_stream(pa.py_buffer(content)) as stream:
            rows = stream.read_next_batch()
        return cls(*(column.to_numpy() for column in rows.columns))


def joined(buckets: Sequence[Documents]) -> Documents:
    """Documents of several buckets, one after the other."""
    return Documents(
        np.concatenate([one.keys for one in buckets]),
        np.concatenate([one.batches for one in buckets]),
        np.concatenate([one.places for one in buckets]),
    )


def landed_documents(
    connection: duckdb.DuckDBPyConnection, buckets: int, plain: Plain
) -> list[Documents]:
    """The documents of those who landed, by bucket.

    Args:
        connection: the resolved database.
        buckets: how many.
        plain: those who landed without being in it.
    """
    found = connection.sql(
        f"SELECT {key_sql('person')} AS key, batch, dok_nr FROM landed WHERE batch >= 0"  # noqa: S608
    ).fetchnumpy()
    settled = [np.asarray(found[name]) for name in ("key", "batch", "dok_nr")]
    keys = np.concatenate([plain.keys, settled[0].astype(np.int64)])
    batches = np.concatenate([plain.batches, settled[1].astype(np.int32)])
    places = np.concatenate([plain.places, settled[2].astype(np.int32)])
    bucket = buckets_of(keys, buckets)
    order = np.lexsort((places, batches, keys, bucket))
    cuts = np.searchsorted(bucket[order], np.arange(1, buckets))
    split = np.split(order, cuts)
    return [Documents(keys[mine], batches[mine], places[mine]) for mine in split]
