"""The assets that readers have to do with: the release, and the catalogue of views."""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import time
from collections.abc import Iterator

import dagster as dg

from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.catalogue import renew_catalogue
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.tables import described
from freg_pipeline.orchestration.batches import batch_tabeller, land_again
from freg_pipeline.orchestration.common import OWNERS, FregResource
from freg_pipeline.orchestration.config import ReleaseConfig
from freg_pipeline.orchestration.guarding import guard_specs, guarded
from freg_pipeline.orchestration.metadata import columns_of, counts, fresh, tables_of
from freg_pipeline.orchestration.partitions import UTTREKK
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.telling import in_our_words


@dg.asset(
    deps=[dg.AssetDep(batch_tabeller, partition_mapping=dg.AllPartitionMapping())],
    partitions_def=UTTREKK,
    group_name="lake",
    kinds={"parquet"},
    owners=OWNERS,
    check_specs=guard_specs("release"),
    description=(
        "One partition per uttrekk: what readers see. All tables of all batches, each person once,"
        " every identifier accounted for, published by one atomic swap of a pointer."
    ),
)
@in_our_words
def release(
    context: dg.AssetExecutionContext, config: ReleaseConfig, freg: FregResource
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Resolve who landed, write the base, and publish it."""
    started = time.monotonic()
    of = Uttrekk(freg.store, context.partition_key)
    policy = config.policy(freg.settings)
    manifest = yield from guarded(context, "release", lambda: _release(freg, of, policy))
    yield dg.MaterializeResult(
        metadata={
            "release": manifest.number,
            "contract": manifest.contract,
            "sekvensnummer": manifest.sekvensnummer,
            "incomplete": manifest.incomplete,
            "dagster/row_count": manifest.persons,
            "tables": tables_of(manifest),
            **columns_of(described(load_plan(freg.store, manifest.contract))),
            **_account(manifest),
            **fresh(manifest),
            "seconds": round(time.monotonic() - started, 3),
        }
    )


def _release(freg: Freg, of: Uttrekk, policy: Policy) -> Manifest:
    return healing(
        freg.store,
        lambda: build_release(freg.store, of, policy=policy),
        lambda: land_again(freg, of),
    )


def _account(manifest: Manifest) -> dict[str, dg.MetadataValue]:
    account = manifest.accounting
    return counts(
        delivered=account.delivered,
        landed=account.landed,
        merged=account.merged,
        duplicates=account.duplicates,
        gone=account.gone,
        failed=account.failed,
        unexplained=account.unexplained,
    )


@dg.asset(
    deps=[release],
    partitions_def=UTTREKK,
    group_name="lake",
    kinds={"duckdb"},
    owners=OWNERS,
    description="freg.duckdb: one view a table over the current release, for analysts.",
)
@in_our_words
def duckdb_katalog(freg: FregResource) -> dg.MaterializeResult[None]:
    """Write the catalogue of views anew."""
    path = renew_catalogue(freg.store)
    told = dg.MetadataValue.path(str(path)) if path else dg.MetadataValue.text("not written")
    return dg.MaterializeResult(metadata={"path": told})
