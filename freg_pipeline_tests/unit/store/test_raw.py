"""An answer as one object with its circumstances."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.errors import StoreError
from freg_pipeline.store.raw import RawMeta, pack, read_meta, unpack


def meta(body: bytes) -> RawMeta:
    return RawMeta(len(body), datetime(2026, 1, 2, tzinfo=UTC), "application/json", "c-1")


@given(st.binary(max_size=200))
def test_what_is_packed_comes_back_as_it_was(body: bytes) -> None:
    assert unpack(pack(body, meta(body))) == (meta(body), body)


def test_any_zstd_reader_sees_the_body_alone() -> None:
    packed = pack(b'{"oppslag": []}', meta(b'{"oppslag": []}'))
    stream = pa.CompressedInputStream(pa.BufferReader(packed), "zstd")
    assert stream.read() == b'{"oppslag": []}'


@pytest.mark.parametrize("cut", [0, 3, 20, -1])
def test_a_damaged_object_is_one_clear_error(cut: int) -> None:
    packed = pack(b"x" * 100, meta(b"x" * 100))
    with pytest.raises(StoreError, match="damaged"):
        unpack(packed[:cut])
    with pytest.raises(StoreError, match="damaged"):
        read_meta(b"{" + packed)
