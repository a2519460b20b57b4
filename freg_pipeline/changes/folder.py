"""A set of changes as files: two of Parquet a table, and a manifest that tells what they are.

All of it is private to its owner, and there when it is whole: a folder gets its name then; on S3
the manifest comes last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import msgspec

from freg_pipeline.changes.comparison import TableChanges
from freg_pipeline.changes.difference import Changes
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.content import Content
from freg_pipeline.lake.copied import CopiedFile, Writer, new_place, write_manifest
from freg_pipeline.store import Store

FORMAT = 1


class ChangedTable(msgspec.Struct, frozen=True):
    """A table's files: values of its key whose rows go, and the rows that come.

    Attributes:
        key: the column that ``deletes`` are values of; None: there are none.
        whole: all rows that the copy has go.
        columns: the table's, with DuckDB's types.
        deletes: values of the key.
        upserts: rows.
        content: what the table holds afterwards; None: it wasn't asked for.
    """

    key: str | None
    whole: bool
    columns: dict[str, str]
    deletes: CopiedFile | None
    upserts: CopiedFile
    content: Content | None = None


class State(msgspec.Struct, frozen=True):
    """A state.

    Attributes:
        release: that shows it; None: any that was at the position.
        mark: what no other store's release of that number has.
        sekvensnummer: the event list's position.
        contract: its fingerprint.
    """

    release: str | None
    mark: str | None
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
        gone: tables that there were before, and no longer: nothing keeps their rows current.
        tables: by name.
    """

    format: int = FORMAT
    created: datetime
    before: State | None
    after: State
    gone: tuple[str, ...]
    tables: dict[str, ChangedTable]


def write_changes(
    found: Changes,
    output: Path | Store,
    tables: Collection[str] = (),
    contents: Mapping[str, Content] = MappingProxyType({}),
    *,
    by_position: bool = False,
) -> ChangeSet:
    """Write what has changed.

    Args:
        found: it.
        output: a folder, which mustn't be there or is empty; or a place on S3 that is.
        tables: these only; none: all.
        contents: what tables hold in the later state, as far as it is to be told.
        by_position: the earlier state was asked for by its position, whatever release shows it.

    Raises:
        ConfigurationError: there is no such table, or something is there already, or no folder can
            be made.
        OSError: the disk is full.
    """
    with new_place(output, "--output") as folder:
        written = ChangeSet(
            created=datetime.now(UTC),
            before=None if found.before is None else _state(found.before, named=not by_position),
            after=_state(found.after),
            gone=found.gone,
            tables={
                one.name: _table(one, folder, contents.get(one.name)) for one in found.of(tables)
            },
        )
        write_manifest(folder, written)
    return written


def _state(manifest: Manifest, *, named: bool = True) -> State:
    release, mark = (manifest.number, manifest.mark) if named else (None, None)
    return State(release, mark, manifest.positions()[-1], manifest.contract)


def _table(changed: TableChanges, folder: Path, content: Content | None) -> ChangedTable:
    deletes, upserts = (
        Writer(folder / f"{changed.name}.{what}.parquet") for what in ("deletes", "upserts")
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
        content,
    )
