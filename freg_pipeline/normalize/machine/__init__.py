"""The machine code that reads answers: compiled by numba, once a machine, and kept on its disk.

Only :func:`read_entries` is called from Python. Import this package where documents are decoded and
nowhere else: importing it loads the code (half a second) or, the first time, compiles it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from freg_pipeline.normalize import memory_map, program
from freg_pipeline.normalize.machine.answer import OTHER_FORM, TAKE_BACK, entries
from freg_pipeline.normalize.machine.append import FULL
from freg_pipeline.normalize.machine.memory import kept

__all__ = ["FULL", "OTHER_FORM", "TAKE_BACK", "read_entries"]

_ReadEntries = Callable[[int, int, int, int, int], tuple[int, int]]


def _sources() -> str:
    """Names the exact code: numba looks only at the file of the function that it keeps."""
    here = sorted(Path(__file__).parent.glob("*.py"))
    others = [Path(str(module.__file__)) for module in (program, memory_map)]
    digest = hashlib.sha256()
    for path in [*here, *others]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _entry_point(sources: str) -> _ReadEntries:
    def read_entries(at: int, end: int, number: int, count: int, shared: int) -> tuple[int, int]:
        sources  # noqa: B018  in the closure, and so part of the key that the code is kept by
        return entries(at, end, number, count, shared)

    return kept(read_entries)


read_entries = _entry_point(_sources())
"""Read a bulk answer's entries; see :func:`freg_pipeline.normalize.machine.answer.entries`."""
