"""Files of tables on S3, found by what a manifest knows of them.

Whoever looks for a file on S3 asks for its size first, and for its footer. A manifest knows which
files there are and how large they are, and the contract what columns they have: so nothing is asked
for before rows are, and a small file is fetched as a whole.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem  # type: ignore[import-untyped]
from pyarrow.fs import FSSpecHandler, PyFileSystem

from freg_pipeline.journal.manifest import TableFile
from freg_pipeline.store import Store
from freg_pipeline.store.remembered import WHOLE_BYTES


class KnownFiles(AbstractFileSystem):  # type: ignore[misc]
    """Files whose paths and sizes are known, for those who read by fsspec.

    Args:
        sizes: of each path.
        opened: opens one of them.
    """

    protocol = "s3"
    cachable = False

    def __init__(self, sizes: Mapping[str, int], opened: Callable[[str], Any]) -> None:
        super().__init__()
        self._sizes = sizes
        self._opened = opened

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """What is known of one. Raises FileNotFoundError."""
        name = self._strip_protocol(path)
        if name not in self._sizes:
            raise FileNotFoundError(name)
        return {"name": name, "size": self._sizes[name], "type": "file"}

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:  # noqa: FBT001, FBT002
        """The file itself: there are no folders."""
        found = self.info(path)
        return [found] if detail else [found["name"]]

    def modified(self, path: str) -> datetime:
        """Once for all: files are never changed."""
        self.info(path)
        return datetime.fromtimestamp(0, UTC)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> BinaryIO:
        del mode
        opened: BinaryIO = self._opened(self.info(path)["name"])
        return opened


def dataset(store: Store, files: Iterable[TableFile], schema: pa.Schema) -> ds.Dataset:
    """Files of one table, to be read when rows are asked for.

    Args:
        store: on S3.
        files: which.
        schema: their columns.
    """
    files = [*files]
    known = {store.path(file.key): file for file in files}
    small = PyFileSystem(
        FSSpecHandler(
            KnownFiles(
                {path: file.bytes for path, file in known.items()},
                lambda path: store.open_file(known[path].key, known[path].bytes),
            )
        )
    )
    parquet = ds.ParquetFileFormat()
    fragments = [
        parquet.make_fragment(
            path,
            filesystem=small if file.bytes <= WHOLE_BYTES else store.filesystem,
            file_size=file.bytes,
        )
        for path, file in known.items()
    ]
    return ds.FileSystemDataset(fragments, schema, parquet)


def without_rows(store: Store, schemas: Mapping[str, pa.Schema]) -> KnownFiles:
    """Files of these columns and no rows, under the keys of files that lie on S3.

    A view is bound to its files' columns when it is made; what else they hold isn't asked for.
    """
    made: dict[str, bytes] = {}
    by_schema: dict[int, bytes] = {}
    for key, schema in schemas.items():
        if id(schema) not in by_schema:
            sink = pa.BufferOutputStream()
            pq.write_table(schema.empty_table(), sink, store_schema=False)
            by_schema[id(schema)] = sink.getvalue().to_pybytes()
        made[store.path(key)] = by_schema[id(schema)]
    sizes = {path: len(content) for path, content in made.items()}
    return KnownFiles(sizes, lambda path: io.BytesIO(made[path]))
