"""The ways in which an object is damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_HEAD, _TAIL = 0.02, 0.98


def _flip(share: float) -> Callable[[Path, bytes], bytes]:
    def flipped(path: Path, content: bytes) -> bytes:
        del path
        data = bytearray(content)
        if data:
            # In the low half of a byte: what is text stays text, which is harder to tell.
            data[min(int(len(data) * share), len(data) - 1)] ^= 4
        return bytes(data)

    return flipped


def _cut(path: Path, content: bytes) -> bytes:
    del path
    return content[: len(content) * 2 // 3]


def _emptied(path: Path, content: bytes) -> bytes:
    del path, content
    return b""


def _swapped(path: Path, content: bytes) -> bytes:
    """What lies under another name of the same sort: whole, and not what the name says."""
    others = sorted(
        one
        for folder in (path.parent, path.parent.parent)
        for one in folder.rglob(f"*{path.suffix}")
        if one != path and one.is_file() and _sort(one) == _sort(path)
    )
    found = (one.read_bytes() for one in others)
    return next((one for one in found if one and one != content), content)


def _sort(path: Path) -> tuple[str, ...]:
    """What a name tells, without its numbers and the like."""
    plain = path.name.strip("0123456789")
    return (plain if plain != path.suffix else path.parent.parent.name,)


_CHANGES: dict[str, Callable[[Path, bytes], bytes]] = {
    "bit at the start": _flip(_HEAD),
    "bit in the middle": _flip(0.5),
    "bit at the end": _flip(_TAIL),
    "cut short": _cut,
    "emptied": _emptied,
    "swapped": _swapped,
}
DELETED = "deleted"
HARMS = (*_CHANGES, DELETED)


def damage(path: Path, harm: str) -> bytes | None:
    """Damage a file.

    Args:
        path: which.
        harm: how, one of ``HARMS``.

    Returns:
        What it holds since; None: it is gone.

    Raises:
        LookupError: it can't be damaged so: it is empty, or there is no other of its sort.
    """
    content = path.read_bytes()
    path.unlink()  # its content may be another folder's too
    if harm == DELETED:
        return None
    changed = _CHANGES[harm](path, content)
    path.write_bytes(changed)
    path.chmod(0o600)
    if changed == content:
        raise LookupError(harm)
    return changed
