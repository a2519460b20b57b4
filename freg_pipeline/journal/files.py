"""What is recorded of a file as it was written. Nothing heavy is imported: manifests hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from freg_pipeline.errors import DamagedError

if TYPE_CHECKING:
    from freg_pipeline.store import Store

_RELEASE_REMEDY = (
    "Restore it from a copy, or make an earlier release current (freg release restore NUMBER), "
    "or a new full load"
)
_STAGING_REMEDY = "Run the command again: it is made again"


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


def damaged(store: Store, key: str, how: Literal["damaged", "gone"] = "damaged") -> DamagedError:
    """What to raise of an object that isn't as it was written."""
    remedy = _STAGING_REMEDY if key.startswith("uttrekk/") else _RELEASE_REMEDY
    return DamagedError(key, store.location, remedy, how)
