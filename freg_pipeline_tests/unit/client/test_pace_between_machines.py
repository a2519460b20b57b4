"""Machines that don't know each other share one limit by what the register tells each.

How the register counts a minute isn't published, so it has to go well however it does.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response

from freg_pipeline.client.access import ReadyToken
from freg_pipeline.client.pace import Pace, pace_of
from freg_pipeline.client.patience import Patience
from freg_pipeline.client.retry_after import retry_after
from freg_pipeline.client.share import LEAST_SHARE, MINUTE, Share
from freg_pipeline.client.transport import Transport
from freg_pipeline.errors import ThrottledError
from freg_pipeline.synthetic.limit import Limit
from freg_pipeline_tests.machines import Ask, Asked, work
from freg_pipeline_tests.registers import serving

LIMIT = 600
MINUTES = 6
ALL_THE_TIME = [(0.0, MINUTE * MINUTES)]
HANDFUL = 12  # refused requests a minute, of two machines

Course = list[tuple[float, float]]


def any_minute() -> Ask:
    """No 60 seconds whatsoever see more."""
    taken: deque[float] = deque()

    def ask(now: float) -> float | None:
        while taken and taken[0] <= now - MINUTE:
            taken.popleft()
        if len(taken) < LIMIT:
            taken.append(now)
            return None
        return taken[0] + MINUTE - now

    return ask


def each_minute() -> Ask:
    """Each minute of a clock sees no more."""
    counts: dict[float, int] = {}

    def ask(now: float) -> float | None:
        ends = ((now + 17) // MINUTE + 1) * MINUTE - 17
        counts[ends] = counts.get(ends, 0) + 1
        return None if counts[ends] <= LIMIT else ends - now

    return ask


def bucket() -> Ask:
    """A place is free again with each part of the minute; a second's are kept."""
    left, since = LIMIT / MINUTE, 0.0

    def ask(now: float) -> float | None:
        nonlocal left, since
        left = min(LIMIT / MINUTE, left + (now - since) * LIMIT / MINUTE)
        since = now
        if left < 1:
            return (1 - left) * MINUTE / LIMIT
        left -= 1
        return None

    return ask


HOWEVER_IT_COUNTS = pytest.mark.parametrize("counting", [any_minute, each_minute, bucket])
Counting = Callable[[], Ask]


def settled(asked: Asked, after: int) -> float:
    """Requests refused in a minute, on average, from the minute on in which all is known."""
    minutes = [*asked.refused_per_minute(), *[0] * MINUTES][after:MINUTES]
    return sum(minutes) / len(minutes)


@HOWEVER_IT_COUNTS
@pytest.mark.parametrize("machines", [2, 4])
def test_the_limit_is_used_and_hardly_a_request_refused(
    counting: Counting, machines: int, tmp_path: Path
) -> None:
    asked = work(counting(), LIMIT, tmp_path, [ALL_THE_TIME] * machines)
    assert sum(asked.per_minute()) >= 0.95 * LIMIT * MINUTES
    assert min(asked.per_minute()[2:MINUTES]) >= 0.9 * LIMIT
    assert settled(asked, after=2) <= HANDFUL * machines / 2
    for machine in range(machines):  # nobody is left behind by more than half
        assert asked.per_minute(machine)[MINUTES - 1] >= LIMIT / machines / 2


@HOWEVER_IT_COUNTS
def test_what_one_leaves_the_other_takes_up(counting: Counting, tmp_path: Path) -> None:
    courses: list[Course] = [ALL_THE_TIME, [(0.0, 2 * MINUTE)]]
    asked = work(counting(), LIMIT, tmp_path, courses)
    assert asked.per_minute(0)[4] >= 0.85 * LIMIT
    assert asked.per_minute(0)[5] >= 0.95 * LIMIT


@HOWEVER_IT_COUNTS
def test_whoever_joins_gets_its_part(counting: Counting, tmp_path: Path) -> None:
    courses: list[Course] = [ALL_THE_TIME, [(MINUTE, MINUTE * MINUTES)]]
    asked = work(counting(), LIMIT, tmp_path, courses)
    assert min(asked.per_minute()[2:MINUTES]) >= 0.9 * LIMIT
    assert asked.per_minute(1)[5] >= 0.3 * LIMIT
    assert settled(asked, after=3) <= HANDFUL


