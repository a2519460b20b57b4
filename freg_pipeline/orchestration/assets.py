"""The assets: an order, its batches of identifiers, raw answers, tables, a release, DuckDB.

Each is a thin edge round domain code, returns what it did as counts, and is safe to repeat: what is
done already is found in the store, and not done again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from freg_pipeline.contract import Change
from freg_pipeline.extract.fetch import FetchReport, fetch_batch
from freg_pipeline.extract.liste import malformed_of, open_liste
from freg_pipeline.extract.order import open_uttrekk, place_order, require_same_register
from freg_pipeline.extract.poll import require_batch
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import current_release
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.drift import changes_between
from freg_pipeline.lake.guards import Policy, approval
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.landing import LandedBatch, land_batch, load_plan
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.tables import described
from freg_pipeline.orchestration.config import Kind, OrderConfig, ReleaseConfig
from freg_pipeline.orchestration.guarding import guard_specs, guarded
from freg_pipeline.orchestration.metadata import columns_of, counts, fresh, tables_of
from freg_pipeline.orchestration.partitions import (
    UTTREKK,
    UTTREKK_BATCH,
    batch_partition,
    read_batch_partition,
)
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.telling import in_our_words

OWNERS = ["team:folkeregisteret"]
# Runs that order wait in this pool: the register allows ten running jobs.
ORDER_POOL = "folkeregisteret_uttrekk"
LOOK_UP_POOL = "folkeregisteret_oppslag"
# Ten batches a run: a run costs seconds, a small batch less than that.
BATCHES_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=10)

FregResource = dg.ResourceParam[Freg]


@dg.asset(
    partitions_def=UTTREKK,
    group_name="uttrekk",
    kinds={"http"},
    owners=OWNERS,
    pool=ORDER_POOL,
    description=(
        "One partition per uttrekk: the order at the register, recorded before it is sent and after"
        " it is answered, so that no second order is made blindly; or a list of one's own, or the"
        " hits of a search, for which nothing is ordered."
    ),
)
@in_our_words
def uttrekk(
    context: dg.AssetExecutionContext, config: OrderConfig, freg: FregResource
) -> dg.MaterializeResult[None]:
    """Begin the partition's uttrekk, if it isn't begun, and order it, if it isn't ordered."""
    ordered = asyncio.run(_order(freg, context.partition_key, config))
    request = ordered.request
    return dg.MaterializeResult(
        metadata={
            "kind": request.kind,
            "environment": request.environment,
            "rettighetspakke": request.rettighetspakke,
            "sekvensnummer": request.sekvensnummer,
            "contract": request.contract,
            "contract_changes": [str(change) for change in _contract_changes(freg, request)],
            "parts": len(request.parts),
            "malformed": healing(freg.store, lambda: malformed_of(ordered)).count,
        }
    )


def _contract_changes(freg: Freg, request: Request) -> list[Change]:
    """What the uttrekk's contract changes for those who query the current release."""
    current = current_release(freg.store)
    return changes_between(freg.store, current.contract if current else None, request.contract)


async def _order(freg: Freg, name: str, config: OrderConfig) -> Uttrekk:
    config.require_whole()
    agreed = approval(freg.store, allow_other_kind=config.allow_other_kind)
    async with freg.register() as register:
        if config.kind is Kind.begun:
            ordered = Uttrekk(freg.store, name)
            require_same_register(ordered, freg.settings)
            if ordered.release is None:
                agreed.check(ordered.request)
        elif config.kind is Kind.liste:
            ordered = await open_liste(
                freg.store,
                register,
                freg.settings,
                Path(config.liste or ""),
                column=config.liste_kolonne,
                name=name,
                approval=agreed,
            )
        else:
            ordered = await open_uttrekk(
                freg.store,
                register,
                freg.settings,
                kriterier=config.kriterier(),
                feedsekvensnr=config.feedsekvensnr,
                name=name,
                approval=agreed,
            )
        if ordered.kind.is_job:
            await place_order(register, ordered, freg.settings, again=config.order_again)
    return ordered


@dg.asset(
    deps=[dg.AssetDep(uttrekk, partition_mapping=dg.AllPartitionMapping())],
    partitions_def=UTTREKK_BATCH,
    backfill_policy=BATCHES_A_RUN,
    group_name="uttrekk",
    kinds={"http", "json"},
    owners=OWNERS,
    description=(
        "One partition per batch of an uttrekk: the identifiers that the register delivered, of"
        " documents (komplett) or persons (tilpasset), kept as they came; or those of a list or a"
        " search."
    ),
)
@in_our_words
def batch_identifikatorer(
    context: dg.AssetExecutionContext, freg: FregResource
) -> dg.MaterializeResult[None]:
    """See that the batches' identifiers are here; wait for those that aren't ready."""
    return dg.MaterializeResult(
        metadata=counts(identifiers=_see_identifiers(freg, list(context.partition_keys)))
    )


