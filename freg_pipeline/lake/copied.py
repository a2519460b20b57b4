"""Folders of Parquet files that leave a store: private, whole or not there, never over others'.

A folder gets its name when all of it is written; on S3 the manifest comes last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.store import Store
from freg_pipeline.store.local import sync_to_disk
from freg_pipeline.store.scratch import scratch_beside

MANIFEST = "manifest.json"


class CopiedFile(msgspec.Struct, frozen=True):
    """A file: its name in the folder, rows, bytes, and its hash."""

    file: str
    rows: int
    bytes: int
    sha256: str


class Writer:
    """One file of Parquet, with its schema even where there are no rows.

    Args:
        path: the file, in a folder of :func:`new_place`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._rows = 0

    def add(
        self, schema: pa.Schema, batches: Collection[pa.RecordBatch] | pa.RecordBatchReader
    ) -> None:
        """Append rows of a schema: the first one's, with what it says of the columns, is kept."""
        if self._writer is None:
            self._path.touch(0o600)
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        for batch in batches:
            self._writer.write_batch(batch)
            self._rows += len(batch)

    def close(self) -> CopiedFile:
        """Finish the file. Something has been added, if no rows."""
        assert self._writer is not None  # noqa: S101
        self._writer.close()
        sync_to_disk(self._path)
        with self._path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return CopiedFile(self._path.name, self._rows, self._path.stat().st_size, digest)


def with_comments(schema: pa.Schema, comment: str, comments: Mapping[str, str]) -> pa.Schema:
    """A schema with what is meant, where whoever opens the file finds it.

    Args:
        schema: its columns.
        comment: what a row is.
        comments: what columns mean, by name; nothing: it isn't told.
    """
    fields = [
        field.with_metadata({"comment": told} if (told := comments[field.name]) else None)
        for field in schema
    ]
    return pa.schema(fields, metadata={"comment": comment})


@contextmanager
def new_place(output: Path | Store, option: str) -> Iterator[Path]:
    """A private folder to write into; what is in it is at the output once all of it is.

    Args:
        output: a folder, which mustn't be there or is empty; or a place on S3 that is.
        option: what names it, for who has to name another one.

    Raises:
        ConfigurationError: something is there already, or no folder can be made.
        OSError: the disk is full.
    """
    if isinstance(output, Path):
        with _new_folder(output.absolute(), option) as folder:
            yield folder
        return
    if output.list(""):
        raise _in_use(output.location, option)
    with output.scratch() as folder:
        yield folder
        written = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
        for path in (*written, folder / MANIFEST):
            if not output.put_file(path.name, path):  # somebody else writes there: no mixture
                raise _in_use(output.location, option)


def write_manifest(folder: Path, told: msgspec.Struct) -> None:
    """Write what tells of a folder's files, as people read it."""
    write_private(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(told), indent=2))


def write_private(path: Path, content: bytes) -> None:
    """Write a small file for its owner alone."""
    path.touch(0o600)
    path.write_bytes(content)
    sync_to_disk(path)


@contextmanager
def _new_folder(output: Path, option: str) -> Iterator[Path]:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise _in_use(str(output), option)
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_beside(output)) / "whole"
            folder.mkdir(0o700)
        except OSError as error:
            raise ConfigurationError(
                f"nothing can be written in {output.parent}: {error.strerror}",
                f"See to that folder, or correct {option}",
            ) from None
        yield folder
        sync_to_disk(folder)
        try:
            folder.rename(output)  # over an empty one, too
        except OSError:  # somebody else was quicker
            raise _in_use(str(output), option) from None
        sync_to_disk(output.parent)


def _in_use(place: str, option: str) -> ConfigurationError:
    return ConfigurationError(f"{place} holds something already", f"Name a new folder: {option}")
