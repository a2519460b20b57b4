"""One pace for all processes of a machine: never more requests in a minute than the limit."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freg_pipeline.client.pace import FURTHEST_SECONDS, Pace, pace_of
from freg_pipeline.errors import ConfigurationError
from freg_pipeline_tests.waiting import STUCK_SECONDS, started

_PROCESS = """
import asyncio, sys, time
from pathlib import Path
from freg_pipeline.client.pace import Pace
async def main():
    pace = Pace("register", 6000, Path(sys.argv[1]))
    for _ in range(40):
        await pace.wait()
asyncio.run(main())
print(time.monotonic())
"""


@given(
    limit=st.sampled_from([1, 7, 60, 61, 1_200, 60_000]),
    pauses=st.lists(st.floats(0, 40), min_size=1, max_size=60),
    crowd=st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_no_minute_whatsoever_sees_more_than_the_limit(
    limit: int, pauses: list[float], crowd: int
) -> None:
    with TemporaryDirectory() as folder:
        pace = Pace("register", limit, Path(folder))
        now, leaves = 1_000.0, []
        for pause in pauses:
            now += pause
            leaves += [now + max(0.0, pace.take(now)) for _ in range(crowd)]
            now = max(now, leaves[-1] - FURTHEST_SECONDS / 2)  # nobody queues for so long
    leaves.sort()
    for first, last in zip(leaves, leaves[limit:], strict=False):
        assert last - first > 59.999


def test_after_a_pause_a_seconds_share_leaves_at_once(tmp_path: Path) -> None:
    pace = Pace("register", 1_200, tmp_path)
    waits = [pace.take(50.0) for _ in range(25)]
    assert sum(wait <= 0 for wait in waits) == 19
    assert waits[-1] == pytest.approx(24 * 61 / 1200 - (1 - 61 / 1200))


def test_processes_keep_one_pace_together(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PROCESS, str(tmp_path)]
    began = time.monotonic()
    with ExitStack() as stack:
        processes = [
            stack.enter_context(started(command, stdout=subprocess.PIPE, text=True))
            for _ in range(3)
        ]
        ends = [float(process.communicate(timeout=STUCK_SECONDS)[0]) for process in processes]
    # 120 requests at 6,000 a minute, of which a second's share may leave at once: the whole
    # 120 would leave at once if each process counted by itself.
    assert max(ends) - began >= 119 * 61 / 6000 - 1


def test_a_process_that_dies_while_it_waits_stops_nobody(tmp_path: Path) -> None:
    for _ in range(3):
        Pace("register", 60, tmp_path).take(time.monotonic())  # and never sends
    assert Pace("register", 60, tmp_path).take(time.monotonic()) < 4


def test_hosts_have_each_their_own(tmp_path: Path) -> None:
    one, other = Pace("one", 60, tmp_path), Pace("other", 60, tmp_path)
    assert [one.take(5.0) > 0 for _ in range(2)] == [False, True]
    assert other.take(5.0) <= 0


def test_a_number_from_before_the_machine_was_started_anew_is_nothing(tmp_path: Path) -> None:
    Pace("register", 60, tmp_path).take(1_000_000.0)
    assert Pace("register", 60, tmp_path).take(3.0) <= 0


def test_a_file_cut_short_and_a_folder_tidied_away(tmp_path: Path) -> None:
    folder = tmp_path / "pace"
    pace = Pace("register", 60, folder)
    pace.take(1.0)
    file = next(folder.iterdir())
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(b"abc")
    assert pace.take(1.0) <= 0
    file.unlink()
    folder.rmdir()
    assert pace.take(1.0) <= 0


def test_a_folder_of_somebody_elses_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(ConfigurationError, match="TMPDIR"):
        Pace("register", 60, tmp_path / "link")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="TMPDIR"):
        Pace("register", 60, tmp_path / "file")


def test_without_a_limit_there_is_no_pace() -> None:
    assert pace_of("http://127.0.0.1:1/x", None) is None


def test_waiting_waits(tmp_path: Path) -> None:
    async def three() -> None:
        pace = Pace("register", 300, tmp_path)  # five a second
        for _ in range(7):
            await pace.wait()

    started = time.monotonic()
    asyncio.run(three())
    assert time.monotonic() - started >= 0.4
