"""How many look-ups are under way at once, as the register answers."""

from __future__ import annotations

import asyncio
import time

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freg_pipeline.client import gate as gates
from freg_pipeline.client.access import ReadyToken
from freg_pipeline.client.gate import Gate
from freg_pipeline.client.transport import Transport
from freg_pipeline.errors import PassingError, ThrottledError
from freg_pipeline_tests.registers import serving

BUSY = ThrottledError("429")


def test_each_round_of_429_halves_and_each_good_round_adds_one() -> None:
    gate = Gate(16)
    began = time.monotonic()
    for _ in range(5):
        gate.tell(began, BUSY)  # all of one round: told five times, halved once
    assert gate.width == 8
    gate.tell(time.monotonic(), BUSY)
    assert gate.width == 4
    for _ in range(5):
        gate.tell(time.monotonic(), None)
    assert gate.width == 5
    for _ in range(200):
        gate.tell(time.monotonic(), None)
    assert gate.width == 16
    for _ in range(10):
        gate.tell(time.monotonic(), BUSY)
    assert gate.width == 1  # and never none


def test_a_slow_answer_narrows_and_a_quick_fault_says_nothing() -> None:
    gate = Gate(8)
    gate.tell(time.monotonic(), PassingError("500"))
    assert gate.width == 8
    gate.tell(time.monotonic() - 11, None)
    assert gate.width == 4
    gate.tell(time.monotonic() - 11, None)  # began before that: of the same round
    assert gate.width == 4


def test_never_more_inside_than_the_width_and_nobody_is_forgotten() -> None:
    inside, most, done = 0, 0, 0

    async def main() -> None:
        gate = Gate(3)

        async def work(number: int) -> None:
            nonlocal inside, most, done
            async with gate.passage():
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.002)
                inside -= 1
                gate.tell(time.monotonic(), BUSY if number % 7 == 0 else None)
            done += 1

        tasks = [asyncio.create_task(work(number)) for number in range(60)]
        await asyncio.sleep(0.01)
        tasks[50].cancel()  # one that waits
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert (most, done, inside) == (3, 59, 0)


class Weak:
    """A register that takes two look-ups at once, or takes its time.

    Args:
        seconds: for an answer.
        crowd: the first answers are given when so many are waited for.
    """

    def __init__(self, seconds: float, crowd: int = 1) -> None:
        self.seconds = seconds
        self.crowd = crowd
        self.crowded = asyncio.Event()
        self.inside = 0
        self.seen: list[int] = []
        self.turned_away = 0

    async def look_up(self, request: Request) -> Response:
        self.inside += 1
        self.seen.append(self.inside)
        try:
            too_many = self.inside > 2
            if self.inside == self.crowd:
                self.crowded.set()
            await self.crowded.wait()
            await asyncio.sleep(self.seconds)
            if not too_many:
                return Response("ok")
            self.turned_away += 1
            return Response("", 429, headers={"Retry-After": "30"})
        finally:
            self.inside -= 1

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/personer/bulkoppslag", self.look_up, methods=["POST"])])


def look_up(url: str, times: int, connections: int) -> int:
    """So many look-ups by workers that each take the next one; how wide the gate is at the end."""

    async def main() -> int:
        transport = Transport(
            url, auth=ReadyToken(None), connections=connections, requests_per_minute=None
        )
        left = iter(range(times))

        async def work() -> None:
            for _ in left:
                await transport.post("personer/bulkoppslag", "personer/bulkoppslag", b"{}")

        async with transport:
            await asyncio.gather(*(work() for _ in range(connections)))
            return transport._gate.width

    return asyncio.run(main())


def test_a_register_that_turns_away_gets_fewer_at_once() -> None:
    weak = Weak(0.02, crowd=16)
    with serving(weak.app()) as url:
        look_up(url, 80, connections=16)
    assert max(weak.seen[:16]) == 16
    assert max(weak.seen[-60:]) <= 8  # a busy machine answers late, and half is few
    assert weak.turned_away < 80  # with 16 at once all the time it is hundreds


def test_a_slow_register_gets_fewer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "SLOW_SECONDS", 0.02)
    weak = Weak(0.04)
    with serving(weak.app()) as url:
        assert look_up(url, 12, connections=2) == 1
