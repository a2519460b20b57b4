"""A table is an asset: one of each table, and of each view for convenience, that analysts query.

Nothing of its own makes a table: whatever publishes a release does, and records the tables whose
rows it has changed. So they can't be materialised by themselves. What doesn't change from release
to release (columns, what they mean, what they are made of) belongs to the definition, so that an
event holds counts only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from freg_pipeline.contract import Plan
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.codes import CODES
from freg_pipeline.lake.described import Described, described
from freg_pipeline.lake.grown import rows_of
from freg_pipeline.lake.lineage import Lineage, lineage, made_of
from freg_pipeline.lake.offered import asset_parts, offered
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.people_described import OVERVIEW, VIEWS
from freg_pipeline.lake.touched import touched
from freg_pipeline.lake.utgivelse import UTGIVELSE
from freg_pipeline.orchestration.common import OWNERS
from freg_pipeline.orchestration.metadata import counts
from freg_pipeline.orchestration.names import Names
from freg_pipeline.store import Store

VERSION = "dagster/data_version"
ROWS = "dagster/row_count"

TableEvent = dg.AssetMaterialization | dg.AssetObservation


def table_key(names: Names, table: str) -> dg.AssetKey:
    """The key of a table's asset."""
    return names.key(*asset_parts(table))


def table_keys(names: Names, plan: Plan) -> list[dg.AssetKey]:
    """The keys of all tables and views."""
    return [table_key(names, one.name) for one in offered(plan)]


def table_specs(
    names: Names, plan: Plan, freshness: dg.FreshnessPolicy | None = None
) -> list[dg.AssetSpec]:
    """The assets of all tables and views of a contract.

    Args:
        names: what they are called.
        plan: the contract's tables.
        freshness: how long a table may go without any event; a quiet table has none for long.
    """
    tables = described(plan)
    made, columns = made_of(tables), lineage(tables)
    return [
        dg.AssetSpec(
            table_key(names, one.name),
            deps=_sources(names, made.get(one.name, frozenset())),
            description=one.comment,
            group_name=names.of("readers"),
            kinds={"view", "duckdb"} if one.name in _VIEWS else {"table", "parquet"},
            owners=OWNERS,
            freshness_policy=freshness,
            metadata={
                "dagster/table_name": one.name,
                "dagster/column_schema": _schema(one),
                **_made_of(names, columns.get(one.name, {})),
            },
        )
        for one in offered(plan)
    ]


def _sources(names: Names, made_of: frozenset[str]) -> list[dg.AssetKey]:
    """What an asset is downstream of: the tables that it is made of, or the release."""
    return [table_key(names, name) for name in sorted(made_of)] or [names.key("release")]


def _schema(table: Described) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, kind, description=comment or None)
            for name, kind, comment in table.shown
        ]
    )


def _made_of(names: Names, columns: Lineage) -> dict[str, dg.TableColumnLineage]:
    if not columns:
        return {}
    deps = {
        column: [dg.TableColumnDep(table_key(names, table), name) for table, name in sources]
        for column, sources in columns.items()
        if sources
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


@dataclass(frozen=True)
class ShownTables:
    """The tables of a release, as they are recorded.

    Attributes:
        names: what their assets are called.
        store: where the release lies.
        before: the release that was recorded last; None: there is none, or none any more.
        manifest: the release.
    """

    names: Names
    store: Store
    before: Manifest | None
    manifest: Manifest

    def events(self) -> Iterator[TableEvent]:
        """A materialisation of each table that the release may have changed, by its number.

        On a new base all tables lie in other files: those whose rows stayed are observed, which
        requests nothing downstream.
        """
        changed = touched(self.store, self.before, self.manifest)
        tags = {VERSION: self.manifest.number}
        rows = self._rows()
        for name in changed:
            key = table_key(self.names, name)
            yield dg.AssetMaterialization(key, metadata=self._told(name, rows), tags=tags)
        if self.before is None or self.before.base.folder == self.manifest.base.folder:
            return
        for name in self.manifest.tables:
            if name not in changed:
                key = table_key(self.names, name)
                yield dg.AssetObservation(key, metadata=self._told(name, rows))

    def _rows(self) -> dict[str, int]:
        rows = rows_of(self.manifest)
        return {**rows, OVERVIEW: rows[PERSON_NAA.name], UTGIVELSE: 1}

    def _told(self, name: str, rows: dict[str, int]) -> dict[str, dg.MetadataValue]:
        if name in _VIEWS:
            return counts(**{ROWS: rows[name]}) if name in rows else {}
        base = self.manifest.tables.get(name)
        deltas = sum(one.files[name].rows for one in self.manifest.deltas if name in one.files)
        return counts(
            **{ROWS: rows.get(name, 0), "rows_in_base": base.rows if base else 0},
            rows_in_deltas=deltas,
        )


_VIEWS = {*(view.name for view in VIEWS), CODES, UTGIVELSE}  # they have no files of their own
