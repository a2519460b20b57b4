"""One process at a time loads a copy, and nothing is left of that."""

from __future__ import annotations

import fcntl
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock

import pytest

from freg_pipeline.errors import ResourceError
from freg_pipeline.load.alone import alone


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_nothing_is_left_of_a_load_that_ended(temporary: Path) -> None:
    with alone("a copy"):
        assert [*temporary.iterdir()]
    assert not [*temporary.iterdir()]
    with suppress(KeyError), alone("a copy"):
        raise KeyError
    assert not [*temporary.iterdir()]


def test_whoever_is_refused_leaves_the_other_alone(temporary: Path) -> None:
    with alone("a copy"):
        for _ in range(2):
            with pytest.raises(ResourceError, match="another process loads"), alone("a copy"):
                pass
        with alone("another"):
            assert len([*temporary.iterdir()]) == 2


def test_what_blocks_inside_is_no_other_process() -> None:
    with pytest.raises(BlockingIOError, match="a pipe"), alone("a copy"):
        raise BlockingIOError("a pipe")


def test_whoever_waited_for_a_file_that_is_gone_holds_the_new_one(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    ended: list[Path] = []

    def another_ends_first(handle: int, how: int) -> None:
        if not ended:
            ended.extend(temporary.iterdir())
            ended[0].unlink()
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", another_ends_first)
    with alone("a copy"), pytest.raises(ResourceError), alone("a copy"):
        pass
    assert ended
    assert not [*temporary.iterdir()]


def test_a_file_of_somebody_else_stays(temporary: Path) -> None:
    with alone("a copy"):
        (path,) = temporary.iterdir()
        path.unlink()  # somebody tidies temporary files
        with alone("a copy"):
            pass
        path.touch()
    assert path.exists()


def test_never_two_at_once(temporary: Path) -> None:
    inside = Lock()

    def load(_: int) -> bool:
        with suppress(ResourceError), alone("a copy"):
            assert inside.acquire(blocking=False)
            inside.release()
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert any(pool.map(load, range(400)))
    assert not [*temporary.iterdir()]
