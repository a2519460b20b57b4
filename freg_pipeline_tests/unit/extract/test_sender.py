"""Whether an order without an answer is waited for: by who sent it, and when."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from freg_pipeline.extract.sender import ANSWER_SECONDS, Sender, others_answer
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import write_record
from freg_pipeline_tests.unit.feed.made import begun, store_in

HERE = socket.gethostname()


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def sent(*, seconds_ago: float = 0.0, host: str = HERE, pid: int = 1) -> Sender:
    return Sender(datetime.now(UTC) - timedelta(seconds=seconds_ago), host, pid)


# Made when the test begins: collected long before, it would be of long ago.
SENDERS: dict[str, tuple[Callable[[], Sender], bool]] = {
    "alive": (lambda: sent(pid=os.getppid()), True),
    "this one": (lambda: sent(pid=os.getpid()), False),
    "dead": (lambda: sent(pid=ended_process()), False),
    "elsewhere": (lambda: sent(host="another", pid=ended_process()), True),
    "long ago": (lambda: sent(pid=os.getppid(), seconds_ago=ANSWER_SECONDS + 1), False),
    "nothing told": (Sender, False),
}


@pytest.mark.parametrize("case", SENDERS)
def test_who_is_waited_for(case: str) -> None:
    sender, expected = SENDERS[case]
    assert sender().may_wait() is expected


def recorded(tmp_path: Path, sender: Sender) -> Uttrekk:
    uttrekk = begun(store_in(tmp_path))
    write_record(uttrekk.store, uttrekk.order_key(1, "sent"), sender)
    return uttrekk


def test_the_answer_that_another_process_gets_ends_the_wait(tmp_path: Path) -> None:
    uttrekk = recorded(tmp_path, sent(pid=os.getppid()))

    async def wait_and_answer() -> bool:
        waiting = asyncio.create_task(others_answer(uttrekk, 1, 0.01))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        write_record(uttrekk.store, uttrekk.order_key(1, "answer"), {"jobbId": "7"})
        return await waiting

    assert asyncio.run(wait_and_answer())


def test_an_order_taken_back_is_waited_for_no_longer(tmp_path: Path) -> None:
    uttrekk = recorded(tmp_path, sent(pid=os.getppid()))
    uttrekk.store.delete(uttrekk.order_key(1, "sent"))
    assert asyncio.run(others_answer(uttrekk, 1, 0.01))


def test_a_clock_that_is_ahead_makes_nobody_wait_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freg_pipeline.extract.sender.ANSWER_SECONDS", 0.05)
    uttrekk = recorded(tmp_path, sent(host="another", seconds_ago=-3600.0))
    assert not asyncio.run(others_answer(uttrekk, 1, 0.01))


def test_nobody_waits_for_the_dead(tmp_path: Path) -> None:
    uttrekk = recorded(tmp_path, sent(pid=ended_process()))
    assert not asyncio.run(others_answer(uttrekk, 1, 0.01))
