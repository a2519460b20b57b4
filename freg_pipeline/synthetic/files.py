"""A population in files: columns that are mapped, documents that are packed, and what they are.

``population.json`` is written last, with the length and checksum of every other file; its first
line is its own checksum.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np

from freg_pipeline.synthetic.columns import Column, Columns
from freg_pipeline.synthetic.heap import Heap, Packed
from freg_pipeline.synthetic.population import Population

DOCUMENTS = "documents.lz4"
_ABOUT = "population.json"
_CHUNK = 1 << 22


class DamagedError(Exception):
    """The files are not what was written."""


class About(msgspec.Struct):
    """What is known of a population beside its columns.

    Attributes:
        values: what the codes of the people's columns stand for.
        said: what those of the selection stand for.
        factors: as :class:`Population` has them, in hexadecimal digits.
        state: of the random sequence.
        files: by name: length and checksum (CRC-32).
    """

    values: dict[str, list[Any]]
    said: list[list[Any]]
    factors: tuple[str, str]
    state: tuple[int, tuple[int, ...], float | None]
    files: dict[str, tuple[int, int]] = {}


def save_columns(folder: Path, kind: str, columns: Mapping[str, Column]) -> None:
    """Write columns, a file each."""
    for name, column in columns.items():
        np.save(folder / f"{kind}-{name}.npy", column, allow_pickle=False)


def load_columns(folder: Path, kind: str) -> dict[str, Column]:
    """Map columns that :func:`save_columns` wrote."""
    return {
        path.stem.removeprefix(f"{kind}-"): np.load(path, mmap_mode="r", allow_pickle=False)
        for path in sorted(folder.glob(f"{kind}-*.npy"))
    }


def save(folder: Path, about: About) -> None:
    """Say that all files are there."""
    about.files = {
        path.name: (path.stat().st_size, checksum(path)) for path in sorted(folder.iterdir())
    }
    content = msgspec.json.encode(about)
    (folder / _ABOUT).write_bytes(_own_checksum(content) + content)


def load(folder: Path) -> Population:
    """Open a population.

    Raises:
        DamagedError: some of it isn't as it was written.
    """
    about = _about(folder)
    for name, (length, check) in about.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != length or checksum(path) != check:
            raise DamagedError
    blocks = load_columns(folder, "blocks")
    others = load_columns(folder, "register")
    random = Random()
    random.setstate(about.state)
    return Population(
        people=Columns(load_columns(folder, "people"), values_of(about.values)),
        documents=load_columns(folder, "documents"),
        events=load_columns(folder, "events"),
        current=others["current"],
        selection=others["selection"],
        said=about.said,
        factors=(int(about.factors[0], 16), int(about.factors[1], 16)),
        random=random,
        heap=Heap(Packed(folder / DOCUMENTS, blocks["ends"])),
    )


def _about(folder: Path) -> About:
    try:
        own, content = (folder / _ABOUT).read_bytes().split(b"\n", 1)
    except (OSError, ValueError):
        raise DamagedError from None
    if own + b"\n" != _own_checksum(content):
        raise DamagedError
    return msgspec.json.decode(content, type=About)


def _own_checksum(content: bytes) -> bytes:
    return b"%08x\n" % zlib.crc32(content)


def values_of(values: Mapping[str, Iterable[Any]]) -> dict[str, Sequence[Any]]:
    """What codes stand for, as it was before it was written: tuples come back as lists."""
    return {
        name: [tuple(one) if isinstance(one, list) else one for one in of_one]
        for name, of_one in values.items()
    }


def checksum(path: Path) -> int:
    """Of a file's content (CRC-32)."""
    check = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            check = zlib.crc32(chunk, check)
    return check
