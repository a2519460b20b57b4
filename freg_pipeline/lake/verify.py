"""Whether a release's files are as they were written."""

from __future__ import annotations

import pyarrow.parquet as pq

from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.journal.kept import difference
from freg_pipeline.journal.manifest import TableFile
from freg_pipeline.journal.releases import read_manifest, require_current
from freg_pipeline.journal.request import contract_key
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.open_tables import damaged_tables
from freg_pipeline.store import Store


def verify(store: Store, number: str | None = None) -> list[str]:
    """Return a line for each object that a release names and that is not as it was written.

    Also for what tells readers of Iceberg and Delta of its base.

    Args:
        store: where it lies.
        number: which release; None: the current one.

    Raises:
        ConfigurationError: there is no such release.
    """
    manifest = require_current(store) if number is None else read_manifest(store, number)
    contracts = dict.fromkeys(
        [manifest.contract, manifest.base.contract, *(one.contract for one in manifest.deltas)]
    )
    found = [(file.key, _problem(store, file)) for file in manifest.files()]
    found += [(contract_key(one), _contract_problem(store, one)) for one in contracts]
    found += [
        (key, f"it isn't as it was written; written anew by freg catalogue --format {kind}")
        for key, kind in damaged_tables(store, manifest).items()
    ]
    return [f"{key}: {problem}" for key, problem in found if problem]


def _problem(store: Store, file: TableFile) -> str | None:
    try:
        return difference(store, file.key, file) or _rows_problem(store, file)
    except DamagedError:
        return "it is gone"


def _rows_problem(store: Store, file: TableFile) -> str | None:
    with store.filesystem.open_input_file(store.path(file.key)) as opened:
        rows = pq.ParquetFile(opened).metadata.num_rows
    return None if rows == file.rows else f"it has {rows} rows, and was written with {file.rows}"


def _contract_problem(store: Store, contract: str) -> str | None:
    try:
        load_plan(store, contract)
    except ObjectMissingError:
        return "it is gone"
    except DamagedError:
        return "its content has changed"
    return None
