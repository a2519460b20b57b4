"""What commands that do little import: nothing that only others need."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.settings import Settings
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.waiting import STUCK_SECONDS

TABLES = {"pyarrow", "numpy"}
HEAVY = {"dagster", "dlt", "polars", "pandas", "sqlalchemy", "numba", "duckdb", "deltalake",
         "pyiceberg", "boto3", "rich", *TABLES}  # fmt: skip
_COMMAND = (
    "import sys\n"
    "from freg_pipeline.cli import main\n"
    "try:\n    main()\n"
    f"finally:\n    print(sorted({HEAVY!r} & sys.modules.keys()))\n"
)


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
        assert _imported(loaded, arguments) <= taken, arguments


def _imported(settings: Settings, arguments: tuple[str, ...]) -> set[str]:
    """What of all that is heavy a command has imported."""
    environment = {
        **os.environ,
        "FREG_STORE": settings.store,
        "FREG_BASE_URL": settings.base_url or "",
    }
    ended = subprocess.run(
        [sys.executable, "-c", _COMMAND, *arguments],
        env=environment, capture_output=True, text=True, check=False, timeout=STUCK_SECONDS,
    )  # fmt: skip
    assert ended.returncode == (3 if "person" in arguments else 0), ended.stderr
    return set(eval(ended.stdout.splitlines()[-1]))
