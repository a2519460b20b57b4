"""Which identity numbers a store holds anywhere, in whatever form they were written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.journal.raw import unpack

# Eleven digits, as the synthetic register's persons have them, and nothing beside them.
_NUMBER = re.compile(rb"(?<![0-9a-fA-F.:])\d{11}(?![0-9a-fA-F.:])")


def numbers_held(folder: str) -> dict[str, set[str]]:
    """By file, the numbers in it. Counts and hashes that look like one are in no file of ours."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            key = str(path.relative_to(folder))
            numbers = {
                number.decode() for text in _texts(path, key) for number in _NUMBER.findall(text)
            }
            if numbers:
                found[key] = numbers
    return found


def _texts(path: Path, key: str) -> Iterator[bytes]:
    if path.suffix == ".zst":
        yield unpack(path.read_bytes(), key, "")[1]
    elif path.suffix == ".parquet":
        table = pq.read_table(path)
        for column in table.columns:
            if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
                for text in column.cast(pa.string()).drop_null().to_pylist():
                    yield text.encode()
    elif path.suffix in {".json", ".txt"}:
        yield path.read_bytes()
