"""A copy in a warehouse is brought to the current release: as a whole, or by changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from freg_pipeline.changes.difference import Changes, changes
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.access_log import note_access
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.tables import described
from freg_pipeline.load.alone import alone
from freg_pipeline.load.destination import Destination
from freg_pipeline.load.pipeline import Pipeline, require_dlt
from freg_pipeline.load.rows import GONE, rows_of
from freg_pipeline.load.state import Point, State, Step, steps
from freg_pipeline.load.telling import in_one_line
from freg_pipeline.store import Store


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


def load(store: Store, destination: Destination, *, anew: bool = False) -> Loaded:
    """Bring a copy to the current release.

    May be interrupted at any moment, and is then to be done again.

    Args:
        store: what it is a copy of.
        destination: where it lies; made if it isn't there.
        anew: all of it is loaded, whatever is there.

    Raises:
        ConfigurationError: dlt isn't installed or set up; what is there isn't a copy of this store;
            the release that it has is no longer kept; a column's type has changed.
        DestinationError: the destination can't be reached, or refuses something.
        ResourceError: another process loads this copy.
    """
    require_dlt()
    current = require_current(store)
    rows, tables = 0, [table.name for table in described(load_plan(store, current.contract))]
    with alone(str(destination)), store.scratch() as folder:
        with in_one_line(destination, reached=False):
            pipeline = Pipeline(destination, folder)
            state = pipeline.state(tables)
        todo = steps(store, state, current, anew=anew)
        if todo:
            noted = note_access(store, "load", tables=tables)
            with in_one_line(destination):
                rows = sum(_take(store, pipeline, step, new=state == State()) for step in todo)
            noted.gave(rows)
    since = todo[0].before if todo else current
    return Loaded(current.number, current.sekvensnummer, since.number if since else None, rows)


def _take(store: Store, pipeline: Pipeline, step: Step, *, new: bool) -> int:
    """Do one load; of a new copy nobody reads yet."""
    before = None if step.before is None else Point.of(step.before)
    after = Point.of(step.after)
    pipeline.run([], State(before, under_way=after), None)
    with changes(store, step.before, step.after) as found:
        resources = _resources(found, pipeline)
        return pipeline.run(resources, State(after), _row(step.after), new=new)


def _row(manifest: Manifest) -> dict[str, Any]:
    return {"release": manifest.number, "sekvensnummer": manifest.positions()[-1]}


def _resources(found: Changes, pipeline: Pipeline) -> Iterator[Any]:
    import dlt

    for name in found.tables:
        yield dlt.resource(
            _checked(found, name, pipeline),
            name=name,
            table_format=pipeline.table_format,
            **_how(found.key(name), is_folder=pipeline.is_folder),
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


def _checked(found: Changes, name: str, pipeline: Pipeline) -> Iterator[Any]:
    """A table's rows, if it can take them as they are."""
    from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns

    there = pipeline.stored(name)
    for rows in rows_of(found, name, lists_as_text=not pipeline.is_folder):
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
