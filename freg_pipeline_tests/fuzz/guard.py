"""Memory that ends where reading and writing end the process: one byte too far is a SIGSEGV."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

_PROT_NONE = 0
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def guarded(size: int) -> npt.NDArray[np.uint8]:
    """Zeros whose last byte is the last one before a page that can't be touched."""
    pages = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, pages + mmap.PAGESIZE)
    whole = np.frombuffer(memory, np.uint8)
    if _libc.mprotect(whole.ctypes.data + pages, mmap.PAGESIZE, _PROT_NONE):
        raise OSError(ctypes.get_errno(), "mprotect")
    return whole[pages - size : pages]


def guarded_buffer(size: int, kind: type[np.generic]) -> npt.NDArray[Any]:
    """As the columns' own buffers (``normalize/columns.py``), with a guarded end."""
    if size == 0:
        return np.zeros(0, kind)
    return guarded(size * np.dtype(kind).itemsize).view(kind)


class Answers:
    """A place for one answer at a time: it ends where the guarded memory does."""

    def __init__(self, size: int = 1 << 20) -> None:
        self._memory = guarded(size)

    def put(self, content: bytes) -> tuple[int, int]:
        """The addresses of an answer's first byte, and of the one after its last."""
        size = len(self._memory)
        self._memory[size - len(content) :] = np.frombuffer(content, np.uint8)
        end = self._memory.ctypes.data + size
        return end - len(content), end
