"""The page's figures are those that courses left, and nobody's wishes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freg_pipeline_tests.chaos import figures
from freg_pipeline_tests.chaos.__main__ import seeds
from freg_pipeline_tests.chaos.commands import Outcome
from freg_pipeline_tests.chaos.course import Result
from freg_pipeline_tests.chaos.plan import Plan
from freg_pipeline_tests.chaos.trouble import Trouble


def result(seed: int, *codes: int, wrong: str = "") -> Result:
    outcomes = [Outcome(("hendelser", "sync"), Trouble("kill", 1), code, "", "") for code in codes]
    plan = Plan.draw(seed)
    return Result(plan, outcomes, [wrong] if wrong else [], reads=3, look_ups=2)


def test_the_page_is_made_of_the_file() -> None:
    page = figures.PAGE.read_text()
    assert figures.on_page(page, json.loads(figures.FILE.read_text())) == page


def test_seeds_are_told_one_by_one_and_from_to() -> None:
    assert seeds("7") == [7]
    assert seeds("12-14,3,13-15") == [3, 12, 13, 14, 15]


def test_courses_are_added_up_by_seed(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    for one in (result(2, -9, 0), result(1, 0, wrong="lost"), result(1, 1), result(9, wrong="x")):
        figures.note(one, file)
    page = figures.on_page(
        "a\n<!-- figures -->\nyesterday\n<!-- /figures -->\nb", figures.read(file)
    )
    assert "yesterday" not in page
    assert "3 seeds (1-2, 9)" in page
    assert "3 commands" in page
    assert "9 readings, 6 look-ups" in page
    assert "settled: 2; otherwise: 9" in page
    assert "| kill -9 | 3 | 1 | 0 | 1 | 1 |" in page


def test_figures_of_other_courses_are_not_added_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "figures.json"
    figures.note(result(1, 0), file)
    monkeypatch.setattr(figures, "version", lambda: "another")
    figures.note(result(2, 0), file)
    assert [*figures.read(file)["seeds"]] == ["2"]
