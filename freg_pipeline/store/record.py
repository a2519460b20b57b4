"""The small JSON objects that record what has been done: how they are written, and read again.

Each is an envelope with the format's version and the SHA-256 of that, of the object's name and of
the record as it stands there, so that damage is told from content, and another object under this
one's name from this one. ``jq .record FILE`` prints the record.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from freg_pipeline.errors import DamagedError, StoreError
from freg_pipeline.store.base import Store

T = TypeVar("T")

# Raised when records, raw answers or table files change so that older software misreads them. The
# envelope and its digest stay as they are: by these, software tells another version from damage.
FORMAT = 3
_NAMED = 3  # since this one the name is in the digest


class _Envelope(msgspec.Struct, frozen=True):
    format: int
    sha256: str
    record: msgspec.Raw


def encode_record(key: str, record: object, version: int = FORMAT) -> bytes:
    """Return the object that holds a record under a key, by default of this version's format."""
    content = msgspec.json.encode(record)
    digest = _digest(version, key, content)
    return msgspec.json.encode(_Envelope(version, digest, msgspec.Raw(content)))


def write_record(store: Store, key: str, record: object) -> bool:
    """Write a record once and whole. False: one was there already, and stays as it was."""
    return store.write(key, encode_record(key, record))


def replace_record(store: Store, key: str, record: object) -> None:
    """Swap a record atomically: readers see the old or the new one."""
    store.replace(key, encode_record(key, record))


def read_record(store: Store, key: str, kind: type[T]) -> T:
    """Return the record under a key.

    Args:
        store: where it lies.
        key: its key, which is shown in the error.
        kind: the type that it was written from.

    Raises:
        ObjectMissingError: it isn't there.
        DamagedError: it isn't as it was written under this name.
        StoreError: another version of this software wrote it.
    """
    return decode_record(store.read(key), kind, key, store.location)


def recall_record(store: Store, key: str, kind: type[T]) -> T:
    """As :func:`read_record`, of a record that is never replaced: what is known isn't asked for."""
    return decode_record(store.recall(key), kind, key, store.location)


def decode_record(data: bytes, kind: type[T], key: str, location: str) -> T:
    """Return the record that an object holds; arguments and errors as :func:`read_record`."""
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if _is_foreign(data):
            raise _other_version(key, location) from None
        raise DamagedError(key, location) from None
    if _digest(envelope.format, key, envelope.record) != envelope.sha256:
        raise DamagedError(key, location)
    if envelope.format != FORMAT:
        raise _other_version(key, location)
    try:
        return msgspec.json.decode(envelope.record, type=kind)
    except msgspec.DecodeError:
        raise _other_version(key, location) from None


def _digest(version: int, key: str, content: bytes | msgspec.Raw) -> str:
    name = f"{key}\n" if version >= _NAMED else ""
    return hashlib.sha256(f"{version}\n{name}".encode() + bytes(content)).hexdigest()


def _is_foreign(data: bytes) -> bool:
    """Whether it is JSON, and not in an envelope: stores had none at first."""
    try:
        content = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return not isinstance(content, dict) or content.keys().isdisjoint(_Envelope.__struct_fields__)


def _other_version(key: str, location: str) -> StoreError:
    return StoreError(
        f"{key} in {location} was written by another version of freg_pipeline",
        "Use that version, or start with an empty folder",
    )
