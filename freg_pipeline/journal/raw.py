"""An answer of the register as one compressed object, together with its circumstances.

The object is two zstd frames. The first is skippable and holds the circumstances as a record, with
the SHA-256 of the second; the second holds the answer's body exactly as it came. ``zstd -dc``
passes over the first and prints the body, so that raw answers can be read without this software.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.measures import Took
from freg_pipeline.store import Store
from freg_pipeline.store.record import decode_record, encode_record

if TYPE_CHECKING:
    from pyarrow import Codec

_SKIPPABLE = 0x184D2A50  # RFC 8878, 3.1.2: decoders pass over frames with this magic number
_HEAD = struct.Struct("<II")


@cache
def _codec() -> Codec:
    from pyarrow import Codec  # with the first answer: those who read records alone need none

    # Level 3 takes a quarter more time, and a fifteenth less room.
    return Codec("zstd", compression_level=1)


class RawMeta(msgspec.Struct, frozen=True):
    """How an answer came.

    Attributes:
        size: bytes of the body before compression.
        hentet: when it was answered (UTC).
        content_type: as the register said it.
        correlation_id: of the request.
        composed: made of several answers (look-ups one by one), not one answer as it came.
        took: what it took to have it; None where nobody has looked.
        kept_out: the last order of whom to keep out that it was looked through for.
    """

    size: int
    hentet: datetime
    content_type: str
    correlation_id: str
    composed: bool = False
    took: Took | None = None
    kept_out: int = 0


class _Head(msgspec.Struct, frozen=True):
    """What the skippable frame holds: the circumstances, and the digest of the other frame.

    Of the compressed bytes: the same ones give the same body, and there are ten times fewer.
    """

    meta: RawMeta
    sha256: str


def pack(key: str, body: bytes, meta: RawMeta) -> bytes:
    """Return the object under ``key`` that holds ``body`` and ``meta``."""
    compressed: bytes = _codec().compress(body, asbytes=True)
    head = encode_record(key, _Head(meta, hashlib.sha256(compressed).hexdigest()))
    return _HEAD.pack(_SKIPPABLE, len(head)) + head + compressed


def read_raw(store: Store, key: str) -> tuple[RawMeta, bytes]:
    """Return the circumstances and the body of an object made by :func:`pack`.

    Raises:
        ObjectMissingError: it isn't there.
        DamagedError: it isn't as it was written.
        StoreError: another version of this software wrote it.
    """
    return unpack(store.read(key), key, store.location)


def recall_raw(store: Store, key: str) -> tuple[RawMeta, bytes]:
    """As :func:`read_raw`: what this process read or wrote just now isn't asked for again."""
    return unpack(store.recall(key), key, store.location)


def unpack(data: bytes, key: str, location: str) -> tuple[RawMeta, bytes]:
    """As :func:`read_raw`, of what lies under a key."""
    try:
        magic, length = _HEAD.unpack_from(data)
    except struct.error:
        raise DamagedError(key, location) from None
    if magic != _SKIPPABLE:
        raise DamagedError(key, location)
    start = _HEAD.size + length
    head = decode_record(data[_HEAD.size : start], _Head, key, location)
    compressed = memoryview(data)[start:]
    if hashlib.sha256(compressed).hexdigest() != head.sha256:
        raise DamagedError(key, location)
    body: bytes = _codec().decompress(compressed, head.meta.size, asbytes=True)
    return head.meta, body
