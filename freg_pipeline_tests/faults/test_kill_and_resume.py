"""Any process may die at any instant; the next run goes on from there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.query import query
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store, open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.registers import status_of
from freg_pipeline_tests.waiting import started, wait_until

CONCURRENCY = 2


def load_killed_when(reached: Callable[[], object], folder: Path, base_url: str) -> None:
    """``freg uttrekk komplett`` in a process that gets killed."""
    with started(
        [sys.executable, "-m", "freg_pipeline.cli", "uttrekk", "komplett", "--name", "one"],
        cwd=folder,
        env={
            **os.environ,
            "FREG_STORE": str(folder / "store"),
            "FREG_BASE_URL": base_url,
            "FREG_CONCURRENCY": str(CONCURRENCY),
            "FREG_POLL_SECONDS": "0.05",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until(reached, process)


@pytest.fixture
def store(make_settings: Callable[..., object]) -> Store:
    return open_store(make_settings("http://127.0.0.1:1"))  # type: ignore[arg-type]


def _answers(store: Store) -> int:
    return len(store.list("uttrekk/one/answers/"))


def test_killed_amid_look_ups_it_goes_on_and_asks_for_nothing_twice(
    tmp_path: Path, store: Store, start_register: StartRegister, freg: RunFreg
) -> None:
    url = start_register(persons=6_000, batch_size=6_000, latency_ms=150)
    load_killed_when(lambda: _answers(store) >= 2, tmp_path, url)
    kept = _answers(store)
    assert kept < 6
    assert current_release(store) is None, "readers see no half release"

    ended = freg("uttrekk", "resume", "one", FREG_BASE_URL=url)

    assert ended.code == 0, ended.stderr
    requests = status_of(url)["requests"]
    assert requests["uttrekk/komplett"] == 1
    # Six look-ups in all; what was under way when the process died is asked for once more.
    assert 6 <= requests["personer/bulkoppslag/arkiv"] <= 6 + CONCURRENCY
    manifest = current_release(store)
    assert manifest is not None
    assert manifest.accounting.unexplained == 0
    assert query(store, "SELECT count(*) FROM person").fetchall() == [(manifest.accounting.landed,)]


def _landed(store: Store) -> int:
    return sum(key.endswith("/done.json") for key in store.list("uttrekk/one/tables/"))


STAGES: dict[str, Callable[[Store], object]] = {
    "the order is recorded": lambda store: store.exists("uttrekk/one/order/01-answer.json"),
    "a batch came": lambda store: store.list("uttrekk/one/batches/"),
    "a batch has landed": lambda store: _landed(store) > 0,
    "the last batch has landed": lambda store: _landed(store) == 3,
    "the base is being written": lambda store: bool(store.list("bases/")),
    "a release is there": lambda store: bool(store.list("releases/")),
}


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_stage_the_next_run_ends_as_if_nothing_had_happened(
    stage: str, tmp_path: Path, store: Store, start_register: StartRegister, freg: RunFreg
) -> None:
    url = start_register(persons=300, batch_size=100, latency_ms=20)
    load_killed_when(lambda: STAGES[stage](store), tmp_path, url)

    ended = freg("uttrekk", "komplett", "--name", "one", FREG_BASE_URL=url)

    assert ended.code == 0, ended.stderr
    assert status_of(url)["requests"]["uttrekk/komplett"] == 1
    manifest = current_release(store)
    assert manifest is not None
    assert manifest.number == "000001", "one uttrekk makes one release"
    assert manifest.accounting.landed + manifest.accounting.merged == 300
    assert verify(store) == []


def test_killed_while_the_order_is_under_way_no_second_one_is_made_blindly(
    tmp_path: Path, store: Store, start_register: StartRegister, freg: RunFreg
) -> None:
    url = start_register(persons=50, latency_ms=1_500)
    load_killed_when(lambda: store.exists("uttrekk/one/order/01-sent.json"), tmp_path, url)

    ended = freg("uttrekk", "resume", "one", FREG_BASE_URL=url)
    assert ended.code == 1
    assert len(ended.lines) == 1
    assert "--order-again" in ended.stderr
    assert status_of(url)["requests"].get("uttrekk/komplett", 0) <= 1

    ended = freg("uttrekk", "resume", "one", "--order-again", FREG_BASE_URL=url)
    assert ended.code == 0, ended.stderr
    assert current_release(store) is not None
