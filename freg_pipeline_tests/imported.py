"""What commands import, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from freg_pipeline.settings import Settings
from freg_pipeline_tests.waiting import STUCK_SECONDS

HEAVY = {"dagster", "dlt", "polars", "pandas", "sqlalchemy", "numba", "duckdb", "deltalake",
         "pyiceberg", "boto3", "rich", "pyarrow", "numpy"}  # fmt: skip
_COMMAND = (
    "import sys\n"
    "from freg_pipeline.cli import main\n"
    "try:\n    main()\n"
    f"finally:\n    print(sorted({HEAVY!r} & sys.modules.keys()))\n"
)


def heavy_imports(settings: Settings, *arguments: str, code: int = 0) -> tuple[str, set[str]]:
    """What a command says, and what of all that is heavy it has imported.

    Args:
        settings: which store and which register.
        arguments: the command.
        code: that it ends with.
    """
    environment = {
        **os.environ,
        "FREG_STORE": settings.store,
        "FREG_BASE_URL": settings.base_url or "",
    }
    ended = subprocess.run(
        [sys.executable, "-c", _COMMAND, *arguments],
        env=environment, capture_output=True, text=True, check=False, timeout=STUCK_SECONDS,
    )  # fmt: skip
    assert ended.returncode == code, ended.stderr
    *told, heavy = ended.stdout.splitlines()
    return "\n".join(told), set(eval(heavy))
