"""Whether a release's files are as they were written."""

from __future__ import annotations

import hashlib

import pyarrow.parquet as pq

from freg_pipeline.journal.manifest import TableFile, read_manifest, require_current
from freg_pipeline.store import Store


def verify(store: Store, number: str | None = None) -> list[str]:
    """Return a line for each file of a release that is not as it was written.

    Args:
        store: where it lies.
        number: which release; None: the current one.

    Raises:
        ConfigurationError: there is no such release.
    """
    manifest = require_current(store) if number is None else read_manifest(store, number)
    found = [(file.key, _problem(store, file)) for file in manifest.files()]
    return [f"{key}: {problem}" for key, problem in found if problem]


def _problem(store: Store, file: TableFile) -> str | None:
    try:
        with store.filesystem.open_input_stream(store.path(file.key)) as stream:
            digest = hashlib.sha256()
            size = 0
            while piece := stream.read(1 << 20):
                digest.update(piece)
                size += len(piece)
    except FileNotFoundError:
        return "it is gone"
    if size != file.bytes:
        return f"it has {size} bytes, and was written with {file.bytes}"
    if digest.hexdigest() != file.sha256:
        return "its content has changed"
    with store.filesystem.open_input_file(store.path(file.key)) as opened:
        rows = pq.ParquetFile(opened).metadata.num_rows
    return None if rows == file.rows else f"it has {rows} rows, and was written with {file.rows}"
