"""A key for pseudonyms, and what it makes of numbers: HMAC-SHA-256, 128 bits, as 32 letters.

Letters, so that no pseudonym ever looks like a number, to a reader or to what searches copies for
identity numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.store.local import sync_to_disk

PSEUDONYM_LETTERS = 32  # of 16 each: 128 bits
_BYTES = PSEUDONYM_LETTERS // 2
KEY_BYTES = 32
_LEAST_DISTINCT = 16  # of 32 random bytes fewer differ once in 10^14 keys
_LONGEST_FILE = 10_000
_LETTERS = np.frombuffer(b"abcdefghijklmnop", dtype=np.uint8)
# What is signed begins with what it is for: a fingerprint is nobody's pseudonym.
_PSEUDONYM, _FINGERPRINT = b"freg pseudonym 1\0", b"freg fingerprint 1\0"
_KEY = re.compile(rf"(?:[0-9a-fA-F]{{2}}){{{KEY_BYTES},}}")
_MAKE = "Make one: freg export --make-key KEYFILE"


class Key:
    """A key for pseudonyms; shows itself nowhere.

    Args:
        secret: the key.
    """

    def __init__(self, secret: bytes) -> None:
        self._signed = hmac.new(secret, _PSEUDONYM, hashlib.sha256)
        self.fingerprint = hmac.digest(secret, _FINGERPRINT, "sha256").hex()[:16]

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    def pseudonyms(self, values: pa.Array) -> pa.Array:
        """Pseudonyms of texts or whole numbers; of nothing, or an empty text, nothing.

        The same value has the same one in every table and release. White space at the ends is no
        part of it, and a whole number is the text of its eleven digits.
        """
        encoded = as_text(values).dictionary_encode()
        distinct = encoded.dictionary
        made = self._made(distinct.to_pylist())
        return pc.if_else(pc.not_equal(distinct, ""), made, None).take(encoded.indices)

    def _made(self, texts: list[str]) -> pa.Array:
        signed = self._signed
        digests = bytearray()
        for text in texts:
            one = signed.copy()
            one.update(text.encode())
            digests += one.digest()[:_BYTES]
        halves = np.frombuffer(digests, dtype=np.uint8)
        letters = _LETTERS[np.stack([halves >> 4, halves & 15], axis=1).reshape(-1)]
        ends = np.arange(len(texts) + 1, dtype=np.int32) * PSEUDONYM_LETTERS
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(letters)]
        return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def as_text(values: pa.Array) -> pa.Array:
    """Values as pseudonyms are made of them: of numbers eleven digits, or as many as there are."""
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return pc.utf8_lpad(values.cast(pa.int64(), safe=False).cast(pa.string()), 11, "0")
    return pc.utf8_trim_whitespace(values.cast(pa.string()))


def make_key(path: Path) -> Key:
    """Write a new key into a new file, for its owner alone.

    Raises:
        ConfigurationError: something is there already, or nothing can be written there.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} is there already", "A key is never overwritten: name a new file"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"no key can be written to {path}: {error.strerror}", "Name another file"
        ) from None
    secret = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(handle, "w") as file:
        file.write(f"{secret.hex()}\n")
    sync_to_disk(path)
    sync_to_disk(path.absolute().parent)
    return Key(secret)


def read_key(path: Path) -> Key:
    """Read a key.

    Raises:
        ConfigurationError: there is none, others may read it, or it isn't one; holds nothing of it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # of a pipe nobody may be the writer
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ConfigurationError(f"the key {path} is no file", _MAKE)
            if found.st_mode & 0o077:
                raise ConfigurationError(
                    f"others than you may read the key {path}", f"chmod 600 {path}"
                )
            content = file.read(_LONGEST_FILE)
    except OSError as error:
        if _KEY.fullmatch(path.name):  # by a command line that was to name its file
            raise ConfigurationError(
                "that is a key, and a key's file is asked for",
                "Others may have seen it: make another one, and name its file",
            ) from None
        raise ConfigurationError(f"the key {path} can't be read: {error.strerror}", _MAKE) from None
    text = content.decode("ascii", "replace").strip()
    if not _KEY.fullmatch(text):
        raise ConfigurationError(
            f"the key {path} isn't {2 * KEY_BYTES} hexadecimal digits or more", _MAKE
        )
    secret = bytes.fromhex(text)
    if len({*secret}) < _LEAST_DISTINCT:
        raise ConfigurationError(f"the key {path} isn't random", _MAKE)
    return Key(secret)
