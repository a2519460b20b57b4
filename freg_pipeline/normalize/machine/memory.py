"""Machine code over memory addresses: what numba has no words for.

Addresses are those of an answer's bytes and of the arrays of ``memory_map.py``, which the caller
keeps alive. Nothing here checks bounds: who calls has done so. Machine code is given addresses
rather than arrays because numba counts references to every array at every call, which made it
twenty times slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])


OPTIONS: Any = {"boundscheck": False, "error_model": "numpy"}


def compiled(function: Function) -> Function:
    """Compile for the machine, as a part of the one function that is called from Python."""
    return cast(Function, njit(nogil=True, **OPTIONS)(function))


def _load(bits: int, result: types.Integer) -> Callable[[int], Any]:
    def load(typingctx: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.IntType(bits)
            pointer = builder.inttoptr(arguments[0], kind.as_pointer())
            value = builder.load(pointer, align=1)
            return value if bits == 64 else builder.zext(value, ir.IntType(64))

        return result(types.int64), generate

    return cast(Callable[[int], Any], intrinsic(load))


def _store(bits: int) -> Callable[[int, int], None]:
    def store(typingctx: Any, address: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.IntType(bits)
            pointer = builder.inttoptr(arguments[0], kind.as_pointer())
            value = arguments[1] if bits == 64 else builder.trunc(arguments[1], kind)
            builder.store(value, pointer, align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return cast(Callable[[int, int], None], intrinsic(store))


load_8: Callable[[int], int] = _load(8, types.int64)  # a byte, 0 to 255
load_32: Callable[[int], int] = _load(32, types.int64)  # a length: never negative
load_64: Callable[[int], int] = _load(64, types.int64)
load_8_bytes: Callable[[int], np.uint64] = _load(
    64, types.uint64
)  # from any address, the first one lowest
store_8 = _store(8)
store_16 = _store(16)
store_32 = _store(32)
store_64 = _store(64)


def _trailing_zeros(typingctx: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


trailing_zeros = cast(Callable[[np.uint64], int], intrinsic(_trailing_zeros))  # its low bits 0


@compiled
def get(record: int, index: int) -> int:
    """A record's number; a record is a row of an array of 64-bit numbers."""
    return load_64(record + 8 * index)


@compiled
def put(record: int, index: int, value: int) -> None:
    """Change a record's number."""
    store_64(record + 8 * index, value)
