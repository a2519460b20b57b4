"""Where numbers stand in a store: every object, unpacked, in whatever form they are written.

Nothing of the erasure's own code is used: what it doesn't know to look for is found here.
"""

from __future__ import annotations

import datetime
import io
import re
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.journal.raw import read_raw
from freg_pipeline.lake.landing import LandedBatch
from freg_pipeline.store import read_record
from freg_pipeline.store.local import LocalStore

_DIGITS = re.compile(rb"\d{10,11}")


def found_in(root: Path, numbers: set[str]) -> dict[str, set[str]]:
    """The objects of a local store that hold any of the numbers, each with the forms found."""
    store = LocalStore(root)
    wanted = {number.encode() for number in numbers}
    whole = {int(number) for number in numbers}
    found: dict[str, set[str]] = {}
    for path in sorted(one for one in root.rglob("*") if one.is_file()):
        key = path.relative_to(root).as_posix()
        texts = [*_texts(store, path, key)]
        forms = {form for form, text in texts if _holds(text, wanted)}
        forms |= {"whole" for _, text in texts if _holds_whole(text, whole)}
        forms |= {form for form, value in _cells(store, path, key) if _is(value, wanted, whole)}
        if forms:
            found[key] = forms
    return found


def _holds(text: bytes, wanted: set[bytes]) -> bool:
    if any(one in text for one in wanted):
        return True
    # One that begins with zero may stand there as a whole number.
    if not any(one[1:] in text for one in wanted if one.startswith(b"0")):
        return False
    return not wanted.isdisjoint(one.zfill(11) for one in _DIGITS.findall(text) if len(one) == 10)


def _holds_whole(text: bytes, whole: set[int]) -> bool:
    """Whether a number's eight bytes are in it, in either order."""
    return any(one.to_bytes(8, order) in text for one in whole for order in ("little", "big"))


def _is(value: Any, wanted: set[bytes], whole: set[int]) -> bool:
    if isinstance(value, bool | datetime.date):
        return False
    if isinstance(value, int):
        return value in whole
    if isinstance(value, float | Decimal):
        return value == value and value == int(value) and int(value) in whole
    if isinstance(value, dict):
        return any(_is(one, wanted, whole) for one in value.values())
    if isinstance(value, list | tuple):
        return any(_is(one, wanted, whole) for one in value)
    if isinstance(value, bytes):
        return _holds(value, wanted)
    return isinstance(value, str) and _holds(value.encode(), wanted)


def _texts(store: LocalStore, path: Path, key: str) -> Iterator[tuple[str, bytes]]:
    yield "name", key.encode()
    yield "bytes", path.read_bytes()
    if path.suffix == ".zst":
        yield "unpacked", read_raw(store, key)[1]
    if path.suffix == ".avro":
        yield from (("unpacked", block) for block in _blocks(path.read_bytes()))


def _blocks(content: bytes) -> Iterator[bytes]:
    """The blocks of an Avro file, as Iceberg's manifests are: deflated, between its marks."""
    mark = content[-16:]
    assert content.startswith(b"Obj\x01")
    assert b"avro.codec" in content
    _, *blocks = content.split(mark)
    for block in (one for one in blocks if one):
        rest = io.BytesIO(block)
        for _ in ("objects", "bytes"):
            while rest.read(1)[0] & 0x80:
                pass
        yield zlib.decompress(rest.read(), -zlib.MAX_WBITS)


def _cells(store: LocalStore, path: Path, key: str) -> Iterator[tuple[str, Any]]:
    if path.suffix == ".parquet":
        yield from _parquet(path)
    elif path.name == "tables.arrow":
        yield from _packed(store, path, key)
    elif path.suffix == ".arrow":
        with pa.ipc.open_stream(path.read_bytes()) as stream:
            yield from _table(stream.read_all())
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                for row in connection.execute(f'FROM "{name}"').fetchall():
                    yield "catalogue", row


def _parquet(path: Path) -> Iterator[tuple[str, Any]]:
    file = pq.ParquetFile(path)
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            told = file.metadata.row_group(group).column(column).statistics
            if told is not None and told.has_min_max:
                yield "statistics", (told.min, told.max)
    yield from _table(file.read())


def _packed(store: LocalStore, path: Path, key: str) -> Iterator[tuple[str, Any]]:
    content = path.read_bytes()
    landed = read_record(store, key.replace("tables.arrow", "done.json"), LandedBatch)
    for table in landed.tables.values():
        stretches = (table.head, *table.parts)
        stream = b"".join(content[one.start : one.start + one.bytes] for one in stretches)
        with pa.ipc.open_stream(stream) as reader:
            yield from _table(reader.read_all())


def _table(rows: pa.Table) -> Iterator[tuple[str, Any]]:
    for name in rows.column_names:
        for value in (
            rows[name].unique().to_pylist() if _is_flat(rows[name].type) else rows[name].to_pylist()
        ):
            yield "cell", value


def _is_flat(kind: pa.DataType) -> bool:
    return not pa.types.is_nested(kind)
