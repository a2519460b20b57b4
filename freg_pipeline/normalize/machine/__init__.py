"""The machine code that reads answers: compiled by numba, once a machine, and kept on its disk.

Only :func:`read_entries` is called from Python. Import this package where documents are decoded and
nowhere else: importing it loads the code or, the first time, compiles it.
"""

from __future__ import annotations

import ctypes
import hashlib
from pathlib import Path

from freg_pipeline.normalize import memory_map, program
from freg_pipeline.normalize.machine.kept_code import Compiled, function_address

__all__ = ["read_entries"]


def _sources() -> str:
    """Names the exact code."""
    here = sorted(Path(__file__).parent.glob("*.py"))
    others = [Path(str(module.__file__)) for module in (program, memory_map)]
    digest = hashlib.sha256()
    for path in [*here, *others]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _compiled() -> Compiled:
    from freg_pipeline.normalize.machine.compiling import compiled_entries  # imports numba

    return compiled_entries()


_Pair = ctypes.c_int64 * 2
_call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5, ctypes.POINTER(_Pair))(
    function_address("read_entries", _sources(), _compiled)
)


def read_entries(at: int, end: int, number: int, count: int, shared: int) -> tuple[int, int]:
    """Read a bulk answer's entries; see :func:`freg_pipeline.normalize.machine.answer.entries`.

    Others may run Python meanwhile.
    """
    result = _Pair()
    _call(at, end, number, count, shared, result)
    return result[0], result[1]
