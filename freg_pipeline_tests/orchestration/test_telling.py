"""What goes wrong in what Dagster calls is told in our words, which hold nothing personal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from freg_pipeline import orchestration

CALLED_BY_DAGSTER = {"asset", "multi_asset", "asset_check", "multi_asset_check", "op", "sensor"}


def _called() -> Iterator[tuple[str, set[str]]]:
    """Each function that Dagster calls, and the names of its decorators."""
    for file in Path(*orchestration.__path__).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                names = {ast.unparse(one).partition("(")[0] for one in node.decorator_list}
                if names & {f"dg.{name}" for name in CALLED_BY_DAGSTER}:
                    yield f"{file.stem}.{node.name}", names


def test_every_function_that_dagster_calls_tells_in_our_words() -> None:
    called = dict(_called())
    assert "spot_check.check" in called
    assert [name for name, names in called.items() if "in_our_words" not in names] == []
