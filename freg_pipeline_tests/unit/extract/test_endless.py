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
        packed = packed_batch("dokumentidentifikator", identifiers)
        uttrekk.store.write(uttrekk.batch_key(index), packed)


def test_a_copy_of_the_batch_before_is_refused(uttrekk: Uttrekk) -> None:
    keep(uttrekk, ["a", "b"])
    require_news(uttrekk, 2, ["b", "c"])
    with pytest.raises(RefusedError, match=r"batch 2 holds.*another name"):
        require_news(uttrekk, 2, ["a", "b"])


def test_one_document_may_come_again_and_not_for_ever(uttrekk: Uttrekk) -> None:
    keep(uttrekk, ["a"], ["a"], ["a"])
    require_news(uttrekk, 3, ["a"])
    with pytest.raises(RefusedError, match="batch 4 holds"):
        require_news(uttrekk, 4, ["a"])


def test_a_list_without_end_is_refused(uttrekk: Uttrekk) -> None:
    for batch, count in ((endless.MOST_BATCHES, 1), (endless.MOST_IDENTIFIERS // 2 + 1, 2)):
        with pytest.raises(RefusedError, match="no end"):
            require_news(uttrekk, batch, [str(one) for one in range(count)])
