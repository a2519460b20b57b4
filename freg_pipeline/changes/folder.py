"""A set of changes as files: two of Parquet a table, and a manifest that tells what they are.

All of it is private to its owner, and there when it is whole: a folder gets its name then; on S3
the manifest comes last.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.changes.difference import Changes, TableChanges
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.store import Store
from freg_pipeline.store.local import sync_to_disk

FORMAT = 1
MANIFEST = "manifest.json"


class ChangedFile(msgspec.Struct, frozen=True):
    """A file: its name in the folder, rows, bytes, and its hash."""

    file: str
    rows: int
    bytes: int
    sha256: str


class ChangedTable(msgspec.Struct, frozen=True):
    """A table's files: values of its key whose rows go, and the rows that come.

    Attributes:
        key: the column that ``deletes`` are values of; None: there are none.
        whole: all rows that the copy has go.
        columns: the table's, with DuckDB's types.
        deletes: values of the key.
        upserts: rows.
    """

    key: str | None
    whole: bool
    columns: dict[str, str]
    deletes: ChangedFile | None
    upserts: ChangedFile


class State(msgspec.Struct, frozen=True):
    """A state: the release that shows it, the event list's position, and the contract."""

    release: str
    sekvensnummer: int
    contract: str


class ChangeSet(
    msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}
):
    """What a folder of changes holds.

    Attributes:
        format: of this manifest and the files.
        created: when (UTC).
        before: the state that a copy must have; None: it is empty.
        after: the state that it has afterwards. Its release is what the next set follows.
        tables: by name.
    """

    format: int = FORMAT
    created: datetime
    before: State | None
    after: State
    tables: dict[str, ChangedTable]


def write_changes(found: Changes, output: Path | Store, tables: Collection[str] = ()) -> ChangeSet:
    """Write what has changed.

    Args:
        found: it.
        output: a folder, which mustn't be there or is empty; or a place on S3 that is.
        tables: these only; none: all.

    Raises:
        ConfigurationError: there is no such table, or something is there already, or no folder can
            be made.
        OSError: the disk is full.
    """
    if isinstance(output, Path):
        with _new_folder(output) as folder:
            return _write(found, folder, tables)
    if output.list(""):
        raise _in_use(output.location)
    with output.scratch() as folder:
        written = _write(found, folder, tables)
        for path in sorted(folder.glob("*.parquet")):
            output.put_file(path.name, path)
        output.write(MANIFEST, (folder / MANIFEST).read_bytes())
    return written


def _write(found: Changes, folder: Path, tables: Collection[str]) -> ChangeSet:
    written = ChangeSet(
        created=datetime.now(UTC),
        before=None if found.before is None else _state(found.before),
        after=_state(found.after),
        tables={one.name: _table(one, folder) for one in found.of(tables)},
    )
    (folder / MANIFEST).touch(0o600)
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=2))
    return written


def _state(manifest: Manifest) -> State:
    return State(manifest.number, manifest.positions()[-1], manifest.contract)


def _table(changed: TableChanges, folder: Path) -> ChangedTable:
    deletes, upserts = (
        _Writer(folder, f"{changed.name}.{what}") for what in ("deletes", "upserts")
    )
    for part in changed.parts:
        if changed.key is not None:
            deletes.add(part.deletes.schema, part.deletes.to_batches())
        upserts.add(part.upserts.schema, part.upserts)
    return ChangedTable(
        changed.key,
        changed.whole,
        changed.columns,
        None if changed.key is None else deletes.close(),
        upserts.close(),
    )


class _Writer:
    """One file of Parquet, with its schema even where there are no rows."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.parquet"
        self._writer: pq.ParquetWriter | None = None
        self._rows = 0

    def add(
        self, schema: pa.Schema, batches: Collection[pa.RecordBatch] | pa.RecordBatchReader
    ) -> None:
        if self._writer is None:
            self._path.touch(0o600)
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        for batch in batches:
            self._writer.write_batch(batch)
            self._rows += len(batch)

    def close(self) -> ChangedFile:
        assert self._writer is not None  # noqa: S101  each table has a part
        self._writer.close()
        sync_to_disk(self._path)
        with self._path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return ChangedFile(self._path.name, self._rows, self._path.stat().st_size, digest)


@contextmanager
def _new_folder(output: Path) -> Iterator[Path]:
    """A private folder that gets its name when it is whole, and is gone when it isn't."""
    output = output.absolute()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise _in_use(str(output))
    try:
        folder = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name[:100]}."))  # 0700
    except OSError as error:
        raise ConfigurationError(
            f"nothing can be written beside {output}: {error.strerror}", "Correct --output"
        ) from None
    try:
        yield folder
        sync_to_disk(folder)
        try:
            folder.rename(output)  # over an empty one, too
        except OSError:  # somebody else was quicker
            raise _in_use(str(output)) from None
        sync_to_disk(output.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_use(place: str) -> ConfigurationError:
    return ConfigurationError(f"{place} holds something already", "Name a new folder: --output")
