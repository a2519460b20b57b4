"""A base's tables for readers of Iceberg: each table's metadata at its own place, and a catalogue.

pyiceberg's ``add_files`` reads each file's footer and keeps the bounds of its columns, which are
somebody's numbers and names. So manifests are written by what it is made of, from what a release
knows of its files. All names follow from the release's number, so that whoever does it again, or at
the same time, writes the same: Avro's marker between blocks, which is random, is put in its place.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.io import InputFile, OutputFile
from pyiceberg.io.pyarrow import pyarrow_to_schema
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    write_manifest,
    write_manifest_list,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadataV2
from pyiceberg.table.snapshots import Operation, Snapshot, Summary
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.typedef import Record
from sqlalchemy.orm import Session

from freg_pipeline.journal.registered import FOLDER
from freg_pipeline.lake.columns_told import COMMENT
from freg_pipeline.lake.open_tables import OpenState, OpenTable, digest_of
from freg_pipeline.store import Store
from freg_pipeline.store.overlap import Overlap

NAMESPACE = "freg"
CATALOGUE = f"{FOLDER}/iceberg/catalogue.db"
_HINT = "version-hint.text"
_FORMAT: Literal[2] = 2
_MARKER_BYTES = 16


def write_tables(
    store: Store, state: OpenState, before: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Write each table's metadata, and the catalogue last, in place of what is there.

    Returns:
        Where the tables are opened; what was written, with its SHA-256.
    """
    del before
    objects: dict[str, str] = {}
    with Overlap(store) as overlap:
        for table in state.tables:
            told, place = _Metadata(state, table), _place(table)
            files = [(f"{place}/{name}", content) for name, content in told.files()]
            objects.update((key, digest_of(content)) for key, content in files)
            overlap.begin(partial(_write, store, files))
    with store.scratch() as folder:
        content = _catalogue(folder, state)
    store.replace(CATALOGUE, content)
    store.open_to_readers()
    objects[CATALOGUE] = digest_of(content)
    return {table.name: f"{state.root}/{_place(table)}" for table in state.tables}, objects


def _write(store: Store, files: list[tuple[str, bytes]]) -> None:
    for key, content in files:
        store.replace(key, content)


def clear_tables(store: Store, state: OpenState) -> None:
    """Remove the metadata of all states before this one but the latest.

    Of states after it others tell, who do so at the same time.
    """
    keys = [key for key in store.list(f"{FOLDER}/iceberg/{NAMESPACE}/") if not key.endswith(_HINT)]
    numbers = sorted({_release(key) for key in keys})
    up_to = [number for number in numbers if state.erased <= number <= int(state.release)]
    kept = {*up_to[-2:], *(number for number in numbers if number > int(state.release))}
    there = {table.name for table in state.tables}
    gone = {key for key in keys if _release(key) not in kept}
    dropped = {
        f"{FOLDER}/iceberg/{NAMESPACE}/{name}/metadata/{_HINT}"
        for name in {key.split("/")[3] for key in keys} - there
    }
    store.delete_all(sorted(gone | dropped))


def _place(table: OpenTable) -> str:
    return f"{FOLDER}/iceberg/{NAMESPACE}/{table.name}"


def _release(key: str) -> int:
    """The release that an object's name tells: ``v12.metadata.json``, ``12.avro``."""
    digits = key.rpartition("/")[2].partition(".")[0].lstrip("v").removeprefix("snap-")
    return int(digits)


