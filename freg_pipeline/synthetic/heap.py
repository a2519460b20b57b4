"""Texts in a temporary file: documents that memory need not hold."""

from __future__ import annotations

import os
import tempfile


class Heap:
    """A file that grows; what is in it never changes."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the register
        self._end = 0
        self._flushed = 0

    def add(self, text: bytes) -> int:
        """Keep a text; returns where it starts."""
        start = self._end
        self._file.write(text)
        self._end += len(text)
        return start

    def read(self, start: int, length: int) -> bytes:
        """The text that starts there."""
        if start + length > self._flushed:
            self._file.flush()
            self._flushed = self._end
        return os.pread(self._file.fileno(), length, start)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
