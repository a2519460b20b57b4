"""The files of deploy/: read by what reads them in a deployment, or checked by its schemas."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BIN = Path(sys.executable).parent  # where the commands that are called there are installed here


def documents(path: Path) -> list[dict[str, Any]]:
    """What is in a YAML file."""
    return list(yaml.safe_load_all(path.read_text()))


def settings(path: Path) -> dict[str, str]:
    """What is set in a file of NAME=value."""
    lines = (line for line in path.read_text().splitlines() if line and line[0] != "#")
    return dict(line.split("=", 1) for line in lines)
