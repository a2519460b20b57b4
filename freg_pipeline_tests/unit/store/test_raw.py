"""An answer as one object with its circumstances."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.raw import RawMeta, pack, unpack

BODY = b'{"oppslag": []}'
KEY = "answers/00000.json.zst"


def meta(body: bytes) -> RawMeta:
    return RawMeta(len(body), datetime(2026, 1, 2, tzinfo=UTC), "application/json", "c-1")


def read(data: bytes) -> tuple[RawMeta, bytes]:
    return unpack(data, KEY, "a store")


@given(st.binary(max_size=200))
def test_what_is_packed_comes_back_as_it_was(body: bytes) -> None:
    assert read(pack(KEY, body, meta(body))) == (meta(body), body)


def test_any_zstd_reader_sees_the_body_alone() -> None:
    packed = pack(KEY, BODY, meta(BODY))
    stream = pa.CompressedInputStream(pa.BufferReader(packed), "zstd")
    assert stream.read() == BODY


def test_another_answer_under_this_ones_name_is_told() -> None:
    other = pack("answers/00001.json.zst", BODY, meta(BODY))
    with pytest.raises(DamagedError, match=r"^answers/00000.json.zst in a store is damaged"):
        read(other)


@pytest.mark.parametrize("cut", [0, 3, 20, -1])
def test_a_truncated_object_is_one_clear_error(cut: int) -> None:
    packed = pack(KEY, b"x" * 100, meta(b"x" * 100))
    with pytest.raises(DamagedError, match=r"^answers/00000.json.zst in a store is damaged"):
        read(packed[:cut])


def test_no_single_bit_goes_unnoticed() -> None:
    packed = pack(KEY, BODY, meta(BODY))
    for place in range(len(packed) * 8):
        flipped = bytearray(packed)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(DamagedError, match=r"^answers/00000.json.zst in a store "):
            read(bytes(flipped))
