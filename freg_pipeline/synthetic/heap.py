"""Texts in files: documents that memory need not hold."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from freg_pipeline.synthetic.columns import Column

_BLOCK = 1 << 16  # bytes: what is packed and unpacked at once
_UNPACKED = 256  # so many blocks are kept, since those who are looked up together lie together
_CODEC = pa.Codec("lz4")


class Packer:
    """Writes texts to a file, packed block by block. Each block can be read by itself.

    Attributes:
        BLOCK: so many bytes of texts are packed at once.
        ends: where each block ends in the file.
    """

    BLOCK = _BLOCK

    def __init__(self, file: BinaryIO) -> None:
        self.ends: list[int] = []
        self._file = file
        self._written = 0
        self._open = bytearray()

    def add(self, text: bytes) -> int:
        """Keep a text; returns where it starts, as if nothing were packed."""
        start = len(self.ends) * _BLOCK + len(self._open)
        self._open += text
        while len(self._open) >= _BLOCK:
            self._pack()
        return start

    def finish(self) -> None:
        """Write what is left, filled up to a block."""
        if self._open:
            self._open += bytes(_BLOCK - len(self._open))
            self._pack()

    def _pack(self) -> None:
        packed: bytes = _CODEC.compress(bytes(self._open[:_BLOCK]), asbytes=True)
        del self._open[:_BLOCK]
        self._file.write(packed)
        self._written += len(packed)
        self.ends.append(self._written)


class Packed:
    """What a :class:`Packer` wrote.

    Args:
        path: the file.
        ends: where each block ends in it.
    """

    def __init__(self, path: Path, ends: Column) -> None:
        self.end = len(ends) * _BLOCK
        self._ends = ends
        self._file = path.open("rb")
        self._block = lru_cache(maxsize=_UNPACKED)(self._unpack)

    def read(self, start: int, length: int) -> bytes:
        """The text that starts there."""
        block, offset = divmod(start, _BLOCK)
        text = self._block(block)[offset : offset + length]
        while len(text) < length:
            block += 1
            text += self._block(block)[: length - len(text)]
        return text

    def _unpack(self, block: int) -> bytes:
        start = int(self._ends[block - 1]) if block else 0
        packed = os.pread(self._file.fileno(), int(self._ends[block]) - start, start)
        text: bytes = _CODEC.decompress(packed, _BLOCK, asbytes=True)
        return text

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class Heap:
    """A file that grows; what is in it never changes.

    Args:
        packed: texts that come before all that is added.
    """

    def __init__(self, packed: Packed | None = None) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the register
        self._packed = packed
        self._first = packed.end if packed is not None else 0
        self._end = 0
        self._flushed = 0

    def add(self, text: bytes) -> int:
        """Keep a text; returns where it starts."""
        start = self._end
        if text:
            self._file.write(text)
            self._end += len(text)
        return self._first + start

    def read(self, start: int, length: int) -> bytes:
        """The text that starts there."""
        if self._packed is not None and start < self._first:
            return self._packed.read(start, length)
        start -= self._first
        if start + length > self._flushed:
            self._file.flush()
            self._flushed = self._end
        return os.pread(self._file.fileno(), length, start)

    def close(self) -> None:
        """Give the files back."""
        self._file.close()
        if self._packed is not None:
            self._packed.close()
