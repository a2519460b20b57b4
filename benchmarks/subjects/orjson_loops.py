"""orjson and loops: what an engineer writes in an afternoon. All values stay as JSON has them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq


def prepare(answers: list[Path]) -> None:
    del answers


def run(answers: list[Path], folder: Path, prepared: None) -> int:
    del prepared
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    persons = 0
    for path in answers:
        for answer in orjson.loads(path.read_bytes())["oppslag"]:
            persons += 1
            person = answer["folkeregisterperson"]
            number = person["identifikasjonsnummer"][0]["foedselsEllerDNummer"]
            for entity, rows in person.items():
                for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
                    keys = {"personidentifikator": number, "rad_nr": index}
                    flatten(tables, entity, keys, row)
    for name, rows in tables.items():
        columns = {column: None for row in rows for column in row}
        table = pa.table({column: [row.get(column) for row in rows] for column in columns})
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    return persons


def flatten(
    tables: dict[str, list[dict[str, Any]]], name: str, keys: dict[str, Any], row: dict[str, Any]
) -> None:
    flat = dict(keys)
    pending = [("", row)]
    while pending:
        prefix, values = pending.pop()
        for field, value in values.items():
            if isinstance(value, dict):
                pending.append((f"{prefix}{field}_", value))
            elif isinstance(value, list) and value and isinstance(value[0], dict):
                for index, inner in enumerate(value):
                    flatten(tables, f"{name}__{field}", {**keys, "element_nr": index}, inner)
            else:
                flat[f"{prefix}{field}"] = str(value) if isinstance(value, int) else value
    tables[name].append(flat)
