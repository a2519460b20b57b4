"""The floor: what nobody who brings this register into Parquet can do without, on the same data.

Every answer is received, packed as it is kept, and parsed without output; every table file of the
release is written once more from its finished rows, in its own form. ``python -m
benchmarks.large.floor STORE`` prints CPU seconds of each as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import simdjson

from benchmarks.large.stages import PARTS
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore

_zstd = pa.Codec("zstd", compression_level=3)


def floor(store: Store, scratch: Path) -> dict[str, float]:
    """CPU seconds by part."""
    pa.set_cpu_count(1)
    spent = dict.fromkeys(PARTS, 0.0)
    parser, here, there = simdjson.Parser(), *socket.socketpair()
    for body in _answers(store):
        sender = threading.Thread(target=there.sendall, args=(body,))
        sender.start()
        received = bytearray(len(body))
        began = time.thread_time()
        _receive(here, received)
        spent["receive"] += time.thread_time() - began
        sender.join()
        began = time.thread_time()
        _zstd.compress(body, asbytes=True)
        spent["zstd"] += time.thread_time() - began
        began = time.thread_time()
        document = parser.parse(body)
        spent["simdjson"] += time.thread_time() - began
        del document  # simdjson uses its buffers again, and wants nobody to hold them
    for file in _files(store):
        table, form = pq.read_table(file), form_of(pq.ParquetFile(file))
        began = time.process_time()
        pq.write_table(table, scratch / "floor.parquet", **form)
        spent["parquet"] += time.process_time() - began
    return spent


def _receive(connection: socket.socket, into: bytearray) -> None:
    left = memoryview(into)
    while left:
        left = left[connection.recv_into(left) :]


def _answers(store: Store) -> Iterator[bytes]:
    uttrekk = next(one for one in Uttrekk.list_all(store) if one.kind.is_job)
    for batch in uttrekk.batches():
        for answer in uttrekk.answers(batch):
            yield answer.body


def _files(store: Store) -> Iterator[str]:
    for table in require_current(store).tables.values():
        for file in table.files:
            yield str(Path(store.location) / file.key)


def form_of(file: pq.ParquetFile) -> dict[str, Any]:
    """How a file was written: codecs, dictionaries and encodings, as its footer tells them."""
    group = file.metadata.row_group(0) if file.metadata.num_row_groups else None
    columns = [] if group is None else [group.column(n) for n in range(group.num_columns)]
    return {
        "compression": {one.path_in_schema: _codec(one.compression) for one in columns} or "zstd",
        "use_dictionary": [
            one.path_in_schema for one in columns if "RLE_DICTIONARY" in one.encodings
        ],
        "column_encoding": {
            one.path_in_schema: "DELTA_BINARY_PACKED"
            for one in columns
            if "DELTA_BINARY_PACKED" in one.encodings
        },
    }


def _codec(name: str) -> str:
    return "none" if name == "UNCOMPRESSED" else name.lower()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(json.dumps(floor(LocalStore(folder), folder.parent)))
