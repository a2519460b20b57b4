"""A batch's file: whatever the number of buckets, each of them is there once, and in order."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freg_pipeline.errors import DamagedError
from freg_pipeline.lake.keys import bucket_sql, buckets_of, in_slices, key_sql, keys_of, stretch_of
from freg_pipeline.lake.landing import packed_key
from freg_pipeline.lake.packed import read_parts, rows_of
from freg_pipeline.lake.staging import Staging
from freg_pipeline.normalize.account import DOCUMENT_SCHEMA
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import local_store, number, stage_batch

ROWS = 20_000  # of one table: parts enough to tell


def _staged(store: LocalStore) -> Staging:
    """Two batches: documents in no order, some of nobody; rows of some of them."""
    random = np.random.default_rng(7)
    for batch in range(2):
        persons = [number(int(one)) for one in random.permutation(5_000)]
        told = [None if place % 50 == 0 else one for place, one in enumerate(persons)]
        places = pa.array(range(5_000), pa.int32())
        documents = {"dok_nr": places, "personidentifikator": pa.array(told, pa.string())}
        account = pa.table(
            [documents.get(name, pa.nulls(5_000, kind)) for name, kind in _fields()],
            schema=DOCUMENT_SCHEMA,
        )
        of = np.sort(random.integers(0, 5_000, ROWS)).astype(np.int32)
        rows = pa.table({"dok_nr": of, "rad_nr": np.arange(ROWS, dtype=np.int32)})
        few = pa.table({"dok_nr": pa.array([7, 7, 9], pa.int32()), "rad_nr": [0, 1, 2]})
        stage_batch(store, "u", batch, {"dokument": account, "many": rows, "few": few})
    return Staging(store, "u", [0, 1])


def _fields() -> list[tuple[str, pa.DataType]]:
    return [(field.name, field.type) for field in DOCUMENT_SCHEMA]


@pytest.mark.parametrize("buckets", [1, 2, 8, 64])
def test_every_row_is_in_the_stretch_of_its_bucket(tmp_path: Path, buckets: int) -> None:
    staging = _staged(local_store(tmp_path))
    accounts = pa.concat_tables(piece for batch, piece in staging.read("dokument") if batch == 0)
    keys = np.zeros(5_000, np.int64)
    keys[accounts["dok_nr"].to_numpy()] = keys_of(accounts["personidentifikator"].combine_chunks())
    for table, rows in (("many", ROWS), ("few", 3)):
        found: list[int] = []
        read = 0
        for bucket in range(buckets):
            pieces = [
                one for batch, one in staging.of_bucket(bucket, buckets).read(table) if not batch
            ]
            piece = pa.concat_tables(pieces)
            places = piece["dok_nr"].to_numpy()
            mine = buckets_of(keys[places], buckets) == bucket
            mine &= keys[places] > 0  # those of nobody land nowhere
            found += piece["rad_nr"].to_numpy()[mine].tolist()
            read += len(piece)
            slices = in_slices(keys[places[mine]])
            assert (np.diff(slices) >= 0).all()
            assert (np.diff(keys[places[mine]])[np.diff(slices) == 0] >= 0).all()
        every = pa.concat_tables(piece for batch, piece in staging.read(table) if batch == 0)
        somebodys = keys[every["dok_nr"].to_numpy()] > 0
        assert sorted(found) == sorted(every["rad_nr"].to_numpy()[somebodys].tolist())
        assert len(every) == rows
        if table == "many":
            assert read <= 8 * rows, "parts, and not the whole table for each bucket"


def test_a_part_that_has_changed_is_told_and_the_others_can_be_read(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    staging = _staged(store)
    key = packed_key("u", 0)
    table = staging.landed[0].tables["many"]
    content = bytearray(store.read(key))
    content[table.parts[1].start + 40] ^= 1
    Path(store.path(key)).write_bytes(content)
    assert len(list(read_parts(store, key, table, table.parts[:1]))) == 1
    for damaged in (table.parts[1:2], table.parts):
        with pytest.raises(DamagedError):
            list(read_parts(store, key, table, damaged))
    Path(store.path(key)).write_bytes(content[: table.parts[2].start + 5])
    with pytest.raises(DamagedError):
        list(read_parts(store, key, table, table.parts[2:3]))


def test_columns_that_the_contract_lacks_are_left_out(tmp_path: Path) -> None:
    staging = _staged(local_store(tmp_path))
    for wanted, there in (
        (["status", "rad_nr", "dok_nr"], ["rad_nr", "dok_nr"]),
        (["rad_nr"], ["rad_nr"]),
    ):
        read = [piece for _, piece in staging.read("few", wanted)]
        assert [piece.column_names for piece in read] == [there, there]
        assert [piece["rad_nr"].to_pylist() for piece in read] == [[0, 1, 2]] * 2


@given(st.lists(st.text(max_size=12) | st.from_regex(r"[0-9]{10,12}\n?", fullmatch=True)))
@settings(max_examples=30, deadline=None)
def test_keys_and_buckets_are_the_same_in_sql(numbers: list[str]) -> None:
    keys = keys_of(pa.array(numbers, pa.string()))
    given_numbers = pa.table({"n": pa.array(numbers, pa.string())})
    with duckdb.connect() as connection:
        connection.register("given_numbers", given_numbers)
        for buckets in (1, 4, 64):
            rows = connection.sql(
                f"SELECT key, {bucket_sql('key', buckets)} FROM "
                f"(SELECT {key_sql('n')} AS key FROM given_numbers)"
            ).fetchall()
            expected = list(zip(keys.tolist(), buckets_of(keys, buckets).tolist(), strict=True))
            assert rows == expected
            for key, bucket in rows:
                assert in_slices(np.array([key]))[0] in stretch_of(bucket, buckets)


@given(st.lists(st.integers(-1, 6), max_size=20), st.permutations(range(7)), st.integers(0, 7))
def test_rows_come_document_by_document(places: list[int], order: list[int], some: int) -> None:
    wanted = np.array(order[:some], np.int64)
    found, starts = rows_of(np.array(places, np.int32), wanted)
    expected = [row for one in wanted for row, of in enumerate(places) if of == one]
    assert found.tolist() == expected
    assert np.diff(starts).tolist() == [places.count(one) for one in wanted]
    assert len(starts) == some + 1
