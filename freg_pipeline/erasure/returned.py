"""Whom a store holds although they are kept out: a backup from before they were erased is back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from freg_pipeline.erasure.persons import Persons
from freg_pipeline.erasure.survey import Progress, silent
from freg_pipeline.erasure.uttrekk import can_hold
from freg_pipeline.errors import ObjectMissingError
from freg_pipeline.journal.keptout import kept_out, numbers_in
from freg_pipeline.journal.raw import read_raw
from freg_pipeline.lake.tables import HENDELSE, IDENTITY, PERSON, TIDLIGERE_IDENTIFIKATOR
from freg_pipeline.store import Store

# Whoever has rows is in one of these; who is only named by others came back with rows of their own.
_TELLING = {one.name for one in (PERSON, TIDLIGERE_IDENTIFIKATOR, HENDELSE, IDENTITY)}
_NUMBERS = {"personidentifikator", "identifikator", "folkeregisteridentifikator", "nummer",
            "nokkel", "person"}  # fmt: skip


def returned(store: Store, progress: Progress = silent) -> Persons:
    """Those who are kept out and are held all the same, each under a number that was found.

    Orders tell digests and no numbers, so every number that there is is held against them.

    Args:
        store: which.
        progress: told of the objects that are looked into.
    """
    out, found = kept_out(store), set[str]()
    keys = [key for key in store.list("uttrekk/") if can_hold(key) and "/tables/" not in key]
    keys += [key for area in ("bases/", "deltas/") for key in store.list(area) if _tells(key)]
    told = progress("numbers held against orders", len(keys))
    for key in keys if out else ():
        with suppress(ObjectMissingError, FileNotFoundError):  # it was removed since
            found |= out.among(_numbers_of(store, key))
        told(1)
    places = {number: place for place, number in enumerate(sorted(found))}
    return Persons(places, tuple(range(1, len(places) + 1)))


def _tells(key: str) -> bool:
    return key.endswith(".parquet") and any(
        part.removesuffix(".parquet") in _TELLING for part in key.split("/")[2:]
    )


def _numbers_of(store: Store, key: str) -> set[str]:
    if key.endswith(".zst"):
        return numbers_in(read_raw(store, key)[1])
    if not key.endswith(".parquet"):
        return numbers_in(store.read(key))
    with store.filesystem.open_input_file(store.path(key)) as opened:
        names = [name for name in pq.read_schema(opened).names if name in _NUMBERS]
        return {number for column in pq.read_table(opened, columns=names).columns
                for number in _written(column)}  # fmt: skip


def _written(column: pa.ChunkedArray) -> Iterator[str]:
    values = pc.unique(column).to_pylist()
    return (f"{one:011d}" if isinstance(one, int) else str(one) for one in values if one)
