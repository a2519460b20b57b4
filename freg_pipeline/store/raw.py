"""An answer of the register as one compressed object, together with its circumstances.

The object is two zstd frames. The first is skippable and holds the circumstances as JSON; the
second holds the answer's body exactly as it came. ``zstd -dc`` passes over the first and prints the
body, so that raw answers can be read without this software.
"""

from __future__ import annotations

import struct
from datetime import datetime

import msgspec
import pyarrow as pa

from freg_pipeline.errors import StoreError

_SKIPPABLE = 0x184D2A50  # RFC 8878, 3.1.2: decoders pass over frames with this magic number
_HEAD = struct.Struct("<II")
_codec = pa.Codec("zstd", compression_level=3)


class RawMeta(msgspec.Struct, frozen=True):
    """How an answer came.

    Attributes:
        size: bytes of the body before compression.
        hentet: when it was answered (UTC).
        content_type: as the register said it.
        correlation_id: of the request.
        composed: made of several answers (look-ups one by one), not one answer as it came.
    """

    size: int
    hentet: datetime
    content_type: str
    correlation_id: str
    composed: bool = False


def pack(body: bytes, meta: RawMeta) -> bytes:
    """Return the object that holds ``body`` and ``meta``."""
    circumstances = msgspec.json.encode(meta)
    compressed: bytes = _codec.compress(body, asbytes=True)
    return _HEAD.pack(_SKIPPABLE, len(circumstances)) + circumstances + compressed


def unpack(data: bytes) -> tuple[RawMeta, bytes]:
    """Return the circumstances and the body of an object made by :func:`pack`.

    Raises:
        StoreError: it is no such object, or damaged.
    """
    meta = read_meta(data)
    start = _HEAD.size + _HEAD.unpack_from(data)[1]
    try:
        body: bytes = _codec.decompress(memoryview(data)[start:], meta.size, asbytes=True)
    except (pa.ArrowException, OSError):
        raise _damaged() from None
    return meta, body


def read_meta(data: bytes) -> RawMeta:
    """Return the circumstances alone.

    Raises:
        StoreError: the object is damaged.
    """
    try:
        magic, length = _HEAD.unpack_from(data)
        if magic != _SKIPPABLE:
            raise _damaged()
        return msgspec.json.decode(data[_HEAD.size : _HEAD.size + length], type=RawMeta)
    except (struct.error, msgspec.DecodeError):
        raise _damaged() from None


def _damaged() -> StoreError:
    return StoreError(
        "a kept answer is damaged",
        "Delete the object that the command above was reading, and resume the uttrekk",
    )
