"""A job that the register no longer has (410): ordered anew, what came before is used; given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from freg_pipeline.client import Register, TilpassetKriterier
from freg_pipeline.errors import ConfigurationError, GoneError
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.extract.order import place_order
from freg_pipeline.extract.poll import wait_for_batch
from freg_pipeline.journal.kinds import AnyKind, Komplett, Tilpasset
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import carry_on, run_uttrekk
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, write_record
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import opened
from freg_pipeline_tests.registers import status_of

BOSATT = Tilpasset(TilpassetKriterier(personstatustyper=("bosatt",)))


async def _first_batch(settings: Settings, kind: AnyKind) -> Uttrekk:
    """An uttrekk whose first batch has come, and has been looked up."""
    async with Register.from_settings(settings) as register:
        uttrekk = await opened(settings, register, kind, name="one")
        await place_order(register, uttrekk, settings)
        await wait_for_batch(register, uttrekk, settings)
        await fetch_batch(register, uttrekk, 0, concurrency=1)
    return uttrekk


def forget_job(uttrekk: Uttrekk, attempt: int = 1) -> None:
    """The register no longer has it: it answers 410 for a job that it doesn't know."""
    key = uttrekk.order_key(attempt, "answer")
    uttrekk.store.delete(key)
    write_record(uttrekk.store, key, {"jobbId": f"forgotten-{attempt}"})


@pytest.mark.parametrize(
    ("kind", "service"),
    [(Komplett(), "personer/bulkoppslag/arkiv"), (BOSATT, "personer/bulkoppslag")],
)
def test_it_is_ordered_anew_once_and_the_answers_that_came_are_used(
    kind: AnyKind,
    service: str,
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
) -> None:
    url = start_register(persons=300, batch_size=100)
    settings = make_settings(url)
    forget_job(asyncio.run(_first_batch(settings, kind)))
    freg = Freg.from_settings(settings)
    before = status_of(url)["requests"][service]  # the probe of parts among them

    manifest = carry_on(freg, Uttrekk(freg.store, "one"))

    account = manifest.accounting
    assert account.delivered == account.landed + account.merged + account.duplicates
    counted = status_of(url)
    again = Uttrekk(freg.store, "one")
    assert (counted["jobs"]["ordered"], again.job) == (2, 2)
    asked = counted["requests"][service] - before
    assert asked == len(again.batches()) - 1, "no look-up was made twice"
    fresh = run_uttrekk(freg, kind, name="fresh")
    assert (fresh.persons, fresh.tables.keys()) == (manifest.persons, manifest.tables.keys())


def test_a_second_time_a_person_decides(
    start_register: StartRegister, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(start_register(persons=300, batch_size=100))
    uttrekk = asyncio.run(_first_batch(settings, Komplett()))
    store: Store = uttrekk.store
    forget_job(uttrekk)
    uttrekk.mark_gone("410")
    write_record(store, uttrekk.order_key(2, "sent"), {})
    write_record(store, uttrekk.order_key(2, "answer"), {"jobbId": "forgotten-2"})
    freg = Freg.from_settings(settings)

    with pytest.raises(GoneError, match="--order-again"):
        carry_on(freg, Uttrekk(store, "one"))
    manifest = carry_on(freg, Uttrekk(store, "one"), order_again=True)
    assert manifest.uttrekk == "one"
    assert Uttrekk(store, "one").job == 3


def test_what_is_abandoned_stays_so(
    start_register: StartRegister, make_settings: Callable[..., Settings], freg: RunFreg
) -> None:
    url = start_register(persons=300, batch_size=100)
    settings = make_settings(url)
    uttrekk = asyncio.run(_first_batch(settings, Komplett()))
    ended = freg("uttrekk", "abandon", "one", "--base-url", url)
    assert (ended.code, ended.stderr) == (0, "")
    assert Uttrekk.list_open(uttrekk.store) == []
    with pytest.raises(ConfigurationError, match="was abandoned"):
        carry_on(Freg.from_settings(settings), Uttrekk(uttrekk.store, "one"))
    assert "abandoned" in freg("uttrekk", "status", "one", "--base-url", url).stdout


def test_what_is_released_or_is_not_there_cannot_be_abandoned(
    start_register: StartRegister, make_freg: Callable[..., Freg], freg: RunFreg
) -> None:
    url = start_register(persons=50)
    run_uttrekk(make_freg(url), name="done")
    for name, said in (("done", "is released"), ("other", "there is no uttrekk other")):
        ended = freg("uttrekk", "abandon", name, "--base-url", url)
        assert (ended.code, len(ended.lines)) == (2, 1)
        assert said in ended.lines[0]
