"""The assets that readers have to do with: the release, and the catalogue of views."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import time
from collections.abc import Iterable, Iterator

import dagster as dg

from freg_pipeline.advance import Publish, next_steps, standing_of
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.batches import land_again
from freg_pipeline.orchestration.common import OWNERS
from freg_pipeline.orchestration.config import PublishConfig
from freg_pipeline.orchestration.guarding import guard_specs, guarded
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.release_page import release_metadata
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.shown import show_tables, written_catalogue
from freg_pipeline.orchestration.telling import in_our_words


def release_asset(names: Names, fresh: dg.FreshnessPolicy | None) -> dg.AssetsDefinition:
    """What readers see.

    Args:
        names: what everything is called.
        fresh: how long it may stay as it is.
    """
    key = names.key("release")

    @dg.asset(
        key=key,
        deps=[
            dg.AssetDep(names.key("batch_tabeller"), partition_mapping=dg.AllPartitionMapping()),
            dg.AssetDep(names.key("release_del"), partition_mapping=dg.AllPartitionMapping()),
            names.key("hendelser"),
            names.key("komprimering"),
        ],
        group_name=names.of("lake"),
        kinds={"parquet"},
        owners=OWNERS,
        freshness_policy=fresh,
        check_specs=guard_specs(key),
        required_resource_keys={names.resource},
        description=(
            "What readers see: all tables, each person once, every identifier accounted for,"
            " published by one atomic swap of a pointer. An uttrekk whose batches have all landed"
            " becomes one, so does a sync, and so does a compaction: their runs materialise it too."
            " Its data version is the release's number."
        ),
    )
    @in_our_words
    def release(
        context: dg.AssetExecutionContext, config: PublishConfig
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        """Make what of the base isn't made, and publish it."""
        started = time.monotonic()
        freg = freg_of(context, names)
        of = _to_publish(freg, config.uttrekk)
        policy = config.policy(freg.settings)
        manifest = yield from guarded(context, key, lambda: _release(freg, of, policy))
        show_tables(context, names, freg.store, manifest)
        yield dg.MaterializeResult(
            metadata={
                **release_metadata(freg.store, manifest),
                "seconds": round(time.monotonic() - started, 3),
            },
            data_version=dg.DataVersion(manifest.number),
        )

    return release


def _to_publish(freg: Freg, name: str | None) -> Uttrekk:
    """The uttrekk of that name; without one, the only one whose batches have all landed."""
    if name:
        return Uttrekk(freg.store, name)
    under_way = [one for one in Uttrekk.list_open(freg.store) if not one.kind.is_sync]
    ready = [one for one in under_way if next_steps(standing_of(one)) == (Publish(),)]
    if len(ready) != 1:
        raise ConfigurationError(
            f"{len(ready)} uttrekk wait for their release",
            "Name the one that you mean as uttrekk, in the configuration of the asset release",
        )
    return ready[0]


def _release(freg: Freg, of: Uttrekk, policy: Policy) -> Manifest:
    return healing(
        freg.store,
        lambda: build_release(freg.store, of, policy=policy),
        lambda: land_again(freg, of),
    )


def catalogue_asset(
    names: Names, fresh: dg.FreshnessPolicy | None, tables: Iterable[dg.AssetKey] = ()
) -> dg.AssetsDefinition:
    """The catalogue of views over the release.

    Args:
        names: what everything is called.
        fresh: how long it may stay as it is.
        tables: the assets of the tables and views that it shows.
    """

    @dg.asset(
        key=names.key("duckdb_katalog"),
        deps=[names.key("release"), *tables],
        group_name=names.of("readers"),
        kinds={"duckdb"},
        owners=OWNERS,
        freshness_policy=fresh,
        required_resource_keys={names.resource},
        description=(
            "freg.duckdb: one view a table over the current release, for analysts. Its data version"
            " is the release's number."
        ),
    )
    @in_our_words
    def duckdb_katalog(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Write the catalogue of views anew."""
        store = freg_of(context, names).store
        written = written_catalogue(store)
        return dg.MaterializeResult(
            metadata=written or {"path": dg.MetadataValue.text("not written")},
            data_version=dg.DataVersion(require_current(store).number),
        )

    return duckdb_katalog
