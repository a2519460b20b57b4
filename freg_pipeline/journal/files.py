"""What is recorded of a file as it was written. Nothing heavy is imported: manifests hold it."""

from __future__ import annotations

import msgspec


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was written.

    Attributes:
        rows: how many.
        bytes: how many.
        sha256: of all bytes.
        footer: the first 16 hexadecimal digits of the SHA-256 of its footer.
    """

    rows: int
    bytes: int
    sha256: str
    footer: str
