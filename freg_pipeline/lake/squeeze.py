"""Compression of what passes through, block by block: gzip and zstd."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

_GZIP = 31  # zlib's window bits for gzip's head and end
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Squeeze:
    """How bytes become fewer.

    Attributes:
        more: takes what comes, and returns what is ready of the result.
        rest: returns what is left of it at the end.
    """

    more: Callable[[bytes], bytes]
    rest: Callable[[], bytes]


def squeeze(kind: str | None) -> Squeeze:
    """A compression by its name: ``gzip`` or ``zstd``; None: bytes pass as they are."""
    if kind is None:
        return Squeeze(lambda content: content, lambda: b"")
    if kind == "gzip":
        coder = zlib.compressobj(wbits=_GZIP)
        return Squeeze(coder.compress, coder.flush)
    return _zstd()


def _zstd() -> Squeeze:
    """Frames one after the other, which zstd reads as one."""
    import pyarrow as pa

    codec, waiting = pa.Codec("zstd"), bytearray()

    def rest() -> bytes:
        frame: bytes = codec.compress(bytes(waiting), asbytes=True)
        waiting.clear()
        return frame

    def more(content: bytes) -> bytes:
        waiting.extend(content)
        return rest() if len(waiting) >= _BLOCK else b""

    return Squeeze(more, rest)
