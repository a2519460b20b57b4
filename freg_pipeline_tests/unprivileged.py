"""Commands that can write nowhere but where modes let them, whoever runs the tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_AS_OTHERS = "--bounding-set=-dac_override,-dac_read_search,-fowner"  # root, whom modes bind too


def unprivileged() -> list[str]:
    """What to put before a command; the test skips where root can't be kept from writing."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root can write everywhere, and there is no setpriv to keep it from that")
    return ["setpriv", _AS_OTHERS]


def make_read_only(folder: Path) -> None:
    """Take from a folder and all that is in it the right to be written."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
