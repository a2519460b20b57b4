"""A base's tables for readers of Delta: a log beside each table's files, in the base itself.

Delta's readers find files beneath the table's folder only (delta-rs, and so polars, know neither
absolute paths nor ``..``), so the log lies where they are: a base is one version of one table, goes
as a whole when it is purged, and works wherever the store is moved.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from deltalake import CommitProperties, Schema
from deltalake.transaction import AddAction, create_table_with_add_actions

from freg_pipeline.lake.columns_told import COMMENT
from freg_pipeline.lake.open_tables import OpenState, OpenTable, digest_of, is_whole
from freg_pipeline.store import Store
from freg_pipeline.store.overlap import Overlap

logger = logging.getLogger(__name__)

_LOG = "_delta_log/00000000000000000000.json"
_LINE = msgspec.json.Decoder(dict[str, dict[str, Any]])


def write_tables(
    store: Store, state: OpenState, before: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Write each table's log, unless it is there as it was written.

    A table of several buckets of which some were written anew, for persons who were erased, lies in
    two folders until the next base: no log reaches both.

    Returns:
        Where the tables are opened; the logs with their SHA-256.
    """
    found: dict[str, str] = {}
    logs: dict[str, str] = {}
    with Overlap(store) as overlap:
        for table in state.tables:
            place = _place(table)
            if place is None:
                logger.warning("%s isn't there for Delta until the next new base", table.name)
                continue
            found[table.name] = f"{state.root}/{place}"
            key = f"{place}/{_LOG}"
            if is_whole(store, key, before.get(key)):
                logs[key] = before[key]
                continue
            with store.scratch() as folder:
                log = _log(folder, state, table)
            overlap.begin(partial(_put, store, key, log, logs))
    store.open_to_readers()
    return found, logs


def _put(store: Store, key: str, log: bytes, logs: dict[str, str]) -> None:
    """Write a log, and note its SHA-256; one of another process that tells the same stays."""
    if not store.write(key, log):
        there = store.read(key)
        if _meaning(there) == _meaning(log):
            log = there
        else:
            store.replace(key, log)
    logs[key] = digest_of(log)


def _meaning(log: bytes) -> list[Any]:
    """What readers go by in a log: not who wrote it when, nor how it is described."""
    try:
        lines = [_LINE.decode(one) for one in log.split(b"\n") if one]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    for told in (told for line in lines for told in line.values()):
        for name in ("id", "createdTime", "description", "modificationTime"):
            told.pop(name, None)
    return [line for line in lines if line.keys() != {"commitInfo"}]


def clear_tables(store: Store, state: OpenState) -> None:
    """Remove the logs of tables that were written anew elsewhere: some of their files are gone.

    Else a base's log goes with the base.
    """
    there = {f"{place}/{_LOG}" for place in map(_place, state.tables) if place is not None}
    for folder in state.folders if len(state.folders) > 1 else ():
        logs = [key for key in store.list(f"{folder}/") if key.endswith(_LOG)]
        store.delete_all(key for key in logs if key not in there)


def _place(table: OpenTable) -> str | None:
    """The folder that all of a table's files are in; None: there are several."""
    folders = {file.key.rpartition("/")[0] for file in table.files}
    return folders.pop() if len(folders) == 1 else None


def _log(folder: Path, state: OpenState, table: OpenTable) -> bytes:
    """The table's log, as delta-rs writes it where nothing else is."""
    files = [
        AddAction(
            path=file.key.rpartition("/")[2],
            size=file.bytes,
            partition_values={},
            modification_time=state.created,
            data_change=True,
            stats=msgspec.json.encode({"numRecords": file.rows}).decode(),
        )
        for file in table.files
    ]
    told = f"{table.comment} Utgivelse {state.release}, til og med {state.sekvensnummer}."
    create_table_with_add_actions(
        str(folder),
        Schema.from_arrow(_commented(table)),
        files,
        mode="error",
        partition_by=[],
        name=table.name,
        description=told.lstrip(),
        commit_properties=CommitProperties(
            custom_metadata={
                "freg.release": state.release,
                "freg.sekvensnummer": str(state.sekvensnummer),
            }
        ),
    )
    return b"\n".join(map(_without_place, (folder / _LOG).read_bytes().splitlines())) + b"\n"


def _without_place(line: bytes) -> bytes:
    """A line of the log; without the folder of this machine where it was made."""
    told = msgspec.json.decode(line)
    told.get("commitInfo", {}).pop("operationParameters", None)
    return msgspec.json.encode(told)


def _commented(table: OpenTable) -> pa.Schema:
    """The columns with their comments, as Delta keeps them; without Parquet's numbers."""
    plain = []
    for field in table.schema:
        kind = field.type
        kind = pa.list_(kind.value_type) if pa.types.is_list(kind) else kind
        told = (field.metadata or {}).get(COMMENT)
        plain.append(pa.field(field.name, kind, field.nullable, {COMMENT: told} if told else None))
    return pa.schema(plain)
