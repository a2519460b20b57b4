"""Three courses, and what they are made of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from freg_pipeline.extract import fetch, order
from freg_pipeline.store.scratch import held
from freg_pipeline_tests import command
from freg_pipeline_tests.chaos import commands, seed
from freg_pipeline_tests.chaos.course import Result, run
from freg_pipeline_tests.chaos.plan import Plan, Step
from freg_pipeline_tests.chaos.trouble import Trouble


@pytest.mark.parametrize("number", [1, 2, 3])
def test_after_any_course_the_tables_are_what_the_register_says(
    number: int, tmp_path: Path
) -> None:
    result = run(Plan.draw(number), tmp_path)
    assert result.wrong == []
    assert result.reads > 0 or result.plan.place == "s3"
    assert result.look_ups > 0
    assert result.troubles


def test_a_course_that_breaks_off_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks_off(plan: Plan, folder: Path) -> Result:
        (folder / "begun").touch()
        raise AssertionError(plan.seed)

    monkeypatch.setattr(seed, "run", breaks_off)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (told,) = seed.carry_out(7, tmp_path / "kept").wrong
    assert "AssertionError: 7" in told
    assert "seed 7" in capsys.readouterr().out
    assert not [*(tmp_path / "tmp").iterdir()]
    assert (tmp_path / "kept/seed-7/begun").exists()


def test_what_killed_drivers_left_goes_with_the_next_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, used, young = (tmp_path / f"freg-chaos-{one}" for one in ("left", "used", "young"))
    for one in (left, used, young):
        (one / "store").mkdir(parents=True)
    for one in (left, used):
        os.utime(one, (0, 0))
    monkeypatch.setattr(seed, "run", lambda plan, folder: Result(plan))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with held(used):
        seed.carry_out(7, None)
    assert {*tmp_path.iterdir()} == {used, young}


def _twice() -> None:
    """In the command's process: a pipeline that makes each look-up twice."""
    once = fetch.look_up

    async def look_up(*asked: Any) -> Any:
        await once(*asked[:4])
        return await once(*asked)

    fetch.look_up = look_up


def _begun(*told: Any) -> Any:
    before = told[-1]
    return command.begun(*told[:-1], partial(_all, before, _twice))


def _all(*many: Callable[[], None]) -> None:
    for one in many:
        one()


def test_a_pipeline_that_looks_up_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "begun", _begun)
    steps = (Step(0, "", (("load", None),)),)
    told = run(Plan(7, 20, 10, "", "komplett", "folder", False, False, steps), tmp_path).wrong
    assert "look-ups were made of 2 batches that had no answer" in "; ".join(told)


def test_a_seed_is_a_plan_for_ever() -> None:
    assert Plan.draw(7).steps == Plan.draw(7).steps != Plan.draw(8).steps


def _die_of_an_order() -> None:
    """In the command's process: it is killed when the register has answered its order."""
    order._record = lambda *told: os.killpg(0, signal.SIGKILL)  # type: ignore[assignment]


def _begun_to_die(arguments: tuple[str, ...], *told: Any) -> Any:
    *rest, before = told
    if "resume" in arguments:
        return command.begun(arguments, *told)
    return command.begun(arguments, *rest, partial(_all, before, _die_of_an_order))


def test_an_order_whose_answer_is_lost_is_sent_again_by_who_settles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "begun", _begun_to_die)
    steps = (Step(0, "", (("load", Trouble("kill", 10**6)),)),)
    result = run(Plan(7, 20, 10, "", "komplett", "folder", False, False, steps), tmp_path)
    assert result.wrong == []
    assert result.troubles == {"kill → -9": 1}
    assert [one.arguments for one in result.outcomes if "--order-again" in one.arguments]


_WRITES = """
import sys
from pathlib import Path
from freg_pipeline_tests.chaos.trouble import Trouble
folder = Path(sys.argv[1])
Trouble(sys.argv[2], int(sys.argv[3])).begin(str(folder))
for number in range(1, 6):
    (folder / f"{number}").write_bytes(b"x" * 100)
"""


@pytest.mark.parametrize(
    ("kind", "at", "files", "said"),
    [
        ("kill", 3, {"1", "2"}, ""),
        ("full", 3, {"1", "2"}, "No space left"),
        ("broken", 1, set(), "Input/output error"),
        ("small files", 50, {"1"}, "File too large"),
        ("kill", 9, {"1", "2", "3", "4", "5"}, ""),
    ],
)
def test_trouble_comes_at_its_moment(
    kind: str, at: int, files: set[str], said: str, tmp_path: Path
) -> None:
    ended = _run(_WRITES, tmp_path, kind, str(at))
    assert {one.name for one in tmp_path.iterdir()} == files
    assert said in ended.stderr
    assert (ended.returncode == 0) == (files == {"1", "2", "3", "4", "5"})


def _run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )


_CLOCK = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from freg_pipeline_tests.chaos.trouble import Trouble
folder = Path(sys.argv[1])
Trouble("clock", 2, -7200).begin(str(folder))
lasted = time.monotonic()
for number in range(3):
    (folder / f"{number}").write_bytes(b"")
    print(datetime.now(UTC).timestamp(), time.time())
print(time.monotonic() - lasted)
"""


def test_a_clock_jumps_at_its_moment_and_what_lasts_does_not(tmp_path: Path) -> None:
    began = time.time()
    first, second, third, (lasted,) = (
        map(float, line.split()) for line in _run(_CLOCK, tmp_path).stdout.splitlines()
    )
    ended = time.time()
    assert all(began <= one <= ended for one in first)
    assert all(began - 7200 <= one <= ended - 7200 for one in (*second, *third))
    assert 0 <= lasted <= ended - began


def test_trouble_of_every_kind_is_drawn() -> None:
    random = Random(1)
    assert {Trouble.draw(random).kind for _ in range(200)} == {
        "kill", "terminate", "interrupt", "full", "broken", "small files", "small disk", "clock",
    }  # fmt: skip
