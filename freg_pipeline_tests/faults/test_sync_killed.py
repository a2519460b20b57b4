"""A sync that dies at any instant: the next one ends as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from freg_pipeline.journal.releases import current_number, require_current
from freg_pipeline.lake.query import query
from freg_pipeline.lake.verify import verify
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.tables import difference
from freg_pipeline_tests.waiting import started, wait_until


@dataclass(frozen=True)
class Behind:
    """A store that is behind its register, and one with what the register has now."""

    settings: Settings
    last: int
    fresh: Store


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("behind")
    options = RegisterOptions(persons=150, batch_size=150, ready_after_seconds=0.05, latency_ms=30)
    with running(options) as url:
        settings = load(base_url=url, store=str(folder / "store"), poll_seconds=0.05)
        full_load(settings)
        last = happen(url, 300)
        fresh = settings.model_copy(update={"store": str(folder / "fresh")})
        full_load(fresh)
        yield Behind(settings, last, open_store(fresh))


STAGES: dict[str, Callable[[Store], bool]] = {
    "persons are looked up": lambda store: _any(store, "/answers/000000/00000.json.zst"),
    "the events have landed": lambda store: _any(store, "/tables/hendelser/done.json"),
    "the delta is being written": lambda store: bool(store.list("deltas/")),
    "the release is there": lambda store: len(store.list("releases/")) > 2,
}


def _any(store: Store, end: str) -> bool:
    return any(key.endswith(end) for key in store.list("uttrekk/hendelser-"))


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_stage_the_next_sync_ends_as_if_nothing_had_happened(
    stage: str, behind: Behind, tmp_path: Path
) -> None:
    store = LocalStore(Path(shutil.copytree(behind.settings.store, tmp_path / "store")))
    settings = behind.settings.model_copy(update={"store": store.location})
    with started(
        [sys.executable, "-m", "freg_pipeline.cli", "hendelser", "sync"],
        env={**os.environ, "FREG_STORE": store.location, "FREG_BASE_URL": str(settings.base_url)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until(lambda: STAGES[stage](store), process)
    assert current_number(store) in {"000001", "000002"}, "a whole release, or the one before"

    sync(settings)

    manifest = require_current(store)
    assert (manifest.number, manifest.sekvensnummer) == ("000002", behind.last)
    (counted,) = query(
        store, "SELECT count(*), count(DISTINCT sekvensnummer) FROM hendelse"
    ).fetchall()
    assert counted[0] == counted[1] >= 300, "no event is skipped, none is there twice"
    assert verify(store) == []
    assert difference(store, behind.fresh) == {}