@HOWEVER_IT_COUNTS
def test_a_sync_goes_on_beside_anothers_load(counting: Counting, tmp_path: Path) -> None:
    syncs = [(MINUTE * minute + 5, MINUTE * minute + 8) for minute in range(MINUTES)]
    asked = work(counting(), LIMIT, tmp_path, [ALL_THE_TIME, syncs])
    assert min(asked.per_minute(1)) >= 15
    assert sum(asked.per_minute()[2:MINUTES]) >= 0.95 * LIMIT * (MINUTES - 2)
    assert settled(asked, after=1) <= HANDFUL * 1.5


@HOWEVER_IT_COUNTS
def test_whoever_is_alone_is_never_refused(counting: Counting, tmp_path: Path) -> None:
    asked = work(counting(), LIMIT, tmp_path, [ALL_THE_TIME])
    assert not asked.refused
    assert min(asked.per_minute()[:MINUTES]) >= 0.98 * LIMIT


def test_two_machines_at_the_synthetic_register(tmp_path: Path) -> None:
    """The same over HTTP, by the register's own limit and the header that it sends."""
    now = 0.0

    async def services(scope: object, receive: object, send: object) -> None:
        await Response("1")(scope, receive, send)  # type: ignore[arg-type]

    limit = Limit(services, 150, lambda: now)
    with serving(limit) as url, httpx.Client(trust_env=False) as client:

        def ask(at: float) -> float | None:
            nonlocal now
            now = at
            answer = client.get(f"{url}/v1/hendelser/siste/sekvensnummer")
            return None if answer.is_success else retry_after(answer)

        asked = work(ask, 150, tmp_path, [[(0.0, 4 * MINUTE)]] * 2)
    assert sum(asked.per_minute()) >= 0.95 * 150 * 4
    assert settled(asked, after=1) <= HANDFUL
    minutes = limit.by_minute()
    assert sum(minute["arrived"] for minute in minutes) == len(asked.accepted + asked.refused)
    assert sum(minute["refused"] for minute in minutes) == len(asked.refused)


def refused_by_the_register(
    base_url: str, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Pace:
    """Ask it, be refused; returns the pace of another process of this machine."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def ask() -> None:
        options = {"auth": ReadyToken(None), "connections": 1, "requests_per_minute": 60_000}
        async with Transport(base_url, **options) as transport:  # type: ignore[arg-type]
            await transport.get(service, service, patience=Patience(throttled_seconds=0))

    with pytest.raises(ThrottledError):
        asyncio.run(ask())
    other = pace_of(base_url, 60_000)
    assert other is not None
    return other


def busy(seconds: int) -> Response:
    return Response("", 429, headers={"Retry-After": str(seconds * 1_000)})


def test_what_one_process_is_told_all_of_a_machine_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(busy(50)) as url:
        told = time.monotonic()
        other = refused_by_the_register(url, "personer/xsd", tmp_path, monkeypatch)
    assert told + 50 <= time.monotonic() + other.take(time.monotonic())
    assert not other.may_leave(told + 49)  # whoever had a place already waits, too
    assert other.may_leave(time.monotonic() + 51)


def test_a_minutes_limit_holds_nobody_for_longer_than_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(busy(3_000)) as url:
        other = refused_by_the_register(url, "personer/xsd", tmp_path, monkeypatch)
    assert MINUTE - 20 <= other.take(time.monotonic()) <= MINUTE + 1


def test_too_many_jobs_hold_back_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(busy(50)) as url:
        other = refused_by_the_register(url, "uttrekk/komplett", tmp_path, monkeypatch)
    assert other.take(time.monotonic()) <= 0


def test_a_register_that_refuses_everything_is_asked_ever_more_slowly(tmp_path: Path) -> None:
    asked = work(lambda now: 0.0, LIMIT, tmp_path, [[(0.0, 120.0)]])
    per_minute = asked.refused_per_minute()
    assert per_minute[1] <= 1.1 * LEAST_SHARE * LIMIT + 8


def test_what_was_written_is_read_again() -> None:
    share = Share(1.5, 2.5, 600.0, 3.5, 0.1, 4.0, tuple(range(12)))
    assert Share.read(share.written()) == share
    assert Share.read(b"12345678") == Share()


def test_a_share_from_before_the_machine_was_started_anew_is_nothing(tmp_path: Path) -> None:
    Pace("register", 60, tmp_path).refused(999_990.0, 1_000_000.0, 50.0)
    assert Pace("register", 60, tmp_path).take(3.0) <= 0
