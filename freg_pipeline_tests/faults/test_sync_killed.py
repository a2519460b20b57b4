"""A sync that dies at any instant: the next one ends as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from freg_pipeline import course
from freg_pipeline.advance import Standing, Step
from freg_pipeline.client import Register
from freg_pipeline.client.session import Session
from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import query
from freg_pipeline.lake.verify import verify
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.record import replace_record
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen, status_of
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


class _DiedError(Exception):
    """Stands for a process that ends between two steps."""


def take_steps(session: Session, settings: Settings) -> None:
    """Take the steps of the store's next sync, up to its release."""
    store = open_store(settings)
    session.ask(
        lambda register: course.collect(store, register, settings, lambda *_: lambda _: None)
    )


def test_whoever_dies_after_a_step_goes_on_with_the_next_one(
    behind: Behind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    look = course.standing_after

    def collected(store: Path, dies_after: int | None = None) -> Counter[str]:
        """Take a sync's steps on a store; returns what was asked of the register."""

        def noted(step: Step, before: Standing, uttrekk: Uttrekk) -> Standing:
            taken.append(type(step).__name__)
            if len(taken) == dies_after:
                raise _DiedError
            return look(step, before, uttrekk)

        monkeypatch.setattr(course, "standing_after", noted)
        settings = behind.settings.model_copy(update={"store": str(store)})
        asked = Counter(status_of(str(settings.base_url))["requests"])
        with Session(lambda: Register.from_settings(settings)) as session, suppress(_DiedError):
            take_steps(session, settings)
        return Counter(status_of(str(settings.base_url))["requests"]) - asked

    copy = shutil.copytree(behind.settings.store, tmp_path / "whole")
    whole = collected(copy)
    steps = taken.copy()
    assert steps[0] == "ReadEvents"
    assert steps[-1] == "StageEvents"
    for dies_after in range(1, len(steps)):
        copy = shutil.copytree(behind.settings.store, tmp_path / f"{dies_after}")
        taken.clear()
        asked = collected(copy, dies_after) + collected(copy)
        assert taken == steps, "no step is taken twice, none is left out"
        for service in ("hendelser/feed", "personer/bulkoppslag", "hendelser/bulkoppslag"):
            assert asked[service] == whole[service], service


def test_a_batch_that_is_gone_and_cannot_be_made_again_ends_the_sync(
    behind: Behind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of answers that were in doubt: once they aren't any more, nobody knows whose they were."""
    settings = behind.settings.model_copy(
        update={"store": str(shutil.copytree(behind.settings.store, tmp_path / "store"))}
    )
    store, closed = open_store(settings), course.standing_after

    def stopped(step: Step, before: Standing, uttrekk: Uttrekk) -> Standing:
        after = closed(step, before, uttrekk)
        if after.end is not None:
            raise _DiedError
        return after

    with Session(lambda: Register.from_settings(settings)) as session:
        with monkeypatch.context() as dying, suppress(_DiedError):
            dying.setattr(course, "standing_after", stopped)
            take_steps(session, settings)
        (sync,) = (one for one in Uttrekk.list_open(store) if one.kind.is_sync)
        assert sync.end is not None
        replace_record(store, sync.end_key, {"batches": sync.end + 1})
        with pytest.raises(DamagedError, match="gone"):
            take_steps(session, settings)
