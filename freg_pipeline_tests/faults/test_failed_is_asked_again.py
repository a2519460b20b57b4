"""What a register with a fault said doesn't stand for good: going on asks again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from freg_pipeline.errors import IncompleteError
from freg_pipeline.journal.releases import current_release, require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import query
from freg_pipeline.orchestration.config import ReleaseConfig
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import carry_on, run_uttrekk
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen, tampered

MakeFreg = Callable[..., Freg]


@dataclass
class Sick:
    """Gives a reason in place of every ``every``-th document, while it is given one."""

    reason: str | None = None
    every: int = 50
    look_ups: int = 0

    def __call__(self, path: str, body: bytes) -> bytes:
        told = {"feilmelding": {"feilmelding": self.reason}}
        if path.startswith("personer/arkiv/") and self.reason:
            return json.dumps(told).encode()
        answer = json.loads(body) if "personer/bulkoppslag" in path else None
        if not (isinstance(answer, dict) and answer.get("oppslag")):
            return body
        self.look_ups += 1
        for one in answer["oppslag"][:: self.every] if self.reason else ():
            one.pop("folkeregisterperson", None)
            one.update(told)
        return json.dumps(answer).encode()


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freg_pipeline.extract.look_up.FIRST_PAUSE", 0.0)


@contextmanager
def sick(url: str) -> Iterator[tuple[str, Sick]]:
    state = Sick()
    with tampered(url, state) as behind:
        yield behind, state


@pytest.mark.parametrize(
    ("reason", "every"),
    [("Teknisk feil, prøv igjen senere", 50), ("Fant ikke personen", 2)],
    ids=["a fault", "everybody gone"],
)
def test_a_load_that_is_gone_on_with_asks_again(
    reason: str, every: int, start_register: StartRegister, make_freg: MakeFreg
) -> None:
    with sick(start_register()) as (url, register):
        register.reason, register.every = reason, every
        freg = make_freg(url)
        with pytest.raises(IncompleteError):
            run_uttrekk(freg, name="one")
        with pytest.raises(IncompleteError):  # it is ill yet
            carry_on(freg, Uttrekk(freg.store, "one"))
        assert current_release(freg.store) is None
        register.reason, before = None, register.look_ups
        account = carry_on(freg, Uttrekk(freg.store, "one")).accounting
        assert (account.failed, account.gone, account.unexplained) == (0, 0, 0)
        assert register.look_ups - before <= 3, "one a batch"
        ((documents,),) = query(
            freg.store, "SELECT count(DISTINCT personidentifikator) FROM navn"
        ).fetchall()
        assert documents == account.landed


def test_a_load_that_may_be_incomplete_is_not_asked_for_again(
    start_register: StartRegister, make_freg: MakeFreg
) -> None:
    with sick(start_register()) as (url, register):
        register.reason = "Teknisk feil"
        freg = make_freg(url)
        with pytest.raises(IncompleteError):
            run_uttrekk(freg, name="one")
        before = register.look_ups
        allowed = ReleaseConfig(allow_incomplete=True)
        assert carry_on(freg, Uttrekk(freg.store, "one"), release=allowed).incomplete
        assert register.look_ups == before


def test_a_sync_that_is_gone_on_with_asks_again(
    start_register: StartRegister, make_freg: MakeFreg
) -> None:
    behind = start_register()
    with sick(behind) as (url, register):
        settings = make_freg(url).settings
        full_load(settings)
        last = happen(behind, 60)
        register.reason, register.every = "Teknisk feil, prøv igjen senere", 10
        for _ in range(2):
            with pytest.raises(IncompleteError):
                sync(settings)
        register.reason = None
        sync(settings)
        store = make_freg(url).store
        current = require_current(store)
        assert (current.sekvensnummer, current.accounting.failed) == (last, 0)
        assert not current.incomplete
