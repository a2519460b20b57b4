"""Where a table's rows are: which files, by the contract of their columns, and whom deltas hide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.journal.kept import open_whole
from freg_pipeline.journal.manifest import Delta, Manifest, TableFile
from freg_pipeline.lake.described import sql_type
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.layout import layouts
from freg_pipeline.lake.tables import DELTA_COLUMN, IDENTITY, PERSON_KEY, REPLACED, file_schema
from freg_pipeline.store import Store

# Gives the SQL that reads files of the same columns, under a name of their own.
Reads = Callable[[str, list[TableFile], pa.Schema], str]
UNTIL_COLUMN = "_til"  # the delta after which a row no longer holds; NULL: it still does


@dataclass(frozen=True)
class Part:
    """Files of one table that have the same columns.

    Attributes:
        relation: the SQL that reads them.
        columns: DuckDB's type of each column.
    """

    relation: str
    columns: dict[str, str]


@dataclass(frozen=True)
class Source:
    """Where a table's rows are.

    Attributes:
        base: the base's files; None: it has none, as its contract didn't have the table.
        deltas: those of the deltas, by contract.
        replaced: whether deltas may replace rows of the base; they needn't have rows themselves.
    """

    base: Part | None
    deltas: tuple[Part, ...]
    replaced: bool


def sources(store: Store, manifest: Manifest, reads: Reads) -> dict[str, Source]:
    """Where the rows of each table of a release are, and of who claims which number."""
    by_contract: dict[str, list[Delta]] = {}
    for delta in manifest.deltas:
        by_contract.setdefault(delta.contract, []).append(delta)
    contracts = {manifest.contract, manifest.base.contract, *by_contract}
    schemas = {contract: _schemas(store, contract) for contract in contracts}
    found = {}
    base_files = {**manifest.tables, IDENTITY.name: manifest.base.identity}
    for name in schemas[manifest.contract]:
        base = None
        files = [*base_files[name].files] if name in base_files else []
        if files:
            schema = schemas[manifest.base.contract][name]
            base = Part(reads(f"_{name}", files, schema), _columns(schema))
        parts = []
        for number, (contract, deltas) in enumerate(by_contract.items()):
            files = [delta.files[name] for delta in deltas if name in delta.files]
            if files:
                schema = schemas[contract][name]
                relation = reads(f"_{name}_{number}", files, of_delta(schema))
                parts.append(Part(relation, _columns(schema)))
        found[name] = Source(base, tuple(parts), bool(manifest.deltas))
    return found


def files_of(manifest: Manifest, *tables: str) -> Iterator[tuple[str, TableFile]]:
    """The keys and files of some tables of a release, of its base and deltas."""
    base = {**manifest.tables, IDENTITY.name: manifest.base.identity}
    for name in tables:
        of_base = base[name].files if name in base else ()
        of_deltas = (delta.files[name] for delta in manifest.deltas if name in delta.files)
        for file in (*of_base, *of_deltas):
            yield file.key, file


def _schemas(store: Store, contract: str) -> dict[str, pa.Schema]:
    return {layout.name: layout.schema for layout in layouts(load_plan(store, contract))}


def _columns(schema: pa.Schema) -> dict[str, str]:
    return {field.name: sql_type(field.type) for field in schema}


def of_delta(schema: pa.Schema) -> pa.Schema:
    """The columns of a table's files in a delta, by those in a base."""
    return schema.append(pa.field(DELTA_COLUMN, pa.int64()))


def replaced_schema() -> pa.Schema:
    """The columns of the files that tell whom deltas hide."""
    return file_schema(REPLACED.schema, keyed=True, delta=True)


def columns_of_files(store: Store, manifest: Manifest) -> dict[str, pa.Schema]:
    """The columns of each file of a release, by its key."""
    found: dict[str, pa.Schema] = {}

    def noted(name: str, files: list[TableFile], schema: pa.Schema) -> str:
        found.update(dict.fromkeys((file.key for file in files), schema))
        return name

    sources(store, manifest, noted)
    noted("", replaced_files(manifest), replaced_schema())
    return found


def replaced_files(manifest: Manifest) -> list[TableFile]:
    """The files that tell whom the deltas hide."""
    there = [delta.files.get(REPLACED.name) for delta in manifest.deltas]
    return [file for file in there if file is not None]


def replaced(store: Store, manifest: Manifest, *, persons: bool) -> pa.Table:
    """Whom the deltas hide: a row per key and delta, and the delta that it holds until.

    Args:
        store: where the release lies.
        manifest: the release.
        persons: those whose rows are replaced; else all numbers that are decided anew.
    """
    keys, deltas = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for delta in manifest.deltas:
        if REPLACED.name in delta.files:
            file = delta.files[REPLACED.name]
            with open_whole(store, file.key, file) as opened:
                rows = pq.read_table(opened, columns=["rader", PERSON_KEY])
            mine = rows.filter(rows["rader"]) if persons else rows
            keys.append(mine[PERSON_KEY].to_numpy())
            deltas.append(np.full(len(mine), delta.sekvensnummer))
    key, number = np.concatenate(keys), np.concatenate(deltas)
    order = np.lexsort((number, key))
    key, number = key[order], number[order]
    last = np.append(key[1:] != key[:-1], np.ones(min(1, len(key)), bool))
    until = pa.array(np.append(number[1:], number[:1]), mask=last)
    names = [PERSON_KEY, DELTA_COLUMN, UNTIL_COLUMN]
    return pa.table([pa.array(key), pa.array(number), until], names=names)
