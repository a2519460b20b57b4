"""Orders: recorded before and after; never a second one blindly; ten at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from freg_pipeline.client import Register, TilpassetKriterier
from freg_pipeline.errors import (
    ConfigurationError,
    GoneError,
    PassingError,
    RefusedError,
    UncertainOrderError,
)
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.extract.order import place_order
from freg_pipeline.extract.poll import poll_once, require_batch, wait_for_batch
from freg_pipeline.journal.kinds import Komplett, Tilpasset
from freg_pipeline.journal.request import check_name
from freg_pipeline.journal.status import read_status
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import Settings
from freg_pipeline.store import write_record
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import opened
from freg_pipeline_tests.registers import status_of

MakeSettings = Callable[..., Settings]


def work(settings: Settings, todo: Callable[[Register], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Register.from_settings(settings) as register:
            return await todo(register)

    return asyncio.run(run())


def begin(settings: Settings, **what: Any) -> Uttrekk:
    found: Uttrekk = work(settings, lambda register: opened(settings, register, **what))
    return found


def order(settings: Settings, uttrekk: Uttrekk, **how: Any) -> str:
    job: str = work(settings, lambda register: place_order(register, uttrekk, settings, **how))
    return job


def orders(settings: Settings) -> int:
    assert settings.base_url is not None
    return int(status_of(settings.base_url)["jobs"]["ordered"])


def test_what_is_asked_for_is_recorded_before_anything_is_ordered(
    small_register: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(small_register)
    before = orders(settings)
    uttrekk = begin(settings)
    request = uttrekk.request
    assert uttrekk.kind == Komplett()
    assert request.sekvensnummer == status_of(small_register)["sekvensnummer"]
    assert {"person-basis", "historikk", "navn", "rettsligHandleevne"} <= set(request.parts)
    assert uttrekk.store.exists(f"contracts/{request.contract}.xsd")
    assert read_status(uttrekk).stage == "requested"
    assert orders(settings) == before


def test_an_order_is_made_once(small_register: str, make_settings: MakeSettings) -> None:
    settings = make_settings(small_register)
    before = orders(settings)
    uttrekk = begin(settings)
    job = order(settings, uttrekk)
    assert order(settings, uttrekk) == uttrekk.job_id == job
    assert read_status(uttrekk).stage == "ordered"
    assert orders(settings) == before + 1


def test_without_a_name_the_same_question_is_gone_on_with(
    small_register: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(small_register)
    women = Tilpasset(TilpassetKriterier(personstatustyper=("bosatt",), kjoenn="kvinne"))
    first = begin(settings)
    assert begin(settings).name == first.name
    other = begin(settings, kind=women)
    assert other.name != first.name
    assert begin(settings, kind=women).name == other.name
    assert begin(settings, kind=Komplett(5)).name not in {first.name, other.name}


def test_a_crash_between_the_order_and_its_answer_is_seen(
    small_register: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(small_register)
    uttrekk = begin(settings, name="one")
    write_record(uttrekk.store, uttrekk.order_key(1, "sent"), {})
    before = orders(settings)
    with pytest.raises(UncertainOrderError, match="--order-again"):
        order(settings, uttrekk)
    assert read_status(uttrekk).stage == "uncertain"
    assert orders(settings) == before

    order(settings, uttrekk, again=True)
    assert orders(settings) == before + 1
    assert [number for number, _ in uttrekk.attempts()] == [1, 2]


def test_an_answer_lost_in_a_living_process_is_recorded_and_the_order_sent_anew(
    start_register: StartRegister, make_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_settings(start_register(faults="truncated@uttrekk/komplett=#2"))
    first = begin(settings, name="first")
    order(settings, first)
    second = begin(settings, name="second")
    order(settings, second)  # the second request to the service is lost, the third is not
    lost, made = second.attempts()
    assert lost[1] is not None
    assert lost[1].lost
    assert made[1] is not None
    assert made[1].jobbId == second.job_id
    assert orders(settings) == 3
    assert "a job may be left" in caplog.text


def test_answers_lost_every_time_end_after_a_few_orders(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    settings = make_settings(start_register(faults="truncated@uttrekk/komplett=1"))
    uttrekk = begin(settings)
    with pytest.raises(PassingError):
        order(settings, uttrekk)
    assert orders(settings) == 3


def test_an_order_that_is_refused_is_recorded_and_may_be_given_again(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    settings = make_settings(start_register(faults="401@uttrekk/komplett=1"))
    uttrekk = begin(settings)
    with pytest.raises(RefusedError, match="401"):
        order(settings, uttrekk)
    assert read_status(uttrekk).stage == "requested"


def test_ten_running_jobs_are_waited_for(
    start_register: StartRegister, make_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """Jobs of others count too: the register answers 429, and no order is recorded for it."""
    settings = make_settings(start_register(ready_after_seconds=1.0))

    async def others(register: Register) -> None:
        for _ in range(10):
            await register.uttrekk.bestill_komplett(1)

    uttrekk = begin(settings)
    work(settings, others)
    order(settings, uttrekk)
    assert [number for number, _ in uttrekk.attempts()] == [1]
    assert "too busy to take the order" in caplog.text


def test_an_eleventh_uttrekk_of_ours_waits_before_it_asks(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    settings = make_settings(start_register(), poll_timeout_hours=0.5 / 3600)
    for number in range(10):
        order(settings, begin(settings, name=f"n{number}"))
    eleventh = begin(settings, name="eleventh")
    with pytest.raises(PassingError, match="10 uttrekk"):
        order(settings, eleventh)
    assert eleventh.attempts() == []
    assert orders(settings) == 10


def test_another_environment_in_the_same_store_is_refused(
    small_register: str, make_settings: MakeSettings
) -> None:
    begin(make_settings(small_register))
    with pytest.raises(ConfigurationError, match="FREG_STORE"):
        begin(make_settings(small_register, environment="konsumenttest"))


@pytest.mark.parametrize("name", ["", "A", "a/b", "../a", "a" * 65, "æ", "-a", "a b"])
def test_names_that_no_uttrekk_can_have(name: str) -> None:
    with pytest.raises(ConfigurationError, match="a-z"):
        check_name(name)


# -- batches and look-ups ----------------------------------------------------------------------


def test_batches_are_kept_as_they_come_until_the_end(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    settings = make_settings(start_register(persons=250, batch_size=100))
    uttrekk = begin(settings)
    order(settings, uttrekk)

    async def take_all(register: Register) -> list[tuple[str, int]]:
        found = []
        while uttrekk.end is None:
            result = await wait_for_batch(register, uttrekk, settings)
            found.append((result.state.value, result.count))
        await require_batch(register, uttrekk, 2, settings)
        return found

    assert work(settings, take_all) == [("ready", 100), ("ready", 100), ("ready", 50), ("end", 0)]
    assert (uttrekk.batches(), uttrekk.end) == ([0, 1, 2], 3)
    assert len({one for batch in range(3) for one in uttrekk.identifiers(batch)}) == 250
    with pytest.raises(ConfigurationError, match="no number 3"):
        work(settings, lambda register: require_batch(register, uttrekk, 3, settings))


def test_a_batch_that_never_gets_ready_is_given_up(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    url = start_register(ready_after_seconds=60)
    settings = make_settings(url, poll_timeout_hours=0.2 / 3600)
    uttrekk = begin(settings, name="slow")
    order(settings, uttrekk)
    with pytest.raises(PassingError, match="freg uttrekk resume slow"):
        work(settings, lambda register: wait_for_batch(register, uttrekk, settings))


def test_a_job_that_is_gone_is_recorded_and_not_gone_on_with(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    url = start_register(ready_after_seconds=60, job_lifetime_hours=1e-9)
    settings = make_settings(url)
    uttrekk = begin(settings)
    order(settings, uttrekk)
    for _ in range(2):
        with pytest.raises(GoneError, match="410"):
            work(settings, lambda register: poll_once(register, uttrekk))
    assert read_status(uttrekk).stage == "gone"
    assert begin(settings).name != uttrekk.name


def fetch(settings: Settings, uttrekk: Uttrekk, batch: int = 0) -> Any:
    async def run(register: Register) -> Any:
        await require_batch(register, uttrekk, batch, settings)
        return await fetch_batch(register, uttrekk, batch, concurrency=2)

    return work(settings, run)


def test_a_look_up_that_was_answered_is_not_made_again(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    settings = make_settings(start_register(persons=2_500, batch_size=2_500))
    uttrekk = begin(settings)
    order(settings, uttrekk)
    first = fetch(settings, uttrekk)
    assert (first.identifiers, first.fetched, first.kept) == (2_500, 3, 0)
    uttrekk.store.delete(uttrekk.answer_key(0, 1))
    again = fetch(settings, uttrekk)
    assert (again.fetched, again.kept) == (1, 2)
    assert [len(answer.asked) for answer in uttrekk.answers(0)] == [1_000, 1_000, 500]
    status = read_status(uttrekk)
    assert (status.stage, status.identifiers, status.answered) == ("fetching", 2_500, 2_500)


def test_raw_answers_are_kept_as_they_came(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    settings = make_settings(start_register())
    uttrekk = begin(settings)
    order(settings, uttrekk)
    fetch(settings, uttrekk)
    (answer,) = uttrekk.answers(0)
    assert not answer.meta.composed
    assert answer.meta.size == len(answer.body)
    entries = msgspec.json.decode(answer.body)["oppslag"]
    assert [entry["dokumentidentifikator"] for entry in entries] == answer.asked


def test_an_archives_answer_that_cannot_be_told_apart_is_asked_for_one_by_one(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    """A bare list without identifiers, and some documents missing in it: order tells nothing."""
    url = start_register(persons=60, faults="arkivliste=1,gone=0.2")
    settings = make_settings(url)
    uttrekk = begin(settings)
    order(settings, uttrekk)
    fetch(settings, uttrekk)
    (answer,) = uttrekk.answers(0)
    assert answer.meta.composed
    entries = msgspec.json.decode(answer.body)["oppslag"]
    assert [entry["dokumentidentifikator"] for entry in entries] == answer.asked
    gone = [entry for entry in entries if "feilmelding" in entry]
    assert 0 < len(gone) < 40
    assert gone[0]["feilmelding"] == {"feilmelding": "Dokumentet er slettet"}
    assert status_of(url)["requests"]["personer/arkiv/{dokumentidentifikator}"] == 60
