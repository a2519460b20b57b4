"""What killed processes have left under construction goes at once where persons are erased."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.waiting import STUCK_SECONDS, started

_MAKES_ONE = """
import sys
from pathlib import Path
from freg_pipeline.store.local import LocalStore
with LocalStore(Path(sys.argv[1])).scratch() as folder:
    (folder / "rows").write_text("of persons")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_dead_process_left_goes_however_young_and_a_living_ones_stays(
    tmp_path: Path,
) -> None:
    store = LocalStore(tmp_path / "store")
    store.sweep()
    assert not (tmp_path / "store").exists()
    command = [sys.executable, "-c", _MAKES_ONE, str(tmp_path / "store")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with started(command, **pipes) as living, started(command, **pipes) as killed:
        its, left = (Path(one.stdout.readline().strip()) for one in (living, killed))
        killed.send_signal(signal.SIGKILL)
        killed.wait(STUCK_SECONDS)
        assert left.exists()
        store.sweep()
        assert [*its.parent.iterdir()] == [its]
        assert (its / "rows").read_text() == "of persons"
        living.communicate("", STUCK_SECONDS)
    assert [*its.parent.iterdir()] == []


def test_nobody_loses_what_they_are_just_making(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")

    def make(number: int) -> None:
        store.write(f"written/{number}", b"a record")
        store.replace("replaced", b"a record")
        with store.scratch() as folder:
            (folder / "rows").write_text("of persons")
            store.sweep()
            assert (folder / "rows").read_text() == "of persons"

    with ThreadPoolExecutor(8) as pool:
        assert len([*pool.map(make, range(100))]) == 100
    assert len(store.list("written/")) == 100
    assert [*(tmp_path / "store/.tmp").iterdir()] == []
