"""What a load of very many batches asks of the store beside their content: so much for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from freg_pipeline.client import Register
from freg_pipeline.extract.order import place_order
from freg_pipeline.extract.poll import require_batch
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import staging_key
from freg_pipeline.orchestration import run
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.store import write_record
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.conftest import StartRegister

FEW, MANY = 60, 120


class Counting(LocalStore):
    """Counts the objects that are asked for, and those that lists name."""

    touched = 0

    def exists(self, key: str) -> bool:
        self.touched += 1
        return super().exists(key)

    def read(self, key: str) -> bytes:
        self.touched += 1
        return super().read(key)

    def list(self, prefix: str) -> list[str]:
        found = super().list(prefix)
        self.touched += 1 + len(found)
        return found


class _AllHaveLandedError(Exception):
    """The course wants to publish."""


class Quick:
    """Takes the steps of a course without Dagster, and lands a batch by its marker alone."""

    def __init__(self, freg: Freg) -> None:
        self._freg = freg

    def add(self, *names: object) -> None:
        """No page, no partitions."""

    def run(self, job: str, name: str | None = None, *others: object) -> None:
        if job != "full_load":
            raise _AllHaveLandedError
        uttrekk, settings = Uttrekk(self._freg.store, name or ""), self._freg.settings
        self._freg.ask(lambda register: place_order(register, uttrekk, settings))

    def land(self, name: str, batches: Sequence[int]) -> None:
        uttrekk, settings = Uttrekk(self._freg.store, name), self._freg.settings

        async def see(register: Register) -> None:
            for batch in batches:
                await require_batch(register, uttrekk, batch, settings)

        self._freg.ask(see)
        for batch in batches:
            write_record(self._freg.store, staging_key(uttrekk.place, batch, "done.json"), {})


@pytest.fixture
def objects_touched(
    start_register: StartRegister,
    make_freg: Callable[..., Freg],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[[int], int]:
    @contextmanager
    def quick(freg: Freg) -> Iterator[Quick]:
        yield Quick(freg)

    monkeypatch.setattr(run, "open_engine", quick)

    def load(batches: int) -> int:
        url = start_register(persons=batches, batch_size=1, ready_after_seconds=0)
        freg = make_freg(url, poll_seconds=0.01, requests_per_minute=1_000_000)
        freg.store = store = Counting(tmp_path / f"{batches}")
        with freg, pytest.raises(_AllHaveLandedError):
            run.run_uttrekk(freg, name="all")
        assert len(Uttrekk(store, "all").landed()) >= batches
        return store.touched

    return load


def test_twice_the_batches_cost_twice_the_looks(objects_touched: Callable[[int], int]) -> None:
    assert objects_touched(MANY) < 2.2 * objects_touched(FEW)
