"""What a process asks of the register goes by one client: its connections, and its token."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from dagster import DagsterInstance

from freg_pipeline.client import Register
from freg_pipeline.client.session import Session
from freg_pipeline.client.transport import Transport
from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.journal.releases import require_current
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline.orchestration.run_feed import syncing
from freg_pipeline.settings import load
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import Door, happen
from freg_pipeline_tests.sensed import sensed

CONCURRENCY = 2
AT_ONCE = CONCURRENCY + 1  # connections that the pool opens at the most


@dataclass
class Opened:
    """What was opened in this process: clients, and tokens asked for."""

    clients: int = 0
    closed: int = 0
    tokens: list[str] = field(default_factory=list)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    gc.collect()  # what other tests have left is closed now, not while this one counts
    counted = Opened()
    make, close = Transport.__init__, Transport.aclose
    send = httpx.AsyncHTTPTransport.handle_async_request

    def made(client: Transport, *given: Any, **named: Any) -> None:
        counted.clients += 1
        make(client, *given, **named)

    async def closed(client: Transport) -> None:
        counted.closed += 1
        await close(client)

    async def sent(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and b"assertion" in request.content:
            counted.tokens.append(request.url.path)
        return await send(transport, request)

    monkeypatch.setattr(Transport, "__init__", made)
    monkeypatch.setattr(Transport, "aclose", closed)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", sent)
    # However slow the machine is, a connection stays open between two steps.
    monkeypatch.setattr("freg_pipeline.client.wire.IDLE_SECONDS", 3_600.0)
    return counted


def test_a_load_syncs_and_ticks_share_one_client(
    start_register: StartRegister, make_freg: Callable[..., Freg], opened: Opened
) -> None:
    url = start_register(persons=60, batch_size=10, auth=True, token_seconds=3_600)
    with (
        Door(url) as door,
        make_freg(door.url, concurrency=CONCURRENCY, follow_seconds=0.05) as freg,
    ):
        run_uttrekk(freg)
        assert door.connections <= AT_ONCE + 2, "six batches; and two for the client and its token"
        with syncing(freg) as syncs:  # what --follow does
            for _ in range(2):
                newest = happen(url, 5)
                syncs.wait()
                syncs.once()
        assert require_current(freg.store).sekvensnummer == newest
        with DagsterInstance.ephemeral() as instance:
            for _ in range(3):
                sensed("hendelser_sensor", freg, instance)
        assert opened.clients == 1
        assert len(opened.tokens) == 1
        assert door.connections <= AT_ONCE + 2
        assert opened.closed == 0
    assert opened.closed == 1


@pytest.fixture
def session(small_register: str) -> Iterator[Session]:
    with Session(lambda: Register.from_settings(load(base_url=small_register))) as session:
        yield session


def last(session: Session) -> int:
    """The register's last sequence number."""
    return session.ask(lambda register: register.hendelser.siste_sekvensnummer())


def _in_a_thread(work: Callable[[], object]) -> concurrent.futures.Future[object]:
    """What ``work`` gives; unlike a pool's, its thread doesn't hold up a process that ends."""
    told: concurrent.futures.Future[object] = concurrent.futures.Future()

    def run() -> None:
        try:
            told.set_result(work())
        except BaseException as error:
            told.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return told


def test_threads_share_a_session(session: Session, opened: Opened) -> None:
    asking = [_in_a_thread(lambda: last(session)) for _ in range(8)]
    assert len({one.result() for one in asking}) == 1
    assert opened.clients == 1


def test_a_session_that_was_closed_opens_again(session: Session, opened: Opened) -> None:
    first = last(session)
    session.close()
    session.close()
    assert last(session) == first
    assert (opened.clients, opened.closed) == (2, 1)


def test_whoever_is_interrupted_stops_what_they_asked(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def never(register: Register) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    def interrupted(future: object) -> None:  # a signal, while the answer is waited for
        assert begun.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr(concurrent.futures.Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.ask(never)
    assert ended.is_set(), "nothing goes on unseen"


def test_a_question_that_a_session_is_closed_under_is_told_so(session: Session) -> None:
    begun = threading.Event()

    async def never(register: Register) -> None:
        begun.set()
        await asyncio.Event().wait()

    asked = _in_a_thread(lambda: session.ask(never))
    assert begun.wait(60)
    session.close()
    with pytest.raises(FregError, match="closed"):
        asked.result(60)


def test_nobody_waits_for_ever_for_a_session_that_is_being_closed(session: Session) -> None:
    """Whoever asks at any instant of the closing gets the answer, or is told."""

    async def nothing(register: Register) -> int:
        return 1

    def many() -> None:
        for _ in range(200):
            with suppress(FregError):  # of the one that the test before is about
                assert session.ask(nothing) == 1

    asking = [_in_a_thread(many) for _ in range(3)]
    while not all(one.done() for one in asking):
        session.close()
    for one in asking:
        one.result()


def test_a_thread_that_has_died_is_replaced_and_holds_nobody_up(session: Session) -> None:
    async def fatal(register: Register) -> None:
        asyncio.get_running_loop().stop()
        await asyncio.Event().wait()

    asked = _in_a_thread(lambda: session.ask(fatal))
    with pytest.raises(FregError, match="closed"):
        asked.result(60)
    assert last(session) > 0


def test_a_process_that_was_forked_opens_its_own(session: Session) -> None:
    first = last(session)
    child = os.fork()
    if child == 0:  # no more than this: whatever pytest would do at its end is the parent's
        answer = _in_a_thread(lambda: last(session))
        try:
            os._exit(0 if answer.result(60) == first else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert last(session) == first, "what the parent has is as it was"


def test_after_a_wrong_setting_everything_is_read_again(session: Session, opened: Opened) -> None:
    """A certificate is put right in its file, and the process lives on."""

    async def wrong(register: Register) -> int:
        raise ConfigurationError("the certificate isn't trusted")

    release = threading.Event()

    async def held(register: Register) -> int:
        await asyncio.to_thread(release.wait, 60)
        return await register.hendelser.siste_sekvensnummer()

    other = _in_a_thread(lambda: session.ask(held))
    first = last(session)
    with pytest.raises(ConfigurationError):
        session.ask(wrong)
    assert last(session) == first
    assert (opened.clients, opened.closed) == (2, 0)
    release.set()
    assert other.result(60) == first, "who is asking meanwhile isn't cut short"
    assert opened.closed == 1


def test_a_session_that_nobody_holds_is_closed(small_register: str, opened: Opened) -> None:
    before = opened.closed
    session = Session(lambda: Register.from_settings(load(base_url=small_register)))
    last(session)
    del session
    gc.collect()
    assert opened.closed == before + 1
