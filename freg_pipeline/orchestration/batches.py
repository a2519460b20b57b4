"""The assets of a batch: its identifiers, the raw answers to its look-ups, its tables.

Each is a thin edge round domain code, returns what it did as counts, and is safe to repeat: what is
done already is found in the store, and not done again.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import time
from collections import Counter
from functools import cache
from typing import Any

import dagster as dg

from freg_pipeline.client import Register
from freg_pipeline.extract.begin import require_same_settings
from freg_pipeline.extract.fetch import FetchReport, fetch_batch
from freg_pipeline.extract.poll import require_batch
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.along import one_behind
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.landing import LandedBatch, land_batch, load_plan
from freg_pipeline.orchestration.common import BATCHES_A_RUN, LOOK_UP_POOL, OWNERS
from freg_pipeline.orchestration.metadata import counts
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.partitions import (
    UTTREKK_BATCH,
    batch_partition,
    each_batch,
    partitions,
    read_batch_partition,
)
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.telling import in_our_words


def batch_assets(names: Names) -> list[dg.AssetsDefinition]:
    """The assets of a batch, each made of the one before."""
    return [_identifikatorer(names), _bulkoppslag(names), _tabeller(names)]


def _identifikatorer(names: Names) -> dg.AssetsDefinition:
    above = dg.AssetDep(names.key("uttrekk"), partition_mapping=dg.AllPartitionMapping())

    @dg.asset(
        key=names.key("batch_identifikatorer"),
        deps=[above],
        partitions_def=partitions(names, UTTREKK_BATCH),
        backfill_policy=BATCHES_A_RUN,
        group_name=names.of("uttrekk"),
        kinds={"json"},
        owners=OWNERS,
        required_resource_keys={names.resource},
        description=(
            "One partition per batch of an uttrekk, or for small ones that follow each other: the"
            " identifiers that the register delivered, of documents (komplett) or persons"
            " (tilpasset), kept as they came; or those of a list or a search."
        ),
    )
    @in_our_words
    def batch_identifikatorer(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """See that the batches' identifiers are here; wait for those that aren't ready."""
        identifiers = _see_identifiers(freg_of(context, names), each_batch(context.partition_keys))
        return dg.MaterializeResult(metadata=counts(identifiers=identifiers))

    return batch_identifikatorer


def _see_identifiers(freg: Freg, keys: list[str]) -> int:
    async def see(register: Register) -> int:
        total = 0
        for key in keys:
            of, batch = read_batch_partition(freg.store, key)
            require_same_settings(of, freg.settings)
            await require_batch(register, of, batch, freg.settings)
            total += len(of.identifiers(batch))
        return total

    return healing(freg.store, lambda: freg.ask(see))


def _bulkoppslag(names: Names) -> dg.AssetsDefinition:
    @dg.asset(
        key=names.key("bulkoppslag"),
        deps=[names.key("batch_identifikatorer")],
        partitions_def=partitions(names, UTTREKK_BATCH),
        backfill_policy=BATCHES_A_RUN,
        group_name=names.of("uttrekk"),
        kinds={"json"},
        owners=OWNERS,
        pool=names.of(LOOK_UP_POOL),
        required_resource_keys={names.resource},
        description=(
            "One partition per batch: the raw answers to its look-ups of 1,000 identifiers, kept"
            " compressed as they came. A look-up that was answered is never made again."
        ),
    )
    @in_our_words
    def bulkoppslag(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Make the look-ups of the batches that have no answer yet."""
        started = time.monotonic()
        freg, keys = freg_of(context, names), each_batch(context.partition_keys)
        reports = healing(
            freg.store,
            lambda: _fetch(freg, keys),
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

    return bulkoppslag


def _fetch(freg: Freg, keys: list[str]) -> list[FetchReport]:
    concurrency = freg.settings.concurrency

    async def fetch(register: Register) -> list[FetchReport]:
        reports = []
        async with one_behind() as landings:
            for key in keys:
                of, batch = read_batch_partition(freg.store, key)
                require_same_settings(of, freg.settings)
                told = freg.progress(f"bulkoppslag, batch {batch}", len(of.identifiers(batch)))
                async with landings.along(of, batch) as along:
                    report = await fetch_batch(
                        register, of, batch, concurrency=concurrency, progress=told, along=along
                    )
                reports.append(report)
        return reports

    return freg.ask(fetch)


def _tabeller(names: Names) -> dg.AssetsDefinition:
    @dg.asset(
        key=names.key("batch_tabeller"),
        deps=[names.key("bulkoppslag")],
        partitions_def=partitions(names, UTTREKK_BATCH),
        backfill_policy=BATCHES_A_RUN,
        group_name=names.of("uttrekk"),
        kinds={"parquet", "arrow"},
        owners=OWNERS,
        required_resource_keys={names.resource},
        description=(
            "One partition per batch: its answers as tables by the contract, one Parquet file a"
            " table, and a row of account for each identifier. Read by the release only."
        ),
    )
    @in_our_words
    def batch_tabeller(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Decode the batches' answers by the contract."""
        freg = freg_of(context, names)
        landed = [_land(freg, key) for key in each_batch(context.partition_keys)]
        return dg.MaterializeResult(metadata=_metadata(landed))

    return batch_tabeller


def _metadata(landed: list[LandedBatch]) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    for batch in landed:
        outcomes.update(batch.outcomes)
    tables = [table for batch in landed for table in batch.tables.values()]
    return {
        "contract": landed[0].contract,
        "dagster/row_count": sum(table.rows for table in tables),
        **counts(
            documents=outcomes["dokument"],
            gone=outcomes["borte"],
            failed=outcomes["feilet"],
            tables=len({name for batch in landed for name in batch.tables}),
            bytes=sum(batch.file.bytes for batch in landed),
            seconds=round(sum(batch.seconds for batch in landed), 3),
        ),
    }


def _land(freg: Freg, key: str) -> LandedBatch:
    """Land a batch. What of its raw answers is damaged is asked for again."""
    of, batch = read_batch_partition(freg.store, key)

    def land() -> LandedBatch:
        # Where its answers came just now it has landed, and there is nothing to tell.
        told = cache(lambda: freg.progress(f"tables, batch {batch}", len(of.identifiers(batch))))
        plan = load_plan(freg.store, of.request.contract)
        return land_batch(freg.store, of, batch, plan, progress=lambda more: told()(more))

    return healing(freg.store, land, lambda: _ask_again(freg, [key]))


def _ask_again(freg: Freg, keys: list[str]) -> None:
    _see_identifiers(freg, keys)
    _fetch(freg, keys)


def land_again(freg: Freg, of: Uttrekk) -> None:
    """See that all batches are here, and land those whose tables were damaged, and removed."""
    batches = range(of.end or 0)
    _see_identifiers(freg, [batch_partition(of.name, batch) for batch in batches])
    for batch in sorted(set(batches) - of.landed()):
        key = batch_partition(of.name, batch)
        _ask_again(freg, [key])
        _land(freg, key)
