"""Who is kept out: told by digests, and by nothing that could be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.keptout import (
    NOBODY,
    add_order,
    kept_out,
    numbers_in,
    orders,
    receipt_key,
)
from freg_pipeline.store import write_record
from freg_pipeline.store.local import LocalStore

HIM, HER, THEM = "01845815093", "14888041398", "03840454648"


def test_nobody_is_kept_out_of_a_new_store(tmp_path: Path) -> None:
    assert kept_out(LocalStore(tmp_path)) is NOBODY
    assert HIM not in NOBODY


def test_who_is_lifted_is_kept_out_no_longer_and_the_others_are(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert add_order(store, [[HIM], [HER]]) == 1
    assert add_order(store, [[HER]], lifts=True) == 2
    out = kept_out(store)
    assert out.among([HIM, HER, THEM]) == {HIM}
    assert out.number == 2
    assert add_order(store, [[HER]]) == 3
    assert kept_out(store).among([HIM, HER, THEM]) == {HIM, HER}
    assert [len(order.persons) for order in orders(store).values()] == [2, 1, 1]


@pytest.mark.parametrize(
    ("gone", "written"), [("000001/order.json", False), ("000002/order.json", True)]
)
def test_an_order_that_is_gone_is_told_and_lets_nobody_in(
    gone: str, written: bool, tmp_path: Path
) -> None:
    store = LocalStore(tmp_path)
    add_order(store, [[HIM]])
    number = add_order(store, [[HER]])
    if written:  # the last one is known by its receipt
        write_record(store, receipt_key(number), {"number": number})
    store.delete(f"erasures/{gone}")
    with pytest.raises(DamagedError, match=rf"erasures/{gone} in .* is gone\. "):
        kept_out(store)


def test_nothing_that_is_kept_can_be_read_as_a_number_or_is_the_same_elsewhere(
    tmp_path: Path,
) -> None:
    told = []
    for name in ("one", "other"):
        store = LocalStore(tmp_path / name)
        add_order(store, [[HIM]])
        files = list((tmp_path / name).rglob("*.json"))
        assert not any(HIM.encode() in path.read_bytes() for path in files)
        assert all(path.stat().st_mode & 0o077 == 0 for path in files)
        told.append(kept_out(store).digests)
    assert told[0] != told[1]


@given(st.lists(st.sampled_from(["x", '"', "1", "0", "12345", HIM, HIM[1:], ":", " "])))
def test_numbers_are_found_in_long_texts_as_in_short_ones(pieces: list[str]) -> None:
    text = "".join(pieces)
    expected = {one.zfill(11) for one in re.findall(r"\d+", text) if len(one) in {10, 11}}
    assert numbers_in(text.encode()) == expected
    assert numbers_in(text.encode() + b"." * 3_000) == expected
