"""The user's own folder for data: the same one wherever a command runs."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """Where this software keeps what is this user's and of no store."""
    return Path(os.environ.get("XDG_DATA_HOME") or _home() / ".local" / "share", "freg")


def _home() -> Path:
    """The user's; of a container's user whom it doesn't know, one that can't be written."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")  # as Debian calls it
