"""Compaction on Dagster: a partition a piece, what publishes, and the sensor that asks for both.

Runs of pieces may be spread over machines; each piece is found in the store when it was made.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Iterator
from functools import partial

import dagster as dg

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.compact import (
    begin_compaction,
    compact_piece,
    needs_compaction,
    pieces,
    pieces_left,
    publish_compaction,
)
from freg_pipeline.lake.compaction import Compaction, read_compaction
from freg_pipeline.lake.heal import healing
from freg_pipeline.orchestration.common import OWNERS, FregResource
from freg_pipeline.orchestration.feed import hendelser
from freg_pipeline.orchestration.guarding import COMPACTION_RULES, guard_specs, guarded
from freg_pipeline.orchestration.metadata import counts
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.runs import COMPACTION_TAG, runs_of
from freg_pipeline.orchestration.shown import show_release
from freg_pipeline.orchestration.telling import in_our_words

COMPACTION_PIECE = dg.DynamicPartitionsDefinition(name="compaction_piece")


def piece_partition(compaction: Compaction, piece: str) -> str:
    """The partition key of a piece: ``<compaction>/<piece>``."""
    return f"{compaction.name}/{piece}"


def _read_partition(freg: Freg, key: str) -> tuple[Compaction, str]:
    name, _, piece = key.partition("/")
    compaction = read_compaction(freg.store, name)
    if compaction is None or piece not in pieces(compaction):
        raise ConfigurationError(
            "that partition key is not a piece of a compaction",
            "Let compaction_sensor make them, or run freg compact",
        )
    return compaction, piece


@dg.asset(
    deps=[hendelser],
    partitions_def=COMPACTION_PIECE,
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
    group_name="lake",
    kinds={"parquet"},
    owners=OWNERS,
    description=(
        "One partition per piece of a compaction: a bucket of persons in all tables, or the tables"
        " that aren't split. Base and deltas in, a new base's files out; read by no one yet."
    ),
)
@in_our_words
def komprimert_del(
    context: dg.AssetExecutionContext, freg: FregResource
) -> dg.MaterializeResult[None]:
    """Make the partition's piece, if it isn't made."""
    key = context.partition_key
    rows = healing(freg.store, lambda: compact_piece(freg.store, *_read_partition(freg, key)))
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


@dg.asset(
    deps=[dg.AssetDep(komprimert_del, partition_mapping=dg.AllPartitionMapping())],
    group_name="lake",
    kinds={"parquet"},
    owners=OWNERS,
    check_specs=guard_specs("komprimering", COMPACTION_RULES),
    description=(
        "The release on a new base: the same content as before, with the deltas that came meanwhile"
        " on top. Published by one atomic swap of a pointer. Not partitioned."
    ),
)
@in_our_words
def komprimering(
    context: dg.AssetExecutionContext, freg: FregResource
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Publish the compaction under way, once all of its pieces are made."""

    def publish() -> Manifest | None:
        compaction = begin_compaction(freg.store)
        if compaction is None:
            return None
        return healing(freg.store, partial(publish_compaction, freg.store, compaction))

    manifest = yield from guarded(context, "komprimering", publish, COMPACTION_RULES)
    if manifest is None:
        yield dg.MaterializeResult(metadata=counts(deltas=0))
        return
    show_release(context, freg.store, manifest)
    yield dg.MaterializeResult(
        metadata={
            "release": manifest.number,
            "sekvensnummer": manifest.sekvensnummer,
            **counts(persons=manifest.persons, deltas=len(manifest.deltas)),
        }
    )


compact_job = dg.define_asset_job(
    "compact_piece",
    selection=[komprimert_del],
    executor_def=dg.in_process_executor,
    description="Makes one piece of a compaction.",
)
publish_job = dg.define_asset_job(
    "publish_compaction",
    selection=[komprimering],
    executor_def=dg.in_process_executor,
    description="Publishes a compaction whose pieces are all made.",
)


@dg.sensor(
    jobs=[compact_job, publish_job],
    minimum_interval_seconds=60,
    description="Begins a compaction where deltas cost readers enough, and requests its runs.",
)
@in_our_words
def compaction_sensor(
    context: dg.SensorEvaluationContext, freg: FregResource
) -> dg.SensorResult | dg.SkipReason:
    """Request what the compaction under way still lacks."""
    compaction = _under_way(freg)
    if compaction is None:
        return dg.SkipReason("too little has been replaced")
    runs = runs_of(context.instance, COMPACTION_TAG, compaction.name)
    left = [piece_partition(compaction, piece) for piece in pieces_left(freg.store, compaction)]
    tags = {COMPACTION_TAG: compaction.name}
    if not left:
        wanted = runs.may_begin(publish_job.name)
        requests = [dg.RunRequest(job_name=publish_job.name, tags=tags)] if wanted else []
        return dg.SensorResult(run_requests=requests)
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(job_name=compact_job.name, partition_key=key, tags=tags)
            for key in left
            if runs.may_begin(compact_job.name, key)
        ],
        dynamic_partitions_requests=[COMPACTION_PIECE.build_add_request(left)],
    )


def _under_way(freg: Freg) -> Compaction | None:
    current = current_release(freg.store)
    settings = freg.settings
    if current is None or not needs_compaction(
        current, share=settings.compact_share, deltas=settings.compact_deltas
    ):
        return None
    return begin_compaction(freg.store)
