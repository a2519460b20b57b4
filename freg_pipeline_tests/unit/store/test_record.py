"""Records in their envelope."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.errors import DamagedError, StoreError
from freg_pipeline.store import read_record, write_record
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.record import FORMAT, decode_record, encode_record


class Noted(msgspec.Struct, frozen=True):
    name: str
    count: int


def read(data: bytes) -> Noted:
    return decode_record(data, Noted, "a/b.json", "a store")


@given(st.text(), st.integers(-(2**63), 2**63 - 1))
def test_a_record_comes_back_as_it_was(name: str, count: int) -> None:
    assert read(encode_record("a/b.json", Noted(name, count))) == Noted(name, count)


def test_what_is_there_stays(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert write_record(store, "one", Noted("a", 1))
    assert not write_record(store, "one", Noted("b", 2))
    assert read_record(store, "one", Noted) == Noted("a", 1)


def test_no_single_bit_goes_unnoticed() -> None:
    data = encode_record("a/b.json", Noted("Ærlig", 12))
    for place in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(DamagedError, match=r"^a/b.json in a store is damaged"):
            read(bytes(flipped))


def test_another_record_under_this_ones_name_is_damage() -> None:
    with pytest.raises(DamagedError, match=r"^a/b.json in a store is damaged"):
        read(encode_record("a/c.json", Noted("a", 1)))


def test_what_the_version_before_wrote_is_told_as_that() -> None:
    before = encode_record("a/b.json", Noted("a", 1), FORMAT - 1)
    with pytest.raises(StoreError, match="another version of freg_pipeline"):
        read(before)


@pytest.mark.parametrize("length", range(0, 100, 7))
def test_a_truncated_record_is_damaged(length: int) -> None:
    with pytest.raises(DamagedError, match=r"^a/b.json in a store is damaged"):
        read(encode_record("a/b.json", Noted("a", 1))[:length])


@pytest.mark.parametrize(
    "data",
    [
        encode_record("a/b.json", Noted("a", 1), FORMAT + 1),
        b'{"name": "a", "count": 1}',
        encode_record("a/b.json", {"navn": "a"}),
    ],
    ids=["a later format", "before there were envelopes", "other fields"],
)
def test_what_another_version_wrote_is_told_as_that(data: bytes) -> None:
    with pytest.raises(StoreError, match="another version of freg_pipeline") as raised:
        read(data)
    assert raised.value.exit_code == 2
