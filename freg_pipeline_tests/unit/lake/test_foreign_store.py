"""A store that another version of this software made is refused in a line, whoever opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.errors import StoreError
from freg_pipeline.journal.home import settle
from freg_pipeline.journal.releases import list_releases
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.compact import begin_compaction
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.query import query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.restore import restore
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store, record
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, number


@pytest.fixture
def foreign(tmp_path: Path) -> Store:
    """What a later version left: a release, with all that belongs to it."""
    with pytest.MonkeyPatch.context() as later:
        later.setattr(record, "FORMAT", record.FORMAT + 1)
        later.setattr(record.encode_record, "__defaults__", (record.FORMAT,))
        store = local_store(tmp_path)
        settle(store, "syntetisk", "http://127.0.0.1:1")
        build_release(store, deliver(store, "one", [("d", document(number(0)))]))
    return store


@pytest.mark.parametrize(
    "use",
    [
        lambda store: settle(store, "syntetisk", "http://127.0.0.1:2"),
        lambda store: query(store, "FROM person"),
        refresh_catalogue,
        list_releases,
        verify,
        purge,
        begin_compaction,
        lambda store: restore(store, "1"),
        Uttrekk.list_all,
        lambda store: build_release(store, Uttrekk(store, "one")),
    ],
)
def test_it_is_refused_and_stays_as_it_was(foreign: Store, use: Callable[[Store], object]) -> None:
    before = {key: foreign.read(key) for key in foreign.list("")}
    with pytest.raises(StoreError, match="another version of freg_pipeline"):
        use(foreign)
    assert {key: foreign.read(key) for key in foreign.list("")} == before
