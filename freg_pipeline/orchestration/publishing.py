"""The assets that readers have to do with: the release, and the catalogue of views."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import time
from collections.abc import Iterator

import dagster as dg

from freg_pipeline.advance import Publish, next_steps, standing_of
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.catalogue import renew_catalogue
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.batches import batch_tabeller, land_again
from freg_pipeline.orchestration.common import OWNERS, FregResource
from freg_pipeline.orchestration.config import PublishConfig
from freg_pipeline.orchestration.guarding import guard_specs, guarded
from freg_pipeline.orchestration.metadata import release_metadata
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.telling import in_our_words


@dg.asset(
    deps=[
        dg.AssetDep(batch_tabeller, partition_mapping=dg.AllPartitionMapping()),
        "hendelser",
        "komprimering",
    ],
    group_name="lake",
    kinds={"parquet"},
    owners=OWNERS,
    check_specs=guard_specs("release"),
    description=(
        "What readers see: all tables, each person once, every identifier accounted for, published"
        " by one atomic swap of a pointer. An uttrekk whose batches have all landed becomes one, so"
        " does a sync, and so does a compaction: their runs materialise it too. Its data version is"
        " the release's number."
    ),
)
@in_our_words
def release(
    context: dg.AssetExecutionContext, config: PublishConfig, freg: FregResource
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Resolve who landed, write the base, and publish it."""
    started = time.monotonic()
    of = _to_publish(freg, config.uttrekk)
    policy = config.policy(freg.settings)
    manifest = yield from guarded(context, "release", lambda: _release(freg, of, policy))
    yield dg.MaterializeResult(
        metadata={
            **release_metadata(freg.store, manifest),
            "seconds": round(time.monotonic() - started, 3),
        },
        data_version=dg.DataVersion(manifest.number),
    )


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


@dg.asset(
    deps=[release],
    group_name="lake",
    kinds={"duckdb"},
    owners=OWNERS,
    description=(
        "freg.duckdb: one view a table over the current release, for analysts. Its data version is"
        " the release's number."
    ),
)
@in_our_words
def duckdb_katalog(freg: FregResource) -> dg.MaterializeResult[None]:
    """Write the catalogue of views anew."""
    path = renew_catalogue(freg.store)
    told = dg.MetadataValue.path(str(path)) if path else dg.MetadataValue.text("not written")
    return dg.MaterializeResult(
        metadata={"path": told},
        data_version=dg.DataVersion(require_current(freg.store).number),
    )
