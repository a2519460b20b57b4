"""Who is kept out: told by digests, and by nothing that could be read."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.journal.keptout import NOBODY, add_order, kept_out, numbers_in, orders
from freg_pipeline.store.local import LocalStore

HIM, HER, THEM = "01845815093", "14888041398", "03840454648"


def test_nobody_is_kept_out_of_a_new_store(tmp_path: Path) -> None:
    assert kept_out(LocalStore(tmp_path)) is NOBODY
    assert HIM not in NOBODY


def test_who_is_lifted_is_kept_out_no_longer_and_the_others_are(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert add_order(store, [HIM, HER], 1) == 1
    assert add_order(store, [HER], 1, lifts=True) == 2
    out = kept_out(store)
    assert out.among([HIM, HER, THEM]) == {HIM}
    assert out.number == 2
    assert add_order(store, [HER], 1) == 3
    assert kept_out(store).among([HIM, HER, THEM]) == {HIM, HER}
    assert [order.persons for order in orders(store).values()] == [1, 1, 1]


def test_nothing_that_is_kept_can_be_read_as_a_number_or_is_the_same_elsewhere(
    tmp_path: Path,
) -> None:
    told = []
    for name in ("one", "other"):
        store = LocalStore(tmp_path / name)
        add_order(store, [HIM], 1)
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
