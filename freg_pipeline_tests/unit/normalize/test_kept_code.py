"""Machine code that an installation holds is used, also where nothing can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import freg_pipeline
import freg_pipeline.normalize.machine  # compiled, if it never was

_LOAD = """
from freg_pipeline.normalize import machine
counted = machine.read_entries.stats
print(machine.__file__, sum(counted.cache_hits.values()), sum(counted.cache_misses.values()))
"""
_AS_OTHERS = "--bounding-set=-dac_override,-dac_read_search,-fowner"  # root, whom modes bind too


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root can write everywhere, and there is no setpriv to keep it from that")
    return ["setpriv", _AS_OTHERS]


def _read_only(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_code_of_an_installation_is_used_where_nothing_can_be_written(tmp_path: Path) -> None:
    site, home = tmp_path / "site", tmp_path / "home"
    shutil.copytree(Path(freg_pipeline.__file__).parent, site / "freg_pipeline")
    home.mkdir()
    _read_only(site)
    _read_only(home)
    environment = {name: value for name, value in os.environ.items() if "NUMBA" not in name}
    environment |= {"PYTHONPATH": str(site), "HOME": str(home)}
    environment.pop("XDG_CACHE_HOME", None)

    told = subprocess.run(
        [*_unprivileged(), sys.executable, "-c", _LOAD],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert told == [str(site / "freg_pipeline/normalize/machine/__init__.py"), "1", "0"]
    assert not list(home.iterdir())
