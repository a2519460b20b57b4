"""What killed processes leave under construction is removed; what living ones use is not."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from freg_pipeline.orchestration.records import alone
from freg_pipeline.store.scratch import alone_in, scratch_beside, scratch_here
from freg_pipeline_tests.waiting import STUCK_SECONDS, started

_MAKES_ONE = """
import sys
from pathlib import Path
from freg_pipeline.store.scratch import scratch_beside, scratch_here
with {made} as folder:
    (folder / "rows").write_text("of persons")
    print(folder, flush=True)
    sys.stdin.read()
"""
_LONG = 3_600
Make = Callable[[], AbstractContextManager[Path]]


@pytest.fixture(params=["here", "beside"])
def made(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Make, str]:
    """How such a folder is made in this process, and as code."""
    if request.param == "here":
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr(tempfile, "tempdir", None)
        return scratch_here, "scratch_here()"
    target = tmp_path / "target"
    return (lambda: scratch_beside(target)), f"scratch_beside(Path({str(target)!r}))"


def test_of_a_killed_process_it_goes_and_of_a_living_one_it_stays(
    made: tuple[Make, str], tmp_path: Path
) -> None:
    make, code = made
    command = [sys.executable, "-c", _MAKES_ONE.format(made=code)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with started(command, **pipes) as living, started(command, **pipes) as killed:
        its, left = (Path(one.stdout.readline().strip()) for one in (living, killed))
        killed.send_signal(signal.SIGKILL)
        killed.wait(STUCK_SECONDS)
        long_ago = time.time() - _LONG
        for folder in (its, left):
            os.utime(folder, (long_ago, long_ago))
        with make() as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
            assert set(tmp_path.iterdir()) == {its, folder}
            assert (its / "rows").read_text() == "of persons"
        living.communicate("", STUCK_SECONDS)
    assert list(tmp_path.iterdir()) == []


def test_what_is_just_being_made_and_what_is_others_stays(
    made: tuple[Make, str], tmp_path: Path
) -> None:
    make, _ = made
    with make() as one:
        new = one.with_name(f"{one.name[:14]}_{one.name[15:]}")
    others = [
        tmp_path / name for name in (".target.swp", ".target.x", ".other.x.freg", "freg-pace-0")
    ]
    new.mkdir()
    for other in others:
        other.touch()
        os.utime(other, (0, 0))
    with make() as folder:
        assert set(tmp_path.iterdir()) == {new, folder, *others}


def test_what_was_to_be_of_another_name_goes_as_well(tmp_path: Path) -> None:
    """Each set of changes has a name of its own, which nobody uses again."""
    with (
        scratch_beside(tmp_path / "changes-1") as one,
        scratch_beside(tmp_path / "changes-1") as kept,
    ):
        pass
    one.mkdir()
    (one / "rows").write_text("of persons")
    kept.write_text("no folder")
    (tmp_path / ".mine.freg").mkdir()
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    with scratch_beside(tmp_path / "changes-2"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {kept.name, ".mine.freg"}


def test_links_and_files_of_such_a_name_among_temporary_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write there could have put them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    aim, place = tmp_path / "aim", tmp_path / "tmp"
    aim.mkdir()
    place.mkdir()
    os.utime(aim, (0, 0))
    (place / "freg-scratch-link").symlink_to(aim)
    (place / "freg-scratch-file").touch()
    os.utime(place / "freg-scratch-file", (0, 0))
    with scratch_here():
        pass
    assert sorted(one.name for one in place.iterdir()) == ["freg-scratch-file", "freg-scratch-link"]
    assert aim.is_dir()


def test_where_no_locks_are_known_files_are_made_and_records_are_not(
    made: tuple[Make, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that begin Dagster's records at once would spoil them; a folder of one's own is safe."""

    def unknown(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unknown)
    make, _ = made
    with make() as folder, alone_in(folder):
        (folder / "rows").write_text("of persons")
    with pytest.raises(OSError, match=os.strerror(errno.ENOLCK)), alone(tmp_path):
        pass