def _see_identifiers(freg: Freg, keys: list[str]) -> int:
    return healing(freg.store, lambda: asyncio.run(_identifiers(freg, keys)))


async def _identifiers(freg: Freg, keys: list[str]) -> int:
    total = 0
    async with freg.register() as register:
        for key in keys:
            of, batch = read_batch_partition(freg.store, key)
            require_same_register(of, freg.settings)
            await require_batch(register, of, batch, freg.settings)
            total += len(of.identifiers(batch))
    return total


@dg.asset(
    deps=[batch_identifikatorer],
    partitions_def=UTTREKK_BATCH,
    backfill_policy=BATCHES_A_RUN,
    group_name="uttrekk",
    kinds={"http", "json"},
    owners=OWNERS,
    pool=LOOK_UP_POOL,
    description=(
        "One partition per batch: the raw answers to its look-ups of 1,000 identifiers, kept"
        " compressed as they came. A look-up that was answered is never made again."
    ),
)
@in_our_words
def bulkoppslag(
    context: dg.AssetExecutionContext, freg: FregResource
) -> dg.MaterializeResult[None]:
    """Make the look-ups of the batches that have no answer yet."""
    started = time.monotonic()
    keys = list(context.partition_keys)
    reports = healing(
        freg.store,
        lambda: asyncio.run(_fetch(freg, keys)),
        lambda: _see_identifiers(freg, keys),
    )
    return dg.MaterializeResult(
        metadata=counts(
            identifiers=sum(report.identifiers for report in reports),
            look_ups=sum(report.fetched for report in reports),
            look_ups_kept_before=sum(report.kept for report in reports),
            bytes=sum(report.bytes for report in reports),
            seconds=round(time.monotonic() - started, 3),
        )
    )


async def _fetch(freg: Freg, keys: list[str]) -> list[FetchReport]:
    reports = []
    async with freg.register() as register:
        for key in keys:
            of, batch = read_batch_partition(freg.store, key)
            require_same_register(of, freg.settings)
            told = freg.progress(f"bulkoppslag, batch {batch}", len(of.identifiers(batch)))
            reports.append(
                await fetch_batch(
                    register, of, batch, concurrency=freg.settings.concurrency, progress=told
                )
            )
    return reports


@dg.asset(
    deps=[bulkoppslag],
    partitions_def=UTTREKK_BATCH,
    backfill_policy=BATCHES_A_RUN,
    group_name="lake",
    kinds={"parquet", "arrow"},
    owners=OWNERS,
    description=(
        "One partition per batch: its answers as tables by the contract, one Parquet file a table,"
        " and a row of account for each identifier. Read by the release only."
    ),
)
@in_our_words
def batch_tabeller(
    context: dg.AssetExecutionContext, freg: FregResource
) -> dg.MaterializeResult[None]:
    """Decode the batches' answers by the contract."""
    landed = [_land(freg, key) for key in context.partition_keys]
    outcomes: Counter[str] = Counter()
    for batch in landed:
        outcomes.update(batch.outcomes)
    files = [file for batch in landed for file in batch.files.values()]
    return dg.MaterializeResult(
        metadata={
            "contract": landed[0].contract,
            "dagster/row_count": sum(file.rows for file in files),
            **counts(
                documents=outcomes["dokument"],
                gone=outcomes["borte"],
                failed=outcomes["feilet"],
                tables=len({table for batch in landed for table in batch.files}),
                bytes=sum(file.bytes for file in files),
                seconds=round(sum(batch.seconds for batch in landed), 3),
            ),
        }
    )


def _land(freg: Freg, key: str) -> LandedBatch:
    """Land a batch. What of its raw answers is damaged is asked for again."""
    of, batch = read_batch_partition(freg.store, key)

    def land() -> LandedBatch:
        told = freg.progress(f"tables, batch {batch}", len(of.identifiers(batch)))
        plan = load_plan(freg.store, of.request.contract)
        return land_batch(freg.store, of, batch, plan, progress=told)

    return healing(freg.store, land, lambda: _ask_again(freg, [key]))


def _ask_again(freg: Freg, keys: list[str]) -> None:
    _see_identifiers(freg, keys)
    asyncio.run(_fetch(freg, keys))


def _land_again(freg: Freg, of: Uttrekk) -> None:
    """See that all batches are here, and land those whose tables were damaged, and removed."""
    batches = range(of.end or 0)
    _see_identifiers(freg, [batch_partition(of.name, batch) for batch in batches])
    for batch in sorted(set(batches) - of.landed()):
        key = batch_partition(of.name, batch)
        _ask_again(freg, [key])
        _land(freg, key)


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
            **fresh(freg.store, manifest),
            "seconds": round(time.monotonic() - started, 3),
        }
    )


def _release(freg: Freg, of: Uttrekk, policy: Policy) -> Manifest:
    return healing(
        freg.store,
        lambda: build_release(freg.store, of, policy=policy),
        lambda: _land_again(freg, of),
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
    path = refresh_catalogue(freg.store)
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(path))})
