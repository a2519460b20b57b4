"""Machine code that an installation holds is used, also where nothing can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import freg_pipeline
import freg_pipeline.normalize.machine  # compiled, if it never was
from freg_pipeline_tests.unprivileged import make_read_only, unprivileged

_LOAD = """
from freg_pipeline.normalize import machine
counted = machine.read_entries.stats
print(machine.__file__, sum(counted.cache_hits.values()), sum(counted.cache_misses.values()))
"""


def test_code_of_an_installation_is_used_where_nothing_can_be_written(tmp_path: Path) -> None:
    site, home = tmp_path / "site", tmp_path / "home"
    shutil.copytree(Path(freg_pipeline.__file__).parent, site / "freg_pipeline")
    home.mkdir()
    make_read_only(site)
    make_read_only(home)
    environment = {name: value for name, value in os.environ.items() if "NUMBA" not in name}
    environment |= {"PYTHONPATH": str(site), "HOME": str(home)}
    environment.pop("XDG_CACHE_HOME", None)

    told = subprocess.run(
        [*unprivileged(), sys.executable, "-c", _LOAD],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert told == [str(site / "freg_pipeline/normalize/machine/__init__.py"), "1", "0"]
    assert not list(home.iterdir())
