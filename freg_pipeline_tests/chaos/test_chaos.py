"""Three courses, and what they are made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from freg_pipeline_tests.chaos.course import run
from freg_pipeline_tests.chaos.plan import Plan
from freg_pipeline_tests.chaos.trouble import Trouble


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_course_the_tables_are_what_the_register_says(seed: int, tmp_path: Path) -> None:
    result = run(seed, tmp_path)
    assert result.wrong == []
    assert result.reads > 0
    assert result.troubles


def test_a_seed_is_a_plan_for_ever() -> None:
    assert Plan.draw(7).steps == Plan.draw(7).steps != Plan.draw(8).steps


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
    ended = subprocess.run(
        [sys.executable, "-c", _WRITES, str(tmp_path), kind, str(at)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert {one.name for one in tmp_path.iterdir()} == files
    assert said in ended.stderr
    assert (ended.returncode == 0) == (files == {"1", "2", "3", "4", "5"})


def test_trouble_of_every_kind_is_drawn() -> None:
    random = Random(1)
    assert {Trouble.draw(random).kind for _ in range(200)} == {
        "kill", "terminate", "interrupt", "full", "broken", "small files",
    }  # fmt: skip
