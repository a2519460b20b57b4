"""Compile the one function that Python calls. numba is imported here, by whoever has to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core.ccallback import CFunc

from freg_pipeline.normalize.machine.answer import entries
from freg_pipeline.normalize.machine.kept_code import Compiled
from freg_pipeline.normalize.machine.memory import OPTIONS, store_64


class _Caught:
    """Where numba gives away what it has compiled, in the place of a cache of its own."""

    def __init__(self) -> None:
        self.found: Any = None

    def load_overload(self, *_: object) -> None:
        """There is none."""

    def save_overload(self, _: object, code: Any) -> None:
        """Take it."""
        self.found = code


def compiled_entries() -> Compiled:
    """:func:`freg_pipeline.normalize.machine.answer.entries`, as :func:`compiled` compiles it."""

    def read_entries(at: int, end: int, number: int, count: int, shared: int, result: int) -> None:
        done, after = entries(at, end, number, count, shared)
        store_64(result, done)
        store_64(result + 8, after)

    return compiled(read_entries)


def compiled(function: Callable[[int, int, int, int, int, int], None]) -> Compiled:
    """Compile a function of six whole numbers, for those who call it as C does.

    The last of them is the address of two numbers, which are its result.
    """
    callback: Any = CFunc(function, ((types.int64,) * 6, types.void), {}, {**OPTIONS})
    callback._cache = caught = _Caught()
    callback.compile()
    _, kind, (code, *_) = caught.found.library.serialize_using_object_code()
    assert kind == "object"  # noqa: S101  what numba calls it
    return caught.found.fndesc.llvm_cfunc_wrapper_name, code
