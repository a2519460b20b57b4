"""dlt with its normal settings: documents in, nested tables as Parquet files out."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def prepare(answers: list[Path]) -> None:
    del answers
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    importlib.import_module("dlt")  # imports aren't measured


def run(answers: list[Path], folder: Path, prepared: None) -> int:
    del prepared
    import dlt

    persons = 0

    @dlt.resource(name="person")
    def people() -> Iterator[list[dict[str, Any]]]:
        nonlocal persons
        for path in answers:
            page = [one["folkeregisterperson"] for one in json.loads(path.read_bytes())["oppslag"]]
            persons += len(page)
            yield page

    pipeline = dlt.pipeline(
        "benchmark",
        destination=dlt.destinations.filesystem(bucket_url=folder.as_uri()),
        dataset_name="persons",
        pipelines_dir=str(folder / "dlt"),
    )
    pipeline.run(people, loader_file_format="parquet").raise_on_failed_jobs()
    return persons
