"""dlt, set up so that it keeps to itself: no telemetry, no log, nothing left on this machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.load.destination import Destination, dlt_destination
from freg_pipeline.load.state import State

NAME = "freg"  # of dlt's pipeline, its schema, and what holds our state
COPIED = "freg_copied"
ROWS_A_FILE = 100_000

# Where dlt looks before anywhere else.
_FIXED = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",  # its messages quote what databases say of rows
    "EXTRACT__NEXT_ITEM_MODE": "fifo",  # one table after the other, as changes are read
    "LOAD__TRUNCATE_STAGING_DATASET": "true",  # else rows stay there, unread, until the next load
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "false",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID": "false",
    "SCHEMA__NAMING": "freg_pipeline.load.naming",
}
_REPLACE = "DESTINATION__REPLACE_STRATEGY"
_UNLESS_SET = {
    "LOAD__WORKERS": "2",  # tables at once: each holds rows of its own
    "DATA_WRITER__FILE_MAX_ITEMS": str(ROWS_A_FILE),
}


def require_dlt() -> None:
    """See that dlt is there, and set it up.

    Raises:
        ConfigurationError: it isn't.
    """
    os.environ.update(_FIXED)
    for name, value in _UNLESS_SET.items():
        os.environ.setdefault(name, value)
    try:
        import dlt  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "copies are loaded by dlt, which isn't installed",
            'Install it: pip install "freg_pipeline[load]"',
        ) from None


class Pipeline:
    """A dlt pipeline into a destination.

    What dlt raises is told by :func:`freg_pipeline.load.telling.in_one_line`, within which all of
    this is to be called.

    Args:
        destination: where to.
        folder: private; holds rows while they are loaded.

    Raises:
        ConfigurationError: dlt knows no such destination.
    """

    def __init__(self, destination: Destination, folder: Path) -> None:
        import dlt

        self._destination = destination
        self._folder = folder
        self._reached = dlt_destination(destination)
        self._pipeline = dlt.pipeline(
            NAME,
            destination=self._reached,
            dataset_name=destination.schema,
            pipelines_dir=str(folder),
        )

    def close(self) -> None:
        """Let go of connections that stay open."""
        if close := getattr(self._reached, "close", None):
            close()

    @property
    def is_folder(self) -> bool:
        """Whether the copy is Delta tables."""
        return self._destination.kind == "delta"

    def state(self, tables: Iterable[str]) -> State:
        """What the copy has.

        Args:
            tables: that a copy consists of.

        Raises:
            ConfigurationError: tables of these names are there that aren't a copy.
        """
        self._pipeline.sync_destination()
        told = self._pipeline.state.get("sources", {}).get(NAME, {}).get("copy")
        if told is not None:
            return State.read(told)
        client: Any = self._pipeline.destination_client()
        with client:
            there = client.is_storage_initialized() and any(
                columns for _, columns in client.get_storage_tables([*tables])
            )
        if there:
            raise ConfigurationError(
                f"the schema {self._destination.schema} holds tables that aren't a copy of ours",
                "Name another with --schema",
            )
        return State()

    def stored(self) -> dict[str, dict[str, Any]]:
        """The columns of each table as the copy has it, as dlt describes them."""
        if NAME not in self._pipeline.schema_names:
            return {}
        tables = self._pipeline.schemas[NAME].tables  # read from a file each time
        return {name: {**table.get("columns", {})} for name, table in tables.items()}

    def lacking(self, stored: Mapping[str, Mapping[str, Any]]) -> set[str]:
        """The tables that aren't there as they were made: they or a column of theirs are gone.

        Args:
            stored: the columns of each table, as dlt describes them.
        """
        client: Any = self._pipeline.destination_client()
        wanted = [name for name in stored if not name.startswith("_dlt")]
        with client:
            there = {
                name.lower(): {column.lower() for column in columns}
                for name, columns in client.get_storage_tables(wanted)
            }
        return {name for name in wanted if not stored[name].keys() <= there.get(name, set())}

    def drop(self, tables: Collection[str]) -> None:
        """Take tables away, to be made anew by what comes."""
        from dlt.pipeline.helpers import pipeline_drop

        if tables:
            pipeline_drop(self._pipeline, [*tables])()

    def run(
        self,
        resources: Iterable[Any],
        state: State,
        row: dict[str, Any] | None,
        *,
        new: bool = False,
    ) -> int:
        """Load resources, and let the copy have a state with them.

        Args:
            resources: dlt's.
            state: what the copy has afterwards.
            row: what is told to those who read it; None: nothing.
            new: tables that are replaced are filled as they are; else what readers see of them
                stays until the new rows are all there.

        Returns:
            Rows, those marked as gone as well.
        """
        import dlt

        self._replace_by("truncate-and-insert" if new else "insert-from-staging")

        @dlt.resource(name=COPIED, write_disposition="append", table_format=self.table_format)
        def copied() -> Any:
            dlt.current.source_state()["copy"] = state.written()
            yield from [] if row is None else [row]

        source = dlt.source(lambda: [copied(), *resources], name=NAME, max_table_nesting=0)()
        self._pipeline.extract(source, loader_file_format="parquet")
        done = self._pipeline.normalize()
        self._pipeline.load()
        counts = done.row_counts if done else {}
        return sum(rows for name, rows in counts.items() if name != COPIED and name[0] != "_")

    def _replace_by(self, strategy: str) -> None:
        """Have tables replaced so, where the destination can; Delta always does it at once."""
        known = self._pipeline.destination.capabilities().supported_replace_strategies or ()
        os.environ.pop(_REPLACE, None)
        if strategy in known and not self.is_folder:
            os.environ[_REPLACE] = strategy

    @property
    def table_format(self) -> Any:
        """Of tables in folders."""
        return "delta" if self.is_folder else None
