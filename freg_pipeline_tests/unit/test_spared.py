"""What a command is spared at its start and end, and that nothing else is missing then."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from freg_pipeline.spared import SPARED, spare_imports

_ENDS = """
import atexit, sys, threading, time
from freg_pipeline.spared import spare_end
class Tidied:
    def __del__(self):
        print("tidied", flush=True)
ended = spare_end()
kept = Tidied()
kept.itself = kept  # no one lets go of it before the very end
atexit.register(print, "registered")
threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
if len(sys.argv) > 1:
    ended(int(sys.argv[1]))
sys.exit(5)
"""


@pytest.fixture
def spared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    for name in SPARED:
        monkeypatch.delitem(sys.modules, name, raising=False)
    spare_imports()


@pytest.mark.usefixtures("spared")
def test_what_is_spared_looks_as_if_it_were_not_installed() -> None:
    for name in SPARED:
        with pytest.raises(ModuleNotFoundError) as raised:
            importlib.import_module(name)
        assert raised.value.name == name
    assert find_spec("pandas") is not None  # who asks first expects no error
    importlib.reload(importlib.import_module("colorsys"))  # all else is imported as ever


def test_libraries_do_without_what_is_spared() -> None:
    """Those that would import one of them, in a process that has imported none before."""
    shown = _run(
        "from freg_pipeline.spared import spare_imports; spare_imports()\n"
        "import httpx, numba, polars, duckdb, pyarrow as pa, pyarrow.dataset, sys\n"
        "import alembic.command, mako.exceptions, structlog.dev, rich.console, rich.progress\n"
        "rows = polars.DataFrame({'a': [1, None]}).to_arrow()\n"
        "assert polars.from_arrow(rows).equals(polars.DataFrame({'a': [1, None]}))\n"
        "assert pa.array([1, 2]).to_numpy().tolist() == [1, 2]\n"
        "assert duckdb.sql('SELECT sum(a) FROM rows').fetchall() == [(1,)]\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError:\n"
        "    assert 'ZeroDivisionError' in mako.exceptions.text_error_template().render()\n"
        "    assert b'ZeroDivisionError' in mako.exceptions.html_error_template().render()\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError:\n"
        "    told = structlog.dev.ConsoleRenderer()(None, '', {'event': 'e', 'exc_info': True})\n"
        "    assert 'ZeroDivisionError' in told\n"
        "spared = ('cffi', 'httpx._main', 'pandas', 'pygments')\n"
        "print([name for name in spared if name in sys.modules])\n"
    )
    assert shown.stderr == ""
    assert (shown.returncode, shown.stdout) == (0, "[]\n")


def test_whatever_is_registered_is_done_and_only_memory_is_left_as_it_is() -> None:
    shown = _run(_ENDS, "3")
    assert (shown.returncode, shown.stdout) == (3, "thread\nregistered\n")


def test_python_ends_as_always_until_all_is_done() -> None:
    shown = _run(_ENDS)
    assert (shown.returncode, shown.stdout) == (5, "thread\nregistered\ntidied\n")


@pytest.mark.parametrize("arguments", [[], ["0"]])
def test_output_that_can_not_be_written_is_told(arguments: list[str]) -> None:
    program = "from freg_pipeline.spared import spare_end; import sys; ended = spare_end()\n"
    program += "print('buffered')\nif len(sys.argv) > 1: ended(0)"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            stdout=full, stderr=subprocess.PIPE, env=buffered, check=False,
        )  # fmt: skip
    assert ended.returncode == 120  # Python's own code for it
    assert b"No space left" in ended.stderr


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
