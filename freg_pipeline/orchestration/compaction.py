"""Compaction on Dagster: a partition a piece, what publishes, and the sensor that asks for both.

Runs of pieces may be spread over machines; each piece is found in the store when it was made.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of decorated functions.

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

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
from freg_pipeline.orchestration.common import OWNERS, Job
from freg_pipeline.orchestration.guarding import COMPACTION_RULES, guard_specs, guarded
from freg_pipeline.orchestration.metadata import counts
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.partitions import COMPACTION_PIECE, partitions
from freg_pipeline.orchestration.resources import Freg, freg_of
from freg_pipeline.orchestration.running import Running
from freg_pipeline.orchestration.runs import runs_of
from freg_pipeline.orchestration.shown import show_release
from freg_pipeline.orchestration.telling import in_our_words
from freg_pipeline.orchestration.workers import Workers
from freg_pipeline.store import Store


class CompactionJobs(NamedTuple):
    """The jobs of a compaction."""

    piece: Job
    publish: Job


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


def compaction_assets(names: Names) -> list[dg.AssetsDefinition]:
    """A piece of a compaction, and what publishes one."""
    return [_komprimert_del(names), _komprimering(names)]


def _komprimert_del(names: Names) -> dg.AssetsDefinition:
    @dg.asset(
        key=names.key("komprimert_del"),
        deps=[names.key("hendelser")],
        partitions_def=partitions(names, COMPACTION_PIECE),
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
        group_name=names.of("lake"),
        kinds={"parquet"},
        owners=OWNERS,
        required_resource_keys={names.resource},
        description=(
            "One partition per piece of a compaction: a bucket of persons in all tables, or the"
            " tables that aren't split. Base and deltas in, a new base's files out; read by no one"
            " yet."
        ),
    )
    @in_our_words
    def komprimert_del(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Make the partition's piece, if it isn't made."""
        freg, key = freg_of(context, names), context.partition_key
        rows = healing(freg.store, lambda: compact_piece(freg.store, *_read_partition(freg, key)))
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    return komprimert_del


def _komprimering(names: Names) -> dg.AssetsDefinition:
    key = names.key("komprimering")

    @dg.asset(
        key=key,
        deps=[dg.AssetDep(names.key("komprimert_del"), partition_mapping=dg.AllPartitionMapping())],
        group_name=names.of("lake"),
        kinds={"parquet"},
        owners=OWNERS,
        check_specs=guard_specs(key, COMPACTION_RULES),
        required_resource_keys={names.resource},
        description=(
            "The release on a new base: the same content as before, with the deltas that came"
            " meanwhile on top. Published by one atomic swap of a pointer. Not partitioned."
        ),
    )
    @in_our_words
    def komprimering(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        """Publish the compaction under way, once all of its pieces are made."""
        store = freg_of(context, names).store
        publish = partial(_publish, store)
        manifest = yield from guarded(context, key, publish, COMPACTION_RULES)
        if manifest is None:
            yield dg.MaterializeResult(metadata=counts(deltas=0))
            return
        show_release(context, names, store, manifest)
        yield dg.MaterializeResult(
            metadata={
                "release": manifest.number,
                "sekvensnummer": manifest.sekvensnummer,
                **counts(persons=manifest.persons, deltas=len(manifest.deltas)),
            }
        )

    return komprimering


def _publish(store: Store) -> Manifest | None:
    """Publish what is under way; None: nothing is."""
    compaction = begin_compaction(store)
    if compaction is None:
        return None
    return healing(store, partial(publish_compaction, store, compaction))


def compaction_jobs(names: Names, workers: Workers) -> CompactionJobs:
    """One for a piece, and one that publishes."""
    return CompactionJobs(
        piece=dg.define_asset_job(
            names.of("compact_piece"),
            selection=[names.key("komprimert_del")],
            **workers.place("compact_piece"),
            description="Makes one piece of a compaction.",
        ),
        publish=dg.define_asset_job(
            names.of("publish_compaction"),
            selection=[names.key("komprimering")],
            **workers.place("publish_compaction"),
            description="Publishes a compaction whose pieces are all made.",
        ),
    )


def compaction_sensor(names: Names, jobs: CompactionJobs, running: Running) -> dg.SensorDefinition:
    """What sees to it that a release is compacted."""
    name = "compaction_sensor"

    @dg.sensor(
        name=names.of(name),
        jobs=[*jobs],
        minimum_interval_seconds=60,
        default_status=running.sensor(name),
        required_resource_keys={names.resource},
        description="Begins a compaction where deltas cost readers enough, and requests its runs.",
    )
    @in_our_words
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Request what the compaction under way still lacks."""
        freg = freg_of(context, names)
        compaction = _under_way(freg)
        if compaction is None:
            return dg.SkipReason("too little has been replaced")
        tag = {names.tag("compaction"): compaction.name}
        runs = runs_of(context.instance, tag)
        left = [piece_partition(compaction, piece) for piece in pieces_left(freg.store, compaction)]
        if not left:
            publish = dg.RunRequest(job_name=jobs.publish.name, tags=tag)
            wanted = runs.may_begin(jobs.publish.name)
            return dg.SensorResult(run_requests=[publish] if wanted else [])
        wanted_pieces = [key for key in left if runs.may_begin(jobs.piece.name, key)]
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(job_name=jobs.piece.name, partition_key=key, tags=tag)
                for key in wanted_pieces
            ],
            dynamic_partitions_requests=[
                partitions(names, COMPACTION_PIECE).build_add_request(wanted_pieces)
            ],
        )

    return sensor


def _under_way(freg: Freg) -> Compaction | None:
    current = current_release(freg.store)
    settings = freg.settings
    if current is None or not needs_compaction(
        current, share=settings.compact_share, deltas=settings.compact_deltas
    ):
        return None
    return begin_compaction(freg.store)
