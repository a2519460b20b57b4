"""A copy in a warehouse is brought to the current release: as a whole, or by changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from freg_pipeline.changes.difference import changes
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.access_log import note_access
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.tables import described
from freg_pipeline.load.alone import alone
from freg_pipeline.load.by_rules import ByRules
from freg_pipeline.load.destination import Destination
from freg_pipeline.load.pipeline import Pipeline, require_dlt
from freg_pipeline.load.rows import GONE, rows_of
from freg_pipeline.load.state import Point, State, Step, require_same_kind, steps
from freg_pipeline.load.telling import in_one_line
from freg_pipeline.store import Store
from freg_pipeline.store.scratch import scratch_to_read


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    Attributes:
        release: what the copy shows now.
        sekvensnummer: the event list's position that it is good to.
        since: the release that it showed before; None: it was loaded whole.
        rows: sent, those that tell of keys that are gone as well; 0 where it was there already.
    """

    release: str
    sekvensnummer: int
    since: str | None
    rows: int


def load(
    store: Store, destination: Destination, *, anew: bool = False, by: ByRules | None = None
) -> Loaded:
    """Bring a copy to the current release.

    May be interrupted at any moment, and is then to be done again.

    Args:
        store: what it is a copy of.
        destination: where it lies; made if it isn't there.
        anew: all of it is loaded, whatever is there.
        by: rules that it is made by: then it is always loaded whole, since who is protected from
            now on is to be gone from others' rows, too.

    Raises:
        ConfigurationError: dlt isn't installed or set up; what is there isn't a copy of this store,
            or not by these rules; the release that it has is no longer kept; a column's type has
            changed.
        DestinationError: the destination can't be reached, or refuses something.
        ResourceError: another process loads this copy.
    """
    require_dlt()
    current = require_current(store)
    rows, tables = 0, _names(store, current, by)
    with alone(str(destination)), scratch_to_read(store) as folder, ExitStack() as opened:
        with in_one_line(destination, reached=False):
            pipeline = opened.enter_context(closing(Pipeline(destination, folder)))
            state = pipeline.state(tables)
        require_same_kind(state, by.fingerprint if by else None)
        todo = steps(store, state, current, anew=anew)
        if todo:
            noted = note_access(store, "load by rules" if by else "load", tables=tables)
            with in_one_line(destination):
                if by:
                    todo = [Step(None, current)]
                loads = [_Load(store, pipeline, step, by, new=state == State()) for step in todo]
                rows = sum(one.take(folder / "copy") for one in loads)
            noted.gave(rows)
    since = todo[0].before if todo else current
    return Loaded(current.number, current.sekvensnummer, since.number if since else None, rows)


def _names(store: Store, current: Manifest, by: ByRules | None) -> list[str]:
    if by:
        return by.tables
    return [table.name for table in described(load_plan(store, current.contract))]


@dataclass(frozen=True)
class _Load:
    """A load; of a new copy nobody reads yet."""

    store: Store
    pipeline: Pipeline
    step: Step
    by: ByRules | None
    new: bool

    def take(self, folder: Path) -> int:
        """Do it; the rows that were sent. A folder for files that isn't there yet."""
        before = None if self.step.before is None else Point.of(self.step.before)
        after = Point.of(self.step.after)
        kind = self.by.fingerprint if self.by else None
        self.pipeline.run([], State(before, after, kind), None)
        with self._resources(folder) as resources:
            row = _row(self.step.after)
            return self.pipeline.run(resources, State(after, by=kind), row, new=self.new)

    @contextmanager
    def _resources(self, folder: Path) -> Iterator[Iterator[Any]]:
        lists = not self.pipeline.is_folder
        resource = partial(_resource, self.pipeline, self.pipeline.stored())
        if self.by:
            found = self.by.rows(self.store, self.step.after, folder, lists_as_text=lists)
            yield (resource(name, None, rows) for name, rows in found)
            return
        with changes(self.store, self.step.before, self.step.after) as told:
            rows = partial(rows_of, told, lists_as_text=lists)
            yield (resource(name, told.key(name), rows(name)) for name in told.tables)


def _row(manifest: Manifest) -> dict[str, Any]:
    return {"release": manifest.number, "sekvensnummer": manifest.positions()[-1]}


def _resource(
    pipeline: Pipeline,
    stored: Mapping[str, Mapping[str, Any]],
    name: str,
    key: str | None,
    rows: Iterator[pa.Table],
) -> Any:
    import dlt

    return dlt.resource(
        _checked(name, rows, stored.get(name, {})),
        name=name,
        table_format=pipeline.table_format,
        **_how(key, is_folder=pipeline.is_folder),
    )


def _how(key: str | None, *, is_folder: bool) -> dict[str, Any]:
    """How a table's rows are taken in."""
    mark = {GONE: {"data_type": "bool", "hard_delete": True}}
    if key is None:
        return {"write_disposition": "replace", "columns": mark}
    if is_folder:
        how = {"disposition": "merge", "strategy": "upsert"}
        return {"write_disposition": how, "primary_key": key, "columns": mark}
    how = {"disposition": "merge", "strategy": "delete-insert"}
    return {"write_disposition": how, "merge_key": key, "columns": mark}


def _checked(name: str, batches: Iterator[pa.Table], there: Mapping[str, Any]) -> Iterator[Any]:
    """A table's rows, if it can take them as they are."""
    from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns

    for rows in batches:
        for column, told in py_arrow_to_table_schema_columns(rows.schema).items():
            if _kind(there.get(column, told)) != _kind(told):
                raise ConfigurationError(
                    f"the column {column} of {name} is of another type in the contract of today",
                    "Name a new --schema, or drop that one",
                )
        yield rows


def _kind(column: Mapping[str, Any]) -> tuple[Any, ...]:
    """A column's type, and of whole numbers how many bits."""
    bits = column.get("precision") if column.get("data_type") == "bigint" else None
    return column.get("data_type"), bits