class _Metadata:
    """What tells of one table."""

    def __init__(self, state: OpenState, table: OpenTable) -> None:
        self._state = state
        self._table = table
        self._number = int(state.release)
        self._location = f"{state.root}/{_place(table)}"
        self._schema: Schema = pyarrow_to_schema(_documented(table))

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Their names beneath the table's place, and contents; what is opened first comes last."""
        manifest = self._output(f"metadata/{self._number}.avro")
        listed = self._manifest(manifest)
        manifests = self._output(f"metadata/snap-{self._number}.avro")
        with write_manifest_list(
            _FORMAT, manifests, self._number, None, self._number, "deflate"
        ) as writer:
            writer.add_manifests([listed])
        for one in (manifest, manifests):
            yield one.location.removeprefix(f"{self._location}/"), one.content
        metadata = self._metadata(manifests.location).model_dump_json(exclude_none=True)
        yield f"metadata/v{self._number}.metadata.json", metadata.encode()
        yield f"metadata/{_HINT}", str(self._number).encode()

    def _output(self, name: str) -> _Kept:
        return _Kept(f"{self._location}/{name}")

    def _manifest(self, output: _Kept) -> ManifestFile:
        with write_manifest(
            _FORMAT, UNPARTITIONED_PARTITION_SPEC, self._schema, output, self._number, "deflate"
        ) as writer:
            for file in self._table.files:
                data = DataFile.from_args(
                    _table_format_version=_FORMAT,
                    content=DataFileContent.DATA,
                    file_path=f"{self._state.root}/{file.key}",
                    file_format=FileFormat.PARQUET,
                    partition=Record(),
                    record_count=file.rows,
                    file_size_in_bytes=file.bytes,
                )
                writer.add_entry(
                    ManifestEntry.from_args(
                        status=ManifestEntryStatus.ADDED, snapshot_id=self._number, data_file=data
                    )
                )
        return writer.to_manifest_file()

    def _metadata(self, manifests: str) -> TableMetadataV2:
        state, files = self._state, self._table.files
        snapshot = Snapshot(
            snapshot_id=self._number,
            sequence_number=self._number,
            timestamp_ms=state.created,
            manifest_list=manifests,
            schema_id=self._schema.schema_id,
            summary=Summary(
                Operation.APPEND,
                **{
                    "total-records": str(sum(file.rows for file in files)),
                    "total-data-files": str(len(files)),
                },
            ),
        )
        return TableMetadataV2(
            location=self._location,
            table_uuid=uuid.uuid5(uuid.NAMESPACE_URL, self._location),
            last_updated_ms=state.created,
            last_sequence_number=self._number,
            last_column_id=self._schema.highest_field_id,
            schemas=[self._schema],
            current_schema_id=self._schema.schema_id,
            partition_specs=[UNPARTITIONED_PARTITION_SPEC],
            default_spec_id=UNPARTITIONED_PARTITION_SPEC.spec_id,
            last_partition_id=999,  # of none: those that there are begin at 1000
            sort_orders=[UNSORTED_SORT_ORDER],
            default_sort_order_id=UNSORTED_SORT_ORDER.order_id,
            properties=self._properties(),
            snapshots=[snapshot],
            current_snapshot_id=self._number,
        )

    def _properties(self) -> dict[str, str]:
        """What people read of the table, and the columns of files that have no numbers yet."""
        return {
            "comment": self._table.comment,
            "freg.release": self._state.release,
            "freg.sekvensnummer": str(self._state.sekvensnummer),
            "freg.state": "the last full load or compaction; syncs since then aren't in it",
            "schema.name-mapping.default": self._schema.name_mapping.model_dump_json(),
        }


def _documented(table: OpenTable) -> Any:
    """The columns with their comments where pyiceberg looks for them."""
    schema = table.schema
    for place, field in enumerate(schema):
        told = field.metadata or {}
        if COMMENT in told:
            schema = schema.set(place, field.with_metadata({**told, b"doc": told[COMMENT]}))
    return schema


def _catalogue(folder: Path, state: OpenState) -> bytes:
    """A catalogue of pyiceberg's in SQLite, that names each table's metadata."""
    path = folder / "catalogue.db"
    path.touch(0o600)
    catalogue = SqlCatalog(NAMESPACE, uri=f"sqlite:///{path}", warehouse=f"{state.root}/{FOLDER}")
    with closing(catalogue):
        catalogue.create_namespace(NAMESPACE)
        with Session(catalogue.engine) as session:
            for table in state.tables:
                name = f"v{int(state.release)}.metadata.json"
                session.add(
                    IcebergTables(
                        catalog_name=NAMESPACE,
                        table_namespace=NAMESPACE,
                        table_name=table.name,
                        metadata_location=f"{state.root}/{_place(table)}/metadata/{name}",
                        previous_metadata_location=None,
                    )
                )
            session.commit()
    return path.read_bytes()


class _Kept(OutputFile):
    """A file of pyiceberg's that stays in memory; where it will lie is known already."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.content = b""

    def __len__(self) -> int:
        return len(self.content)

    def exists(self) -> bool:
        """It is made anew."""
        return False

    def to_input_file(self) -> InputFile:
        """Nobody reads it here."""
        raise NotImplementedError

    def create(self, overwrite: bool = False) -> io.BytesIO:  # noqa: FBT001, FBT002  theirs
        """What is written is kept when it is closed."""
        del overwrite
        return _Stream(self)


class _Stream(io.BytesIO):
    def __init__(self, target: _Kept) -> None:
        super().__init__()
        self._target = target

    def close(self) -> None:
        if not self.closed:
            self._target.content = _marked(self.getvalue(), self._target.location)
        super().close()


def _marked(content: bytes, location: str) -> bytes:
    """An Avro file with the marker that follows from where it lies, in place of a random one.

    The marker stands at the end of the header and of each block, and so at the file's end.
    """
    marker = content[-_MARKER_BYTES:]
    return content.replace(marker, hashlib.sha256(location.encode()).digest()[:_MARKER_BYTES])
