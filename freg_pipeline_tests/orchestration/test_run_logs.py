"""A run's log tells what happens, in any deployment, with few lines, and each of them once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.orchestration import logs, progress
from freg_pipeline.orchestration.logs import FEW, FIRST_PAUSE, LONGEST_PAUSE, Kind
from freg_pipeline.orchestration.telling import in_our_words

logger = logging.getLogger("freg_pipeline.tests")
NUMBER = "03851598730"


def run_of(work: Callable[[], object], instance: DagsterInstance) -> list[tuple[int, str]]:
    """The log lines of a run that does something, with their levels."""

    @dg.op
    @in_our_words
    def working() -> None:
        work()

    @dg.job
    def job() -> None:
        working()

    ended = job.execute_in_process(instance=instance)
    events = instance.all_logs(ended.run_id)
    return [(one.level, one.user_message) for one in events if not one.is_dagster_event]


def test_what_we_log_is_in_the_runs_log_wherever_it_is_logged(instance: DagsterInstance) -> None:
    async def on_a_loop() -> None:
        logger.warning("on a loop")
        await asyncio.to_thread(logger.info, "in a thread")

    def work() -> None:
        logger.info("as %s", "such")
        logger.debug("not this")
        logging.getLogger("others").warning("nor this")
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()  # in which a register's answers come
        asyncio.run_coroutine_threadsafe(on_a_loop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    assert run_of(work, instance) == [
        (logging.INFO, "as such"),
        (logging.WARNING, "on a loop"),
        (logging.INFO, "in a thread"),
    ]


def test_a_number_in_a_line_is_masked(instance: DagsterInstance) -> None:
    told = run_of(lambda: logger.warning("no document for %s", NUMBER), instance)
    assert told == [(logging.WARNING, "no document for ***********")]


@pytest.fixture
def levels_kept() -> Iterator[None]:
    """Dagster sets the level of loggers that it manages for good."""
    loggers = [logging.getLogger(), logs.OURS]
    levels = [one.level for one in loggers]
    yield
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)


@pytest.mark.usefixtures("levels_kept")
@pytest.mark.parametrize("managed", [["root"], ["freg_pipeline"]])
def test_where_dagster_brings_the_lines_they_come_once(managed: list[str]) -> None:
    settings = {"python_logs": {"managed_python_loggers": managed, "python_log_level": "INFO"}}
    with DagsterInstance.ephemeral(settings=settings) as instance:
        assert run_of(lambda: logger.info("once"), instance) == [(logging.INFO, "once")]


def test_runs_in_one_process_dont_get_each_others_lines(instance: DagsterInstance) -> None:
    within: list[tuple[int, str]] = []

    def work() -> None:
        logger.info("one")
        within.extend(run_of(lambda: logger.info("another, while the first one runs"), instance))
        logger.info("one again")

    assert run_of(work, instance) == [(logging.INFO, "one"), (logging.INFO, "one again")]
    assert within == [(logging.INFO, "another, while the first one runs")]


def test_a_run_leaves_our_logger_as_it_was(instance: DagsterInstance) -> None:
    before = logs.OURS.level, list(logs.OURS.handlers)
    assert run_of(lambda: logger.info("%s", logs.OURS.level), instance) == [(logging.INFO, "20")]
    assert (logs.OURS.level, logs.OURS.handlers) == before


def test_a_hundred_thousand_lines_become_few_and_all_are_counted(
    instance: DagsterInstance,
) -> None:
    def work() -> None:
        for number in range(100_000):
            logger.info("look-up %d", number)

    lines = [text for _, text in run_of(work, instance)]
    assert lines[:FEW] == [f"look-up {number}" for number in range(FEW)]
    assert lines[-1].startswith("look-up 99999 (and ")
    more = sum(int(one.split("(and ")[1].split()[0].replace(",", "")) for one in lines[FEW:])
    assert len(lines) + more == 100_000
    assert len(lines) < FEW + 10  # it takes seconds; a pause is ten at the least


def test_lines_of_a_kind_come_after_pauses_that_grow_to_the_longest() -> None:
    kind = Kind()
    shown = [now for now in range(100_000) if kind.add("again", float(now)) is not None]
    assert shown[:FEW] == list(range(FEW))
    pauses = [after - before for before, after in zip(shown[FEW - 1 :], shown[FEW:], strict=False)]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert set(pauses[7:]) == {LONGEST_PAUSE}
    assert kind.rest() == f"again (and {100_000 - 1 - shown[-1] - 1:,} more like it)"
    assert kind.rest() is None


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    made = _Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger=logs.OURS.name):
        yield caplog


def steps(clock: _Clock, total: int, seconds: float) -> int:
    """Do something of so many steps in so many seconds; how many its beginner heard of."""
    heard: list[int] = []
    more = progress.logged(lambda _what, _total: heard.append)("look-ups", total)
    for _ in range(total):
        clock.now += seconds / total
        more(1)
    return sum(heard)


def test_long_work_tells_how_far_it_is(clock: _Clock, told: pytest.LogCaptureFixture) -> None:
    assert steps(clock, 100_000, seconds=3_600) == 100_000
    assert told.messages[0] == "look-ups: 5,000 of 100,000 (5 %), 28 a second"
    assert len(told.messages) == 20


def test_what_is_soon_done_tells_nothing(clock: _Clock, told: pytest.LogCaptureFixture) -> None:
    assert steps(clock, 100_000, seconds=14) == 100_000
    assert told.messages == []


def test_what_hardly_moves_is_told_all_the_same(
    clock: _Clock, told: pytest.LogCaptureFixture
) -> None:
    steps(clock, 100, seconds=86_400)
    assert len(told.messages) == 100
