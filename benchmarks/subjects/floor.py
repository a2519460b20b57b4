"""The floor: parse without output by simdjson, and write the finished Arrow tables.

No program that reads this JSON and writes these files can do less.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import simdjson

from benchmarks.subjects import freg


def prepare(answers: list[Path]) -> list[tuple[str, pa.Table]]:
    with tempfile.TemporaryDirectory() as folder:
        freg.run(answers, Path(folder), freg.prepare(answers))
        return [(path.name, pq.read_table(path)) for path in sorted(Path(folder).iterdir())]


def run(answers: list[Path], folder: Path, prepared: list[tuple[str, pa.Table]]) -> int:
    parser = simdjson.Parser()
    persons = 0
    for path in answers:
        document = parser.parse(path.read_bytes())
        persons += len(document["oppslag"])
        del document  # simdjson reuses its buffers, and wants nobody to hold them
    for name, table in prepared:
        pq.write_table(
            table, folder / name, compression="zstd", compression_level=1, use_dictionary=False
        )
    return persons
