"""A list of batches that repeats itself, or goes on beyond any register's size, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from freg_pipeline.errors import RefusedError
from freg_pipeline.extract import endless
from freg_pipeline.extract.batches import packed_batch
from freg_pipeline.extract.endless import require_news
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import deliver, document, number


@pytest.fixture
def uttrekk(tmp_path: Path) -> Uttrekk:
    store = LocalStore(tmp_path)
    return deliver(store, "one", [("d-a", document(number(0)))])


def keep(uttrekk: Uttrekk, *batches: list[str]) -> None:
    for index, identifiers in enumerate(batches, 1):  # 0 is here
        key = uttrekk.batch_key(index)
        uttrekk.store.write(key, packed_batch(key, "dokumentidentifikator", identifiers))


@pytest.mark.parametrize("identifiers", [["a"], ["a", "b"]])
def test_batches_may_come_again_and_not_for_ever(uttrekk: Uttrekk, identifiers: list[str]) -> None:
    first, second = endless.ALIKE, 2 * endless.ALIKE
    keep(uttrekk, ["x"], *[identifiers] * second)  # 1 is another one
    require_news(uttrekk, first, identifiers)
    require_news(uttrekk, second, [*identifiers, "c"])
    with pytest.raises(RefusedError, match=rf"batch {second} holds.*another name"):
        require_news(uttrekk, second, identifiers)


def test_a_list_without_end_is_refused(uttrekk: Uttrekk, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match="no end"):
        require_news(uttrekk, endless.MOST_BATCHES, ["a"])
    monkeypatch.setattr(endless, "MOST_IDENTIFIERS", 3 * endless.ALIKE)
    keep(uttrekk, *[["a", "b", "c", str(one)] for one in range(endless.ALIKE)])
    with pytest.raises(RefusedError, match="no end"):
        require_news(uttrekk, endless.ALIKE, ["d", "e", "f", "g"])


def test_a_large_batch_after_many_small_ones_is_no_list_without_end(
    uttrekk: Uttrekk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endless, "MOST_IDENTIFIERS", 3 * endless.ALIKE)
    keep(uttrekk, *[[str(one)] for one in range(2 * endless.ALIKE)])
    for batch in (endless.ALIKE, endless.ALIKE + 1, 2 * endless.ALIKE):
        require_news(uttrekk, batch, ["a", "b", "c", "d"])
