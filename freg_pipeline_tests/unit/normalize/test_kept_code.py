"""Machine code that was compiled before is used, wherever it lies; else it is made."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import freg_pipeline
import freg_pipeline.normalize.machine  # compiled, if it never was
from freg_pipeline.normalize.machine import kept_code
from freg_pipeline.normalize.machine.kept_code import Compiled
from freg_pipeline_tests.unprivileged import make_read_only, unprivileged

_LOAD = """
import sys
sys.modules["numba"] = None  # nothing can be compiled
from freg_pipeline.normalize import machine
print(machine.__file__)
"""
_FIVE = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5, ctypes.c_void_p)


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

    assert told == [str(site / "freg_pipeline/normalize/machine/__init__.py")]
    assert not list(home.iterdir())


def test_only_who_decodes_documents_loads_the_machine_code() -> None:
    check = "import sys, freg_pipeline.cli; sys.exit('llvmlite' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that code is looked for in."""
    monkeypatch.setattr(kept_code, "_folders", lambda: iter([tmp_path / "made"]))
    return tmp_path / "made"


def test_code_is_compiled_once_and_for_its_sources_and_machine(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _sum_of("one", _five) == (3, 12)
    assert _sum_of("one", _never) == (3, 12)
    with pytest.raises(AssertionError, match="compiled"):
        _sum_of("another", _never)
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: "another-machine")
    with pytest.raises(AssertionError, match="compiled"):
        _sum_of("one", _never)
    (kept,) = folder.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o644


def test_code_for_any_processor_is_found_on_every_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    _sum_of("one", _five)
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: "another-machine")
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", lambda: None)
    assert _sum_of("one", _never) == (3, 12)
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+avx2")
    with pytest.raises(AssertionError, match="compiled"):
        _sum_of("one", _never)


@pytest.mark.parametrize("cut", [0, 10, 40, -1])
def test_code_that_is_not_whole_is_compiled_again(folder: Path, cut: int) -> None:
    _sum_of("one", _five)
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:cut])
    assert _sum_of("one", _five) == (3, 12)
    assert kept.read_bytes() == whole


def test_code_that_no_folder_can_keep_is_compiled_all_the_same(folder: Path) -> None:
    folder.write_text("no folder")
    assert _sum_of("one", _five) == (3, 12)


def test_what_is_left_of_an_attempt_that_failed_is_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "replace", full)
    assert _sum_of("one", _five) == (3, 12)
    assert not list(folder.iterdir())


def test_nothing_is_left_where_a_disk_is_full(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tempfile.NamedTemporaryFile

    def full(content: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    def on_a_full_disk(**told: Any) -> Any:
        file: Any = made(**told)
        file.write = full
        return file

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", on_a_full_disk)
    assert _sum_of("one", _five) == (3, 12)
    assert not list(folder.iterdir())


def _sum_of(sources: str, compile_it: Callable[[], Compiled]) -> tuple[int, int]:
    result = (ctypes.c_int64 * 2)()
    _FIVE(kept_code.function_address("five", sources, compile_it))(
        1, 2, 3, 4, 5, ctypes.addressof(result)
    )
    return result[0], result[1]


@cache
def _five() -> Compiled:
    from freg_pipeline.normalize.machine.compiling import compiled
    from freg_pipeline.normalize.machine.memory import store_64

    def five(at: int, end: int, number: int, count: int, shared: int, result: int) -> None:
        store_64(result, at + end)
        store_64(result + 8, number + count + shared)

    return compiled(five)


def _never() -> Compiled:
    msg = "compiled again"
    raise AssertionError(msg)
