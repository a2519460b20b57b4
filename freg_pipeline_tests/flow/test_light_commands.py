"""What commands that do little import: nothing that only others need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.settings import Settings
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.imported import heavy_imports
from freg_pipeline_tests.loads import full_load

TABLES = {"pyarrow", "numpy"}


@pytest.fixture
def loaded(start_register: StartRegister, make_settings: Callable[..., Settings]) -> Settings:
    settings = make_settings(start_register(persons=20))
    full_load(settings)
    return settings


def test_no_command_imports_what_only_others_need(loaded: Settings) -> None:
    assert not (Path(loaded.store) / "dagster").exists(), "nothing has been recorded yet"
    for arguments, taken in {
        ("--help",): set[str](),
        ("access-log",): set[str](),
        ("release", "list"): set[str](),
        ("person", "01015450068"): set[str](),  # nobody's
        ("check",): TABLES,
        ("release", "show"): {"duckdb", *TABLES},
        ("retention", "--dry-run"): {"duckdb", *TABLES},
    }.items():
        _, heavy = heavy_imports(loaded, *arguments, code=3 if "person" in arguments else 0)
        assert heavy <= taken, arguments
