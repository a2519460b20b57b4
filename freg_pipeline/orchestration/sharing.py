"""The pieces of a release, where several machines share the making of it: a run for each.

Where one machine takes the runs, the run that publishes makes all pieces: a run of its own would
cost a piece some seconds (FREG_SHARE_RELEASE).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

import time

import dagster as dg

from freg_pipeline.errors import FregError
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.release import plan_release, release_piece
from freg_pipeline.orchestration.batches import land_again
from freg_pipeline.orchestration.common import OWNERS, Job
from freg_pipeline.orchestration.config import PublishConfig
from freg_pipeline.orchestration.guarding import broken_by
from freg_pipeline.orchestration.metadata import counts
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.partitions import RELEASE_PIECE, partitions, read_piece_partition
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.runs import mark_refused
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.workers import Workers

PIECE_JOB = "release_piece"


def release_piece_asset(names: Names) -> dg.AssetsDefinition:
    """The plan of a release, and its pieces."""

    @dg.asset(
        key=names.key("release_del"),
        deps=[dg.AssetDep(names.key("batch_tabeller"), partition_mapping=dg.AllPartitionMapping())],
        partitions_def=partitions(names, RELEASE_PIECE),
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
        group_name=names.of("lake"),
        kinds={"parquet"},
        owners=OWNERS,
        required_resource_keys={names.resource},
        description=(
            "Where several machines make a release: one partition for its plan, which settles who"
            " landed, and one per bucket of persons. Staging tables in, a base's files out; read by"
            " no one yet."
        ),
    )
    @in_our_words
    def release_del(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Make the partition's piece, if it isn't made."""
        started = time.monotonic()
        freg = freg_of(context, names)
        of, piece = read_piece_partition(freg.store, context.partition_key)
        try:
            made = _plan(freg, of) if piece is None else _make(freg, of, piece)
        except FregError as error:
            rule = broken_by(error)
            if rule is not None:  # a person decides; publishing would be refused likewise
                mark_refused(context, rule)
            raise
        seconds = round(time.monotonic() - started, 3)
        return dg.MaterializeResult(metadata={**made, **counts(seconds=seconds)})

    return release_del


def _plan(freg: Freg, of: Uttrekk) -> dict[str, dg.MetadataValue]:
    policy = PublishConfig().policy(freg.settings)
    plan = healing(
        freg.store,
        lambda: plan_release(freg.store, of, policy=policy),
        lambda: land_again(freg, of),
    )
    if plan is None:  # the release is there
        return {}
    return counts(pieces=plan.buckets, persons=plan.accounting.landed)


def _make(freg: Freg, of: Uttrekk, piece: int) -> dict[str, dg.MetadataValue]:
    rows = healing(
        freg.store, lambda: release_piece(freg.store, of, piece), lambda: land_again(freg, of)
    )
    return {"dagster/row_count": dg.MetadataValue.int(rows)}


def release_piece_job(names: Names, workers: Workers) -> Job:
    """What makes one."""
    return dg.define_asset_job(
        names.of(PIECE_JOB),
        selection=[names.key("release_del")],
        **workers.place(PIECE_JOB),
        description="Makes the plan, or one piece, of a release that several machines share.",
    )
